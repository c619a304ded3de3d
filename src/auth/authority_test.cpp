#include "auth/authority.hpp"

#include "auth/test_support.hpp"
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"

#include <array>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::auth {
namespace {

using testing::kNow;
using testing::SeededRandom;
using testing::TestCa;

class AuthorityFiles : public ::testing::Test {
 protected:
  Result<std::unique_ptr<CertificateAuthority>> open(const std::string& cluster = "alpha",
                                                     WallTime now = kNow) {
    return CertificateAuthority::open_or_create(disk_, random_, "/ca", cluster, now);
  }
  std::string read(const std::string& name) { return disk_.read_all("/ca/" + name).value(); }

  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(disk_.write_atomic(path, text, 0600));
  }

  sim::SimDisk disk_;
  SeededRandom random_;
};

TEST_F(AuthorityFiles, MadeOnceAndOpenedAgain) {
  const std::string first = open().value()->ca_fingerprint();
  EXPECT_EQ(open().value()->ca_fingerprint(), first);
}

TEST(AuthorityOnRealFiles, ItsKeyIsForItsOwnerAlone) {
  const os::testing::TestFolder folder;
  os::RealDisk disk;
  SeededRandom random;
  ASSERT_TRUE(CertificateAuthority::open_or_create(disk, random, folder / "ca", "alpha", kNow));
  struct stat info{};
  ASSERT_EQ(::stat((folder / "ca").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat((folder / "ca/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(AuthorityFiles, CaLastsTenYearsAndIsACa) {
  const auto authority = open().value();
  const Certificate ca = Certificate::from_pem(authority->ca_pem()).value();
  EXPECT_TRUE(ca.is_ca());
  EXPECT_EQ(ca.uri(), "drover://alpha/ca/root");
  EXPECT_EQ(ca.not_before(), kNow - kClockSlack);
  EXPECT_EQ(ca.not_after(), kNow + std::chrono::hours(24 * 3652));
  EXPECT_EQ(ca.fingerprint(), authority->ca_fingerprint());
}

TEST_F(AuthorityFiles, WithoutTheSealAHalfMadeCaIsCompletedWithTheSameKey) {
  ASSERT_TRUE(open());
  const std::string key = read("ca.key");
  const std::string certificate = read("ca.pem");
  ASSERT_TRUE(disk_.remove("/ca/ca.sha256"));
  ASSERT_TRUE(open());
  EXPECT_EQ(read("ca.pem"), certificate);
  ASSERT_TRUE(disk_.remove("/ca/ca.sha256"));
  ASSERT_TRUE(disk_.remove("/ca/ca.pem"));
  ASSERT_TRUE(open());
  EXPECT_EQ(read("ca.key"), key);
}

TEST_F(AuthorityFiles, AfterTheSealNothingMayBeMissingOrExchanged) {
  ASSERT_TRUE(open());
  const std::string key = read("ca.key");
  const std::string certificate = read("ca.pem");
  for (const char* name : {"ca.key", "ca.pem"}) {
    const std::string good = read(name);
    ASSERT_TRUE(disk_.remove("/ca/" + std::string(name)));
    auto missing = open();
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code, Code::corrupt);
    EXPECT_NE(missing.error().message.find(name), std::string::npos);
    EXPECT_FALSE(missing.error().next.empty());
    write("/ca/" + std::string(name), good.substr(0, good.size() / 2));
    EXPECT_EQ(open().error().code, Code::corrupt) << name;
    write("/ca/" + std::string(name), good);
  }
  ASSERT_TRUE(KeyPair::make().value().save(disk_, "/ca/ca.key"));
  EXPECT_EQ(open().error().code, Code::corrupt);
  write("/ca/ca.key", key);
  write("/ca/ca.sha256", std::string(64, '0') + "\n");
  EXPECT_EQ(open().error().code, Code::corrupt);
  EXPECT_EQ(read("ca.pem"), certificate);
}

TEST_F(AuthorityFiles, AnotherClustersCaIsRefused) {
  ASSERT_TRUE(open("alpha"));
  EXPECT_EQ(open("beta").error().code, Code::conflict);
}

TEST_F(AuthorityFiles, AnExpiredCaIsRefused) {
  ASSERT_TRUE(open());
  auto late = open("alpha", kNow + std::chrono::hours(24 * 3653));
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().message.find("expired"), std::string::npos);
}

TEST(AuthorityCrash, PowerCutAtAnyOperationLeavesACaThatOpens) {
  for (uint64_t cut = 1; cut < 100; ++cut) {
    sim::SimDisk disk;
    SeededRandom random(cut);
    disk.set_fault_hook([cut](const sim::DiskOperation& operation) {
      return operation.number == cut ? sim::DiskFault::power_cut : sim::DiskFault::none;
    });
    auto first = CertificateAuthority::open_or_create(disk, random, "/ca", "alpha", kNow);
    disk.set_fault_hook({});
    disk.crash(random);
    auto second = CertificateAuthority::open_or_create(disk, random, "/ca", "alpha", kNow);
    ASSERT_TRUE(second) << "cut at operation " << cut << ": " << second.error().text();
    if (first) {
      EXPECT_EQ((*first)->ca_fingerprint(), (*second)->ca_fingerprint());
      ASSERT_GT(cut, 10U) << "nothing was cut";
      return;
    }
  }
  FAIL() << "the CA never opened";
}

TEST(Authority, IssuesWhatWasAskedAndNothingOfTheCsr) {
  TestCa ca;
  const KeyPair key = KeyPair::make().value();
  IssueRequest request = ca.request(key, "compute", "n1");
  request.csr_pem = make_csr(key, "root-of-all").value();
  const IssuedCertificate issued = ca.authority().issue(request).value();
  const Certificate leaf = Certificate::from_pem(issued.certificate_pem).value();
  EXPECT_EQ(leaf.uri(), "drover://alpha/compute/n1");
  EXPECT_EQ(leaf.uri(), issued.uri);
  EXPECT_EQ(leaf.serial(), issued.serial);
  EXPECT_LE(leaf.serial().size(), 32U);
  EXPECT_EQ(leaf.not_before(), kNow - kClockSlack);
  EXPECT_EQ(leaf.not_after(), kNow + kDefaultLifetime);
  EXPECT_EQ(leaf.public_key().sha256(), key.public_key().sha256());
  EXPECT_EQ(issued.key_sha256, key.public_key().sha256());
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_TRUE(Trust::from_pem(ca.authority().ca_pem()).value().verify(leaf, kNow));
}

// What is told of a certificate is not read from it.
TEST(Authority, TellsWhatTheCertificateSays) {
  TestCa ca;
  IssueRequest request = ca.request(KeyPair::make().value(), "compute", "n1");
  request.now = kNow + std::chrono::milliseconds(1700);
  for (const unsigned char first : std::to_array<unsigned char>({0x00, 0x01, 0x7f})) {
    request.serial = Serial{};
    request.serial.front() = first;
    request.serial.back() = 1;
    const IssuedCertificate issued = ca.authority().issue(request).value();
    const Certificate leaf = Certificate::from_pem(issued.certificate_pem).value();
    EXPECT_EQ(issued.serial, leaf.serial());
    EXPECT_EQ(issued.key_sha256, leaf.public_key().sha256());
    EXPECT_EQ(issued.not_before, leaf.not_before());
    EXPECT_EQ(issued.not_after, leaf.not_after());
  }
}

TEST(Authority, SerialsDiffer) {
  SeededRandom random;
  const Serial first = draw_serial(random);
  EXPECT_NE(first, draw_serial(random));
  EXPECT_LT(first.front(), 0x80);
}

TEST(Authority, RefusesIdentitiesThatWouldReadAsOthers) {
  TestCa ca;
  const KeyPair key = KeyPair::make().value();
  for (const char* name :
       {"", "a/b", "../master", "n1 ", "n1\n", "n\x01", "n?x", "n#x", "\xc3\xa9"}) {
    auto issued = ca.authority().issue(ca.request(key, "compute", "n1"));
    ASSERT_TRUE(issued);
    IssueRequest bad = ca.request(key, "compute", "n1");
    bad.name = name;
    EXPECT_EQ(ca.authority().issue(bad).error().code, Code::invalid_argument) << name;
    bad = ca.request(key, "compute", "n1");
    bad.role = name;
    EXPECT_EQ(ca.authority().issue(bad).error().code, Code::invalid_argument) << name;
  }
  IssueRequest longest = ca.request(key, "compute", "n1");
  longest.name.assign(253, 'n');
  EXPECT_TRUE(ca.authority().issue(longest));
  longest.name.push_back('n');
  EXPECT_FALSE(ca.authority().issue(longest));
}

TEST(Authority, RefusesBadAddressesLifetimesAndRequests) {
  TestCa ca;
  const KeyPair key = KeyPair::make().value();
  IssueRequest request = ca.request(key, "master", "m1");
  request.dns_names = {"localhost"};
  request.ip_addresses = {"127.0.0.1", "::1"};
  EXPECT_TRUE(ca.authority().issue(request));
  request.ip_addresses = {"127.0.0.256"};
  EXPECT_EQ(ca.authority().issue(request).error().code, Code::invalid_argument);
  request.ip_addresses.clear();
  request.dns_names = {"local host"};
  EXPECT_EQ(ca.authority().issue(request).error().code, Code::invalid_argument);
  request.dns_names.clear();
  request.lifetime = Duration::zero();
  EXPECT_EQ(ca.authority().issue(request).error().code, Code::invalid_argument);
  request.lifetime = kDefaultLifetime;
  request.csr_pem = "nonsense";
  EXPECT_EQ(ca.authority().issue(request).error().code, Code::invalid_argument);
}

TEST(Authority, NothingOutlivesTheCa) {
  TestCa ca;
  const KeyPair key = KeyPair::make().value();
  IssueRequest request = ca.request(key, "compute", "n1");
  request.lifetime = std::chrono::hours(24 * 20'000);
  const Certificate leaf =
      Certificate::from_pem(ca.authority().issue(request).value().certificate_pem).value();
  EXPECT_EQ(leaf.not_after(), Certificate::from_pem(ca.authority().ca_pem()).value().not_after());
  request.now = leaf.not_after();
  EXPECT_EQ(ca.authority().issue(request).error().code, Code::conflict);
}

}  // namespace
}  // namespace drover::auth
