#include "auth/keys.hpp"

#include "os/real_disk.hpp"
#include "os/test_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::auth {
namespace {

// openssl ecparam -name secp384r1 -genkey: right form, wrong curve. Made for this test.
constexpr std::string_view kP384Key =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDBNp+rC6V2I0EhZMnwlhCfRCt3WU9CElB3OxhYmBrBxdpdh9vrNFc4e\n"
    "0pm1/MR+f4mgBwYFK4EEACKhZANiAATVaqv/ca50zDuu+TmjLACx8bXNsGi8uycq\n"
    "LHJHtOQnv7ITRgBn2N0ZMrAmnR/WSFbWaqve+i1GDFRPB95o3hppboyPhWhch4B7\n"
    "3jeA9TX25GcDSSb6nv5X1+8sLzVS0bs=\n"
    "-----END EC PRIVATE KEY-----\n";

// openssl req -new -sha384 of a P-256 key. Made for this test.
constexpr std::string_view kSha384Request =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIHGMG8CAQAwDTELMAkGA1UEAwwCbjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AASA2d2G2OOV+Z2BPhrsDN+rUi00EmeUfYqPgFhBugPAIqYDbtb9DBlvKig+rl+6\n"
    "z5MF1YlkoIgVA0lDV8tQuyS0oAAwCgYIKoZIzj0EAwMDRwAwRAIgW40GOQDxGm/Y\n"
    "/BMDS1IL62r5pvOWi97ssqR7eP4/bUgCICCRJWffvP5XRyH0BRamhLa+KLifXvLA\n"
    "Eg74hT7Hb3CR\n"
    "-----END CERTIFICATE REQUEST-----\n";

TEST(Keys, Sha256OfAKnownText) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Keys, ConstantTimeEqualityIsEquality) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
}

TEST(Keys, SignatureFitsItsMessageAndKeyOnly) {
  const KeyPair key = KeyPair::make().value();
  const KeyPair other = KeyPair::make().value();
  std::string signature = key.sign("hello").value();
  EXPECT_TRUE(key.public_key().verify("hello", signature));
  EXPECT_EQ(key.public_key().verify("hellp", signature).error().code, Code::denied);
  EXPECT_EQ(other.public_key().verify("hello", signature).error().code, Code::denied);
  EXPECT_EQ(key.public_key().verify("hello", "").error().code, Code::denied);
  EXPECT_EQ(key.public_key().verify("hello", "not DER at all").error().code, Code::denied);
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string broken = signature;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(key.public_key().verify("hello", broken)) << "byte " << i;
  }
}

TEST(Keys, SavedForItsOwnerAloneAndLoadedAgain) {
  const os::testing::TestFolder folder;
  os::RealDisk disk;
  const KeyPair key = KeyPair::make().value();
  ASSERT_TRUE(key.save(disk, folder / "a.key"));
  struct stat info{};
  ASSERT_EQ(::stat((folder / "a.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  const KeyPair loaded = KeyPair::load(disk, folder / "a.key").value();
  EXPECT_EQ(loaded.public_key().sha256(), key.public_key().sha256());
  EXPECT_TRUE(key.public_key().verify("m", loaded.sign("m").value()));
  EXPECT_EQ(KeyPair::load(disk, folder / "none.key").error().code, Code::not_found);
}

TEST(Keys, PublicKeyTravelsAsPem) {
  const KeyPair key = KeyPair::make().value();
  const PublicKey read = PublicKey::from_pem(key.public_key().pem().value()).value();
  EXPECT_EQ(read.sha256(), key.public_key().sha256());
  EXPECT_TRUE(read.verify("m", key.sign("m").value()));
}

TEST(Keys, TheDigestIsThatOfThePublicKeyInfo) {
  // openssl ec -pubout, with -conv_form compressed the second; openssl ec -pubout -outform DER |
  // sha256sum
  constexpr std::string_view kPlain =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUPTdm2FvbnmRES3FRcCwsB8rucyF\n"
      "XwmbB+tFuBpt/yBCNfoGYihwr0vOHj1b8U7JE2VBDgqQVKc50x+0nlhA5g==\n"
      "-----END PUBLIC KEY-----\n";
  constexpr std::string_view kCompressed =
      "-----BEGIN PUBLIC KEY-----\n"
      "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACUPTdm2FvbnmRES3FRcCwsB8rucyF\n"
      "XwmbB+tFuBpt/yA=\n"
      "-----END PUBLIC KEY-----\n";
  EXPECT_EQ(PublicKey::from_pem(kPlain)->sha256(),
            "a1af345834eef5032036494b40015ac3c70286fc42a25a55350069316917ac71");
  EXPECT_EQ(PublicKey::from_pem(kCompressed)->sha256(),
            "dda2528a7f1d6e0c51c2ad3b0ac132bce9e3ca99d18c07b8269baba12b01ef2e");
}

TEST(Keys, EveryTruncatedKeyIsRefused) {
  const std::string pem = KeyPair::make().value().pem().value();
  for (size_t size = 0; size + 2 < pem.size(); size += 3) {
    auto key = KeyPair::from_pem(std::string_view(pem).substr(0, size));
    ASSERT_FALSE(key) << size;
    EXPECT_EQ(key.error().code, Code::invalid_argument);
  }
}

TEST(Keys, OtherAlgorithmsAreRefused) {
  auto key = KeyPair::from_pem(kP384Key);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message, "the key is not an ECDSA P-256 key");
}

TEST(Csr, ProvesPossessionOfItsKey) {
  const KeyPair key = KeyPair::make().value();
  const std::string csr = make_csr(key, "n1").value();
  EXPECT_EQ(verify_csr(csr).value().sha256(), key.public_key().sha256());
  EXPECT_TRUE(make_csr(key, std::string(500, 'x')));
}

TEST(Csr, AnyChangedByteIsRefused) {
  const std::string csr = make_csr(KeyPair::make().value(), "n1").value();
  const size_t begin = csr.find('\n') + 1;
  // The last group of Base64 may hold bits that mean nothing.
  const size_t end = csr.find("-----END") - 5;
  for (size_t i = begin; i < end; i += 7) {
    std::string broken = csr;
    broken[i] = broken[i] == 'A' ? 'B' : 'A';
    if (broken == csr) continue;
    auto key = verify_csr(broken);
    ASSERT_FALSE(key) << "byte " << i;
    EXPECT_EQ(key.error().code, Code::invalid_argument);
  }
}

// Taken apart by our own reader where it can; what that does not know is OpenSSL's to judge.
TEST(Csr, OneThatOurOwnReaderDoesNotKnowIsOpensslsToJudge) {
  EXPECT_TRUE(verify_csr(kSha384Request));
}

TEST(Csr, GarbageIsRefused) {
  EXPECT_FALSE(verify_csr(""));
  EXPECT_FALSE(
      verify_csr("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"));
  EXPECT_EQ(verify_csr(std::string(20'000, 'A')).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace drover::auth
