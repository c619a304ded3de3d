// Who may change which nodes: limits of grants and credentials, and the role user.
#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

std::string detail(const Recorded& answer) {
  const auto value = parse_json(answer.body);
  if (!value || !value->is_object() || !value->get_object().contains("detail")) return answer.body;
  return std::string(value->at("detail").as_string());
}

class NodeAccess : public ::testing::Test {
 protected:
  NodeAccess() {
    for (int i = 1; i <= 9; ++i) master.add_node(fmt::format("n{}", i));
  }
  void grant(auth::Access role, const std::string& nodes) {
    master.policy = std::make_shared<const auth::Policy>(
        std::vector<auth::Grant>{{"person:bob", role, nodes, ""}});
  }
  Recorded lock(const std::string& node) {
    return master.ask("PATCH", "/api/v1/nodes/" + node, R"({"locked":true})", {}, bob);
  }
  Recorded ping(const std::string& nodes, const std::string& method = "ping") {
    const auto sent = master.send({"POST",
                                   "/api/v1/calls",
                                   {},
                                   fmt::format(R"({{"method":"{}","nodes":"{}"}})", method, nodes),
                                   {}},
                                  bob);
    // Only a call that was refused is answered without its nodes.
    return {sent->status, sent->headers, sent->body, sent->complete, 0, {}, {}};
  }
  TestMaster master;
  auth::Principal bob = person("viewer", "bob");
};

TEST_F(NodeAccess, AGrantWithALimitReachesItsNodesAlone) {
  grant(auth::Access::operator_, "n[1-4]");
  EXPECT_EQ(lock("n4").status, 200);
  const Recorded refused = lock("n5");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(detail(refused), "person:bob is limited to n[1-4] and may not change n5");
  const Recorded call = ping("n[3-9]");
  EXPECT_EQ(call.status, 403);
  EXPECT_NE(detail(call).find("n[5-9]"), std::string::npos) << detail(call);
  EXPECT_TRUE(master.calls.started.empty()) << "nothing of a refused call is sent";
  ping("n[1-4]");
  ASSERT_EQ(master.calls.started.size(), 1U);
  EXPECT_EQ(master.calls.started[0].targets.size(), 4U);
}

TEST_F(NodeAccess, ALimitIsEvaluatedLive) {
  grant(auth::Access::operator_, "locked=true");
  EXPECT_EQ(lock("n1").status, 403);
  ASSERT_EQ(master.ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})").status, 200);
  EXPECT_EQ(lock("n1").status, 200);
}

TEST_F(NodeAccess, ALimitThatCannotBeEvaluatedAllowsNothing) {
  grant(auth::Access::operator_, "@nosuchgroup");
  const Recorded refused = lock("n1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(detail(refused).find("@nosuchgroup"), std::string::npos) << detail(refused);
}

TEST_F(NodeAccess, WithALimitTheClusterItselfIsOutOfReach) {
  grant(auth::Access::admin, "n[1-4]");
  const Recorded refused = master.ask("POST", "/api/v1/tokens", R"({"role":"compute"})", {}, bob);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(detail(refused).find("limited to n[1-4]"), std::string::npos) << detail(refused);
  EXPECT_EQ(master.ask("GET", "/api/v1/tokens", "", {}, bob).status, 200) << "reads have no limit";
  EXPECT_EQ(lock("n1").status, 200);
}

TEST_F(NodeAccess, TheRoleUserNeedsTheNodesPermission) {
  grant(auth::Access::user, "");
  const Recorded refused = lock("n1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(detail(refused),
            "person:bob may not change n1: their owner, group and mode do not allow it");
  // 0755: others may run things there.
  ping("n[1-2]");
  EXPECT_EQ(master.calls.started.size(), 1U);
  EXPECT_EQ(ping("n1", "power.reboot").status, 403) << "to run there is not to end it";
  EXPECT_EQ(master.calls.started.size(), 1U);
  EXPECT_EQ(master.ask("POST", "/api/v1/tokens", R"({"role":"compute"})", {}, bob).status, 403);
  grant(auth::Access::viewer, "");
  EXPECT_EQ(ping("n1").status, 403);
}

TEST_F(NodeAccess, RefusalsAreAudited) {
  grant(auth::Access::operator_, "n[1-4]");
  lock("n5");
  ASSERT_FALSE(master.audited.empty());
  const auth::AuditRecord& record = master.audited.back();
  EXPECT_EQ(record.outcome, "refused");
  EXPECT_EQ(record.principal, "person:bob");
  EXPECT_NE(record.why.find("n5"), std::string::npos);
}

}  // namespace
}  // namespace drover::api
