#include "auth/policy.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

constexpr uint32_t kDaemonUid = 990;

Principal user(uint32_t uid, const std::string& login, tree::Role role, const std::string& daemon) {
  return local_principal({uid, uid, 1}, login, kDaemonUid, role, daemon);
}
Principal certified(const std::string& identity) {
  return certificate_principal("drover://alpha/" + identity, "alpha").value();
}

TEST(Principal, TextNamesTheCaller) {
  EXPECT_EQ(user(1000, "alice", tree::Role::utility, "login1").text(), "user:alice@utility/login1");
  EXPECT_EQ(user(1000, "", tree::Role::utility, "login1").text(), "user:#1000@utility/login1");
  EXPECT_EQ(certified("compute/n1").text(), "daemon:compute/n1");
  EXPECT_EQ(certified("admin/bob").text(), "person:bob");
  Principal bearer;
  bearer.kind = PrincipalKind::credential;
  bearer.name = "ci/1";
  EXPECT_EQ(bearer.text(), "credential:ci%2F1");
  bearer.kind = PrincipalKind::external;
  bearer.issuer = "corp";
  bearer.name = "carol@corp.example";
  EXPECT_EQ(bearer.text(), "oidc:corp/carol%40corp.example");
  EXPECT_EQ(Principal{}.text(), "anonymous");
}

TEST(Principal, AHostileUserNameStaysOneWord) {
  EXPECT_EQ(user(1, "root@master/m1", tree::Role::compute, "n1").text(),
            "user:root%40master%2Fm1@compute/n1");
  EXPECT_EQ(user(1, "a\n*", tree::Role::compute, "n1").text(), "user:a%0A%2A@compute/n1");
}

TEST(Principal, OnlyUidZeroHasTheAccountRoot) {
  EXPECT_EQ(user(0, "root", tree::Role::utility, "login1").account(), "root");
  EXPECT_EQ(user(1000, "root", tree::Role::utility, "login1").account(), "");
  EXPECT_EQ(user(1000, "alice", tree::Role::utility, "login1").account(), "alice");
  EXPECT_EQ(user(1000, "alice", tree::Role::compute, "n1").account(), "")
      << "root is not ours there";
  EXPECT_EQ(certified("user/bob").account(), "bob");
  EXPECT_EQ(certified("admin/root").account(), "");
  EXPECT_EQ(certified("compute/n1").account(), "");
}

TEST(Principal, CertificatesOfOthersAreRefused) {
  EXPECT_EQ(certificate_principal("drover://beta/master/m1", "alpha").error().code,
            Code::unauthenticated);
  EXPECT_EQ(certificate_principal("drover://alpha/emperor/m1", "alpha").error().code,
            Code::unauthenticated);
  EXPECT_EQ(certificate_principal("drover://alpha/ca/root", "alpha").error().code,
            Code::unauthenticated);
  EXPECT_EQ(certificate_principal("https://alpha", "alpha").error().code, Code::unauthenticated);
  EXPECT_EQ(certificate_principal("", "alpha").value().kind, PrincipalKind::anonymous);
}

TEST(Principal, AnAssertionSpeaksOfAUserOrOfTheDaemon) {
  Assertion assertion;
  assertion.daemon_uri = "drover://alpha/utility/login1";
  assertion.claim = {0, 0, "root", false};
  const Principal root = asserted_principal(assertion, "alpha").value();
  EXPECT_EQ(root.text(), "user:root@utility/login1");
  EXPECT_FALSE(root.owns_daemon);
  assertion.claim.daemon_itself = true;
  EXPECT_EQ(asserted_principal(assertion, "alpha").value().text(), "daemon:utility/login1");
  assertion.daemon_uri = "drover://alpha/admin/bob";
  EXPECT_EQ(asserted_principal(assertion, "alpha").error().code, Code::unauthenticated);
}

