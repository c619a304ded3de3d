#include "auth/plain_request.hpp"

#include "auth/keys.hpp"
#include "auth/openssl.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

namespace drover::auth {
namespace {

std::string der_of(const std::string& pem) {
  const X509ReqPtr request(PEM_read_bio_X509_REQ(read_from(pem).get(), nullptr, nullptr, nullptr));
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

TEST(PlainRequest, FindsTheKeyThatOpensslFinds) {
  for (const size_t length : {size_t{1}, size_t{30}, size_t{64}}) {
    const KeyPair key = KeyPair::make().value();
    const std::string der = der_of(make_csr(key, std::string(length, 'n')).value());
    const auto plain = read_plain_request(der);
    ASSERT_TRUE(plain) << length;
    EXPECT_EQ(sha256_hex(std::string(kP256Info) + std::string(plain->point)),
              key.public_key().sha256());
    EXPECT_TRUE(key.public_key().verify(plain->signed_part, plain->signature));
  }
}

TEST(PlainRequest, EveryTornOrLengthenedOneIsLeft) {
  const std::string der = der_of(make_csr(KeyPair::make().value(), "n1").value());
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(read_plain_request(std::string_view(der).substr(0, size))) << size;
  }
  EXPECT_FALSE(read_plain_request(der + '\0'));
}

// A length that says more than there is, at every place where one may be.
TEST(PlainRequest, NoByteMakesItReadBeyondItsEnd) {
  const std::string der = der_of(make_csr(KeyPair::make().value(), "n1").value());
  for (size_t at = 0; at < der.size(); ++at) {
    for (const int byte : {0x00, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff}) {
      const auto broken = std::make_unique<std::string>(der);  // of its own, for the sanitizer
      (*broken)[at] = static_cast<char>(byte);
      const auto plain = read_plain_request(*broken);
      if (!plain) continue;
      EXPECT_EQ(plain->point.size(), kP256Point);
      EXPECT_LE(plain->signed_part.size() + plain->signature.size(), der.size());
    }
  }
}

TEST(PlainKey, APointThatIsNotOnTheCurveIsRefused) {
  EXPECT_FALSE(p256_key(""));
  EXPECT_FALSE(p256_key(std::string(1, '\4') + std::string(64, '\1')));
  EXPECT_FALSE(p256_key(std::string(1, '\0')));
}

}  // namespace
}  // namespace drover::auth
