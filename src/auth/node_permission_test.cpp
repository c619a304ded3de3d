#include "auth/node_permission.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

Principal local(uint32_t uid, const std::string& user, const std::string& role = "utility") {
  Principal out;
  out.kind = PrincipalKind::local_user;
  out.uid = uid;
  out.user = user;
  out.role = role;
  out.name = "d";
  return out;
}
Principal bearer(const std::string& name) {
  Principal out;
  out.kind = PrincipalKind::credential;
  out.role = "user";
  out.name = name;
  return out;
}

TEST(NodePermission, TheFirstClassThatFitsDecides) {
  const NodePermission node{"alice", "chem", 0750};
  EXPECT_TRUE(may_use(bearer("alice"), {}, node, NodeUse::change));
  EXPECT_TRUE(may_use(bearer("alice"), {}, node, NodeUse::run));
  EXPECT_FALSE(may_use(bearer("bob"), {"chem"}, node, NodeUse::change));
  EXPECT_TRUE(may_use(bearer("bob"), {"chem"}, node, NodeUse::run));
  EXPECT_FALSE(may_use(bearer("bob"), {"bio"}, node, NodeUse::run));
  // As for files: the owner's own bits count even where the others have more.
  EXPECT_FALSE(may_use(bearer("alice"), {"chem"}, {"alice", "chem", 0077}, NodeUse::change));
}

TEST(NodePermission, OnlyUidZeroIsRoot) {
  const NodePermission node;  // root's, 0755
  EXPECT_TRUE(may_use(local(0, "root"), {}, node, NodeUse::change));
  EXPECT_FALSE(may_use(local(1000, "root"), {}, node, NodeUse::change));
  EXPECT_FALSE(may_use(bearer("root"), {}, node, NodeUse::change));
  EXPECT_TRUE(may_use(bearer("root"), {}, node, NodeUse::run)) << "as one of the others";
}

TEST(NodePermission, WhoAComputeVouchesForOwnsNothing) {
  EXPECT_EQ(local(1000, "alice", "compute").account(), "");
  EXPECT_FALSE(may_use(local(1000, "alice", "compute"), {}, {"alice", "", 0700}, NodeUse::change));
  EXPECT_FALSE(may_use(local(1000, "", "utility"), {}, {"", "x", 0700}, NodeUse::change))
      << "nobody's name is nobody's node";
}

}  // namespace
}  // namespace drover::auth