TEST(Policy, Defaults) {
  const Policy policy;
  struct Row {
    Principal who;
    Access access;
  };
  const std::vector<Row> rows = {
      {user(0, "root", tree::Role::master, "m1"), Access::admin},
      {user(kDaemonUid, "drover", tree::Role::master, "m1"), Access::admin},
      {user(1000, "alice", tree::Role::master, "m1"), Access::viewer},
      {user(0, "root", tree::Role::aggregator, "a1"), Access::operator_},
      {user(0, "root", tree::Role::utility, "login1"), Access::operator_},
      {user(kDaemonUid, "drover", tree::Role::utility, "login1"), Access::viewer},
      {user(1000, "alice", tree::Role::utility, "login1"), Access::viewer},
      {user(0, "root", tree::Role::compute, "n1"), Access::viewer},
      {user(1000, "alice", tree::Role::compute, "n1"), Access::viewer},
      {certified("compute/n1"), Access::viewer},
      {certified("master/m1"), Access::viewer},
      {certified("admin/bob"), Access::admin},
      {certified("operator/bob"), Access::operator_},
      {certified("viewer/bob"), Access::viewer},
      {Principal{}, Access::none},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(name(policy.access_of(row.who)), name(row.access)) << row.who.text();
  }
}

TEST(Policy, EachRoleIncludesThoseBelow) {
  const Policy policy;
  const std::vector<std::pair<Principal, int>> ladder = {{Principal{}, 1},
                                                         {certified("viewer/bob"), 2},
                                                         {certified("user/bob"), 3},
                                                         {certified("operator/bob"), 4},
                                                         {certified("admin/bob"), 5}};
  const std::vector<Privilege> privileges = {Privilege::open, Privilege::view, Privilege::use,
                                             Privilege::operate, Privilege::administer};
  for (const auto& [who, count] : ladder) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(policy.authorize(who, privileges[static_cast<size_t>(i)], "x").has_value(),
                i < count)
          << who.text() << " " << i;
    }
  }
}

TEST(Policy, OnlyDaemonsActOnThemselves) {
  const Policy policy;
  EXPECT_TRUE(policy.authorize(certified("compute/n1"), Privilege::self, "renew"));
  EXPECT_EQ(policy.authorize(certified("admin/bob"), Privilege::self, "renew").error().code,
            Code::denied);
  EXPECT_EQ(policy.authorize(Principal{}, Privilege::self, "renew").error().code,
            Code::unauthenticated);
}

TEST(Policy, ARefusalSaysWhoWhatAndWhichRole) {
  const Error refused = Policy()
                            .authorize(user(1000, "alice", tree::Role::utility, "login1"),
                                       Privilege::administer, "POST /api/v1/tokens")
                            .error();
  EXPECT_EQ(refused.code, Code::denied);
  EXPECT_EQ(refused.message,
            "user:alice@utility/login1 may not POST /api/v1/tokens: it needs role admin, the role "
            "here is viewer");
  EXPECT_FALSE(refused.next.empty());
  EXPECT_EQ(Policy().authorize(Principal{}, Privilege::view, "GET /api/v1/nodes").error().code,
            Code::unauthenticated);
}

TEST(Policy, GrantsRaiseAndLowerAndTheFirstDecides) {
  const Policy policy({{"user:alice@utility/login1", Access::operator_},
                       {"user:alice", Access::admin},
                       {"user:*@utility/*", Access::none},
                       {"person:bob", Access::viewer}});
  EXPECT_EQ(policy.access_of(user(1, "alice", tree::Role::utility, "login1")), Access::operator_);
  EXPECT_EQ(policy.access_of(user(1, "alice", tree::Role::utility, "login2")), Access::admin);
  EXPECT_EQ(policy.access_of(user(1, "alice", tree::Role::master, "m1")), Access::admin);
  EXPECT_EQ(policy.access_of(user(0, "root", tree::Role::utility, "login1")), Access::none);
  EXPECT_EQ(policy.access_of(certified("admin/bob")), Access::viewer);
  EXPECT_EQ(policy.access_of(certified("admin/bobby")), Access::admin);
}

