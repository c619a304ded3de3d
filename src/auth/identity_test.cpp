#include "auth/identity.hpp"

#include "auth/test_support.hpp"
#include "sim/sim_disk.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::kNow;
using testing::SeededRandom;
using testing::TestCa;

class Identities : public ::testing::Test {
 protected:
  Identity make(const std::string& role = "compute", const std::string& name = "n1") {
    const KeyPair key = KeyPair::make().value();
    return {key.pem().value(), ca_.certify(key, role, name), ca_.authority().ca_pem()};
  }
  TestCa ca_;
  OpensslIdentityTool tool_;
};

TEST_F(Identities, BundleReadsBack) {
  const Identity identity = make();
  EXPECT_EQ(parse_bundle(to_bundle(identity)).value(), identity);
}

TEST_F(Identities, EveryTruncatedBundleIsRefusedByFormOrContent) {
  const std::string text = to_bundle(make());
  for (size_t size = 0; size + 1 < text.size(); size += 7) {
    auto identity = parse_bundle(text.substr(0, size));
    EXPECT_TRUE(!identity || !tool_.check(*identity)) << size;
  }
  EXPECT_EQ(parse_bundle("").error().code, Code::corrupt);
  EXPECT_EQ(parse_bundle("# key\n# certificate\n# ca\n").error().code, Code::corrupt);
}

TEST_F(Identities, CheckSaysWhoAndUntilWhen) {
  const IdentityFacts facts = tool_.check(make()).value();
  EXPECT_EQ(facts.uri, "drover://alpha/compute/n1");
  EXPECT_EQ(facts.not_before, kNow - kClockSlack);
  EXPECT_EQ(facts.not_after, kNow + kDefaultLifetime);
}

TEST_F(Identities, PartsOfDifferentIdentitiesAreRefused) {
  const Identity good = make();
  const Identity other = make();
  EXPECT_EQ(tool_.check({other.key_pem, good.certificate_pem, good.ca_pem}).error().code,
            Code::invalid_argument);
  TestCa foreign("alpha", 9);
  EXPECT_EQ(
      tool_.check({good.key_pem, good.certificate_pem, foreign.authority().ca_pem()}).error().code,
      Code::invalid_argument);
  EXPECT_FALSE(tool_.check({"", "", ""}));
}

TEST_F(Identities, CsrIsForTheKey) {
  const std::string key = tool_.make_key().value();
  EXPECT_EQ(verify_csr(tool_.make_csr(key, "n1").value()).value().sha256(),
            KeyPair::from_pem(key).value().public_key().sha256());
}

TEST_F(Identities, PendingKeyStaysUntilTheIdentityIsSaved) {
  sim::SimDisk disk;
  const IdentityFiles files(disk, "/identity");
  const std::string key = files.pending_key(tool_).value();
  EXPECT_EQ(files.pending_key(tool_).value(), key);
  EXPECT_FALSE(files.load().value());
  ASSERT_TRUE(files.save(make()));
  EXPECT_NE(files.pending_key(tool_).value(), key);
}

TEST_F(Identities, WhatCannotBeReadBackIsNotSaved) {
  sim::SimDisk disk;
  const IdentityFiles files(disk, "/identity");
  const Identity good = make();
  ASSERT_TRUE(files.save(good));
  Identity bad = make();
  bad.key_pem += "# certificate\n";
  EXPECT_FALSE(files.save(bad));
  bad = make();
  bad.ca_pem.clear();
  EXPECT_FALSE(files.save(bad));
  EXPECT_EQ(files.load().value(), good);
}

TEST_F(Identities, PowerCutWhileSavingLeavesTheOldOrTheNewPair) {
  const Identity before = make();
  const Identity after = make();
  bool done = false;
  for (uint64_t cut = 1; !done; ++cut) {
    ASSERT_LT(cut, 100U);
    sim::SimDisk disk;
    SeededRandom random(cut);
    const IdentityFiles files(disk, "/identity");
    ASSERT_TRUE(files.save(before));
    const uint64_t at = disk.operations() + cut;
    disk.set_fault_hook([at](const sim::DiskOperation& operation) {
      return operation.number == at ? sim::DiskFault::power_cut : sim::DiskFault::none;
    });
    done = files.save(after).has_value();
    disk.set_fault_hook({});
    disk.crash(random);
    const Identity found = files.load().value().value();
    EXPECT_TRUE(found == after || (found == before && !done)) << "cut at operation " << cut;
    EXPECT_TRUE(tool_.check(found));
  }
}

}  // namespace
}  // namespace drover::auth