TEST(Policy, AGrantReachesComputesOnlyWhenItSaysSo) {
  const Principal alice = user(1, "alice", tree::Role::compute, "n1");
  EXPECT_EQ(Policy({{"user:alice", Access::admin}}).access_of(alice), Access::viewer);
  EXPECT_EQ(Policy({{"user:*", Access::admin}}).access_of(alice), Access::viewer);
  EXPECT_EQ(Policy({{"user:alice@compute/n*", Access::operator_}}).access_of(alice),
            Access::operator_);
}

TEST(Policy, TheOwnersOfAMasterCannotBeLockedOut) {
  const Policy policy({{"user:*", Access::none, "n1"}});
  EXPECT_EQ(policy.access_of(user(0, "root", tree::Role::master, "m1")), Access::admin);
  EXPECT_TRUE(policy.standing_of(user(0, "root", tree::Role::master, "m1")).limits.empty());
  EXPECT_EQ(policy.access_of(user(kDaemonUid, "drover", tree::Role::master, "m1")), Access::admin);
  EXPECT_EQ(policy.access_of(user(0, "root", tree::Role::aggregator, "a1")), Access::none);
}

TEST(Policy, LimitsOfCredentialAndGrantBothHold) {
  Principal ci;
  ci.kind = PrincipalKind::credential;
  ci.name = "ci";
  ci.role = "operator";
  ci.nodes = "n[1-8]";
  const Standing own = Policy().standing_of(ci);
  EXPECT_EQ(own.access, Access::operator_);
  EXPECT_EQ(own.limits, std::vector<std::string>{"n[1-8]"});
  EXPECT_EQ(own.source, "the credential");
  const Standing both =
      Policy({{"user:x", Access::admin}, {"credential:c*", Access::user, "n[4-9]"}})
          .standing_of(ci);
  EXPECT_EQ(both.access, Access::user);
  EXPECT_EQ(both.limits, (std::vector<std::string>{"n[1-8]", "n[4-9]"}));
  EXPECT_EQ(both.source, "grant 2: credential:c*");
  ci.role = "emperor";
  EXPECT_EQ(Policy().access_of(ci), Access::none);
}

TEST(Policy, GrantsAreChecked) {
  EXPECT_TRUE(check_grant({"oidc:corp/*", Access::viewer, "n[1-8]", "why not"}));
  EXPECT_TRUE(check_grant({"credential:ci", Access::none}));
  EXPECT_NE(check_grant({"user:a", Access::viewer, "n[1-"}).error().message.find("nodes, column"),
            std::string::npos);
  EXPECT_FALSE(check_grant({"user:a b", Access::viewer}));
  EXPECT_FALSE(check_grant({"user:a\n", Access::viewer}));
  EXPECT_FALSE(check_grant({"user:" + std::string(600, 'a'), Access::viewer}));
}

TEST(Policy, TheDocumentedRolesAreThese) {
  std::ostringstream document;
  document << std::ifstream(DROVER_SOURCE_DIR "/docs/security.md").rdbuf();
  for (size_t i = 0; i < enum_names(Access::none).size(); ++i) {
    const auto access = static_cast<Access>(i);
    const std::string row =
        "\n| " + std::string(name(access)) + " | " + std::string(meaning(access)) + " |\n";
    EXPECT_NE(document.str().find(row), std::string::npos) << "docs/security.md lacks" << row;
  }
}

TEST(Policy, NobodyIsNeverGranted) {
  EXPECT_EQ(Policy({{"*", Access::admin}, {"anonymous", Access::admin}}).access_of(Principal{}),
            Access::none);
  EXPECT_FALSE(check_grant({"*", Access::admin}));
  EXPECT_FALSE(check_grant({"user:", Access::admin}));
  EXPECT_FALSE(check_grant({"anonymous", Access::viewer}));
  EXPECT_TRUE(check_grant({"user:alice", Access::viewer}));
}

TEST(Policy, PatternsOfManyStarsEnd) {
  std::string pattern = "user:";
  for (int i = 0; i < 50; ++i) pattern += "*a";
  const Principal long_name = user(1, std::string(2000, 'a') + "b", tree::Role::utility, "l");
  EXPECT_EQ(Policy({{pattern, Access::admin}}).access_of(long_name), Access::viewer);
}

}  // namespace
}  // namespace drover::auth
