// Nodes, groups, profiles, attributes and states from request to answer, on a real store.
#include "api/test_master.hpp"
#include "auth/enrolment_records.hpp"
#include "base/json_values.hpp"
#include "cluster/inventory.hpp"
#include "cluster/liveness.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

json::value parsed(const Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}
std::string text(const Recorded& answer, std::string_view pointer) {
  const json::value body = parsed(answer);
  boost::system::error_code missing;
  const auto* found = body.find_pointer(pointer, missing);
  if (found == nullptr) return "<none>";
  return found->is_string() ? std::string(found->get_string()) : to_text(*found);
}
std::string detail(const Recorded& answer) {
  return text(answer, "/detail");
}

TEST(NodeChanges, TwoWhoAddToAListBothFindTheirsInIt) {
  TestMaster master;
  ASSERT_EQ(master
                .ask("POST", "/api/v1/nodes?nodes=n[1-2]",
                     R"({"edits":[{"field":"mac","interface":"eth0",
                          "values":["02:00:00:00:00:0${number}"]}]})")
                .status,
            200);
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(
        master.ask("POST", "/api/v1/profiles", fmt::format(R"({{"name":"{}"}})", name)).status,
        201);
  }
  const std::string add = R"({{"edits":[{{"field":"profiles","how":"add","values":["{}"]}}]}})";
  ASSERT_EQ(
      master.ask("PATCH", "/api/v1/nodes?nodes=n[1-2]", fmt::format(fmt::runtime(add), "a")).status,
      200);
  ASSERT_EQ(master.ask("PATCH", "/api/v1/nodes/n1", fmt::format(fmt::runtime(add), "b")).status,
            200);
  const auto shown = master.ask("GET", "/api/v1/nodes/n1");
  EXPECT_EQ(text(shown, "/spec/profiles"), R"(["a","b"])");
  EXPECT_EQ(text(shown, "/spec/interfaces/0/name"), "eth0");
  EXPECT_EQ(detail(master.ask("PATCH", "/api/v1/nodes/n1", R"({"edits":[{"field":"mac"}]})")),
            "edits[0]: mac needs a name in \"interface\"");
  EXPECT_EQ(
      master
          .ask("PATCH", "/api/v1/nodes/n1", fmt::format(fmt::runtime(add), "b"), {}, person("user"))
          .status,
      403);
}

TEST(NodeChanges, ANodeIsDefinedChangedRenamedAndRemoved) {
  TestMaster master;
  const auto made = master.ask(
      "POST", "/api/v1/nodes",
      R"({"name":"n1","spec":{"nid":1,"interfaces":[{"name":"eth0","mac":"02-00-00-00-00-0A"}]}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Location"), "/api/v1/nodes/n1");
  EXPECT_EQ(text(made, "/spec/interfaces/0/mac"), "02:00:00:00:00:0a");
  EXPECT_EQ(text(made, "/service/state"), "discovered");
  const std::string id = text(made, "/id");
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(master.ask("POST", "/api/v1/nodes", R"({"name":"n1"})").status, 409);
  EXPECT_EQ(master.ask("POST", "/api/v1/nodes", R"({})").status, 400);
  EXPECT_EQ(detail(master.ask("POST", "/api/v1/nodes", R"({"name":"n2","spec":{"nid":1}})")),
            "spec.nid: '1' is taken: node 'n1' has it");

  const auto changed = master.ask("PATCH", "/api/v1/nodes/n1",
                                  R"({"locked":true,"spec":{"attributes":{"rack":"7"}}})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(text(changed, "/spec/attributes/rack"), "7");
  EXPECT_EQ(text(changed, "/spec/nid"), "1");
  EXPECT_EQ(master.ask("PATCH", "/api/v1/nodes/n1", "{}", {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/nodes/n1", R"({"spec":{"mode":"9"}})").status, 400);

  const auto renamed = master.ask("POST", "/api/v1/nodes/n1/rename", R"({"to":"n9"})");
  ASSERT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(renamed.headers.get("Location"), "/api/v1/nodes/n9");
  EXPECT_EQ(text(renamed, "/id"), id);
  EXPECT_EQ(master.get("/api/v1/nodes/n1").status, 404);
  EXPECT_EQ(master.ask("POST", "/api/v1/nodes/n1/rename", R"({"to":"n2"})").status, 404);

  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes/n9?dry_run=true").status, 204);
  EXPECT_EQ(master.get("/api/v1/nodes/n9").status, 200) << "a rehearsal changes nothing";
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes/n9").status, 204);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes/n9").status, 404);
}

TEST(NodeChanges, ManyInOneMutationHaveAnOutcomeEach) {
  TestMaster master;
  const uint64_t before = master.store->stats().mutations;
  const auto made = master.ask("POST", "/api/v1/nodes?nodes=n[1-200]",
                               R"({"spec":{"attributes":{"rack":"${(number-1)/50+1}"},
      "interfaces":[{"name":"eth0","addresses":["10.0.${rack}.${number}/16"]}]}})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(text(made, "/results/0/nodes"), "n[1-200]");
  EXPECT_EQ(text(made, "/results/0/status"), "201");
  EXPECT_EQ(master.store->stats().mutations, before + 1);
  EXPECT_EQ(text(master.get("/api/v1/nodes?nodes=ip%3D10.0.2.60"), "/items/0/name"), "n60");

  const auto again = master.ask("POST", "/api/v1/nodes?nodes=n[199-202]", "{}");
  EXPECT_EQ(again.status, 207);
  EXPECT_EQ(text(again, "/done"), "2");
  EXPECT_EQ(text(again, "/failed"), "2");
  EXPECT_EQ(text(again, "/results/0/nodes"), "n[199-200]");
  EXPECT_EQ(text(again, "/results/0/problem/status"), "409");

  const auto rehearsed =
      master.ask("PATCH", "/api/v1/nodes?nodes=n[1-4]&dry_run=true", R"({"spec":{"nid":5}})");
  EXPECT_EQ(rehearsed.status, 207);
  EXPECT_EQ(text(rehearsed, "/dry_run"), "true");
  EXPECT_EQ(text(rehearsed, "/results/0/nodes"), "n[2-4]") << rehearsed.body;
  EXPECT_EQ(text(master.get("/api/v1/nodes/n1"), "/spec/nid"), "0");

  EXPECT_EQ(master.ask("PATCH", "/api/v1/nodes?nodes=n[1-202]", R"({"flag":"alert"})").status, 200);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/nodes", R"({"flag":"alert"})").status, 400);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/nodes?nodes=n[202-203]", "{}").status, 404);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes").status, 400);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes?nodes=rack%3D1&why=scrapped").status, 200);
  EXPECT_EQ(master.model.nodes().size(), 152U);
}

TEST(NodeChanges, OfRequestsAtOnceOneGetsTheNumber) {
  TestMaster master;
  std::vector<std::shared_ptr<Recorded>> answers;
  for (int i = 1; i <= 8; ++i) {
    const auto body = fmt::format(R"({{"name":"n{}","spec":{{"nid":7}}}})", i);
    answers.push_back(master.send({"POST", "/api/v1/nodes", {}, body, {}}, person("admin")));
  }
  EXPECT_TRUE(master.world.run_until(
      [&] { return std::ranges::all_of(answers, [](const auto& a) { return a->complete; }); },
      std::chrono::minutes(1)));
  const auto with = [&](int status) {
    return std::ranges::count_if(answers, [&](const auto& a) { return a->status == status; });
  };
  EXPECT_EQ(with(201), 1);
  EXPECT_EQ(with(409), 7);
  EXPECT_EQ(master.model.nodes().size(), 1U);
}

TEST(NodeChanges, WhoMayNotIsRefused) {
  TestMaster master;
  master.add_node("n1");
  for (const char* role : {"viewer", "user"}) {
    EXPECT_EQ(master.ask("POST", "/api/v1/nodes", R"({"name":"n2"})", {}, person(role)).status,
              403);
    EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes/n1", "", {}, person(role)).status, 403);
    EXPECT_EQ(
        master.ask("POST", "/api/v1/nodes/n1/rename", R"({"to":"x"})", {}, person(role)).status,
        403);
    EXPECT_EQ(
        master.ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})", {}, person(role)).status,
        403);
    EXPECT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"g"})", {}, person(role)).status,
              403);
    EXPECT_EQ(master.ask("POST", "/api/v1/profiles", R"({"name":"p"})", {}, person(role)).status,
              403);
    EXPECT_EQ(master
                  .ask("POST", "/api/v1/networks", R"({"name":"p","prefix":"10.0.0.0/8"})", {},
                       person(role))
                  .status,
              403);
  }
  // The owner may change the node's states, and not what it is.
  ASSERT_EQ(
      master
          .ask("PATCH", "/api/v1/nodes/n1", R"({"spec":{"owner":"alice"}})", {}, person("operator"))
          .status,
      200);
  EXPECT_EQ(
      master.ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})", {}, person("user")).status,
      200);
  EXPECT_EQ(
      master.ask("PATCH", "/api/v1/nodes/n1", R"({"spec":{"nid":3}})", {}, person("user")).status,
      403);
  EXPECT_EQ(
      master
          .ask("PATCH", "/api/v1/nodes?nodes=n1", R"({"locked":false})", {}, person("user", "eve"))
          .status,
      403);
}

TEST(NodeChanges, AnEnrolledNodeIsCutOffOnPurposeAlone) {
  TestMaster master;
  master.add_node("n1");
  auth::Credential credential;
  credential.role = "compute";
  credential.name = "n1";
  credential.key_sha256 = std::string(64, 'a');
  ASSERT_TRUE(master.write([&](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(
        tx.put(auth::kCredentialKind, auth::credential_key("compute", "n1"), encode(credential)));
    return {};
  }));
  const auto refused = master.ask("POST", "/api/v1/nodes/n1/rename", R"({"to":"n2"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(detail(refused).find("must join again"), std::string::npos) << detail(refused);
  EXPECT_EQ(master.ask("POST", "/api/v1/nodes/n1/rename?force=true", R"({"to":"n2"})").status, 200);
  EXPECT_TRUE(master.enrolment->is_revoked("compute", "n1"));

  cluster::Verdict verdict;
  verdict.node = "n2";
  verdict.phase = cluster::PhaseState::up;
  verdict.confirmed = true;
  ASSERT_TRUE(master.write([](store::Transaction& tx) -> Status {
    DROVER_TRY(cluster::Node node, cluster::read_node(tx, "n2"));
    node.phase.state = cluster::PhaseState::up;
    DROVER_CHECK_OK(cluster::write_node(tx, node));
    return {};
  }));
  master.model.take(verdict, master.world.wall());
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes/n2").status, 409);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes?nodes=n2").status, 207);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/nodes?nodes=n2&force=true").status, 200);
  EXPECT_EQ(master.get("/api/v1/nodes/n2").status, 404);
}

TEST(Groups, AreMadeShownChangedAndRemoved) {
  TestMaster master;
  for (int i = 1; i <= 4; ++i) master.add_node(fmt::format("n{}", i));
  const auto made = master.ask("POST", "/api/v1/groups",
                               R"({"name":"g","nodes":"n[1-2]","attributes":{"rack":"1"}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Location"), "/api/v1/groups/g");
  EXPECT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"g"})").status, 409);
  EXPECT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"h","nodes":"n[1-9]"})").status, 404);
  EXPECT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"compute"})").status, 400);

  const auto shown = master.get("/api/v1/groups/g");
  EXPECT_EQ(text(shown, "/members"), "n[1-2]");
  EXPECT_EQ(text(shown, "/count"), "2");
  EXPECT_EQ(shown.headers.get("ETag"), made.headers.get("ETag"));
  EXPECT_EQ(master.get("/api/v1/groups/none").status, 404);

  const auto members = master.ask("POST", "/api/v1/groups/g/members",
                                  R"({"add":"n[3-4]","remove":"@g","why":"moved"})");
  EXPECT_EQ(text(members, "/nodes"), "n[3-4]") << members.body;
  EXPECT_EQ(master.ask("POST", "/api/v1/groups/none/members", R"({"add":"n1"})").status, 404);
  EXPECT_EQ(master.ask("POST", "/api/v1/groups/g/members", R"({"add":"n7"})").status, 404);

  const auto patched = master.ask("PATCH", "/api/v1/groups/g",
                                  R"({"priority":5,"attributes":{"rack":null,"row":"a"}})");
  EXPECT_EQ(text(patched, "/attributes"), R"({"row":"a"})") << patched.body;
  EXPECT_EQ(text(patched, "/priority"), "5");
  EXPECT_EQ(text(patched, "/nodes"), "n[3-4]");
  EXPECT_EQ(master.ask("PATCH", "/api/v1/groups/g", R"({"name":"h"})").status, 400);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/groups/g", R"({"colour":"red"})").status, 400);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/groups/none", "{}").status, 404);

  EXPECT_EQ(
      master.ask("PUT", "/api/v1/groups/late", R"({"range":"@g & service=discovered"})").status,
      428);
  const auto put = master.ask("PUT", "/api/v1/groups/late",
                              R"({"range":"@g & service=discovered"})", {{"If-None-Match", "*"}});
  EXPECT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(text(master.get("/api/v1/groups/late"), "/members"), "n[3-4]");
  EXPECT_EQ(text(master.get("/api/v1/nodes?nodes=@late"), "/items/1/name"), "n4");
  const std::string tag(*put.headers.get("ETag"));
  EXPECT_EQ(
      master.ask("PUT", "/api/v1/groups/late", R"({"range":"n1"})", {{"If-Match", tag}}).status,
      200);
  EXPECT_EQ(master.ask("PUT", "/api/v1/groups/late", R"({"name":"x"})", {{"If-Match", tag}}).status,
            400);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/groups/late", "", {{"If-Match", tag}}).status, 412);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/groups/late").status, 204);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/groups/late").status, 404);
  EXPECT_EQ(parsed(master.get("/api/v1/groups")).at("items").as_array().size(), 1U);
}

TEST(Networks, AreKeptApartAndChangedByPatch) {
  TestMaster master;
  const auto made = master.ask(
      "POST", "/api/v1/networks",
      R"({"name":"boot","prefix":"10.77.0.9/24","pool":"10.77.0.200-10.77.0.250","domain":"c.test"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Location"), "/api/v1/networks/boot");
  EXPECT_EQ(text(made, "/prefix"), "10.77.0.0/24");
  ASSERT_TRUE(master.model.networks().contains("boot"));
  EXPECT_EQ(
      master.ask("POST", "/api/v1/networks", R"({"name":"boot","prefix":"10.78.0.0/24"})").status,
      409);
  const auto over =
      master.ask("POST", "/api/v1/networks", R"({"name":"all","prefix":"10.0.0.0/8"})");
  EXPECT_EQ(over.status, 400);
  EXPECT_NE(over.body.find("10.77.0.0/24 of network 'boot'"), std::string::npos) << over.body;
  EXPECT_EQ(master
                .ask("POST", "/api/v1/networks", R"({"name":"x","prefix":"10.78.0.0/24"})", {},
                     person("user"))
                .status,
            403);
  const auto moved =
      master.ask("PATCH", "/api/v1/networks/boot", R"({"mode":"proxy","pool":null,"mtu":9000})");
  ASSERT_EQ(moved.status, 200) << moved.body;
  EXPECT_EQ(master.model.networks().at("boot").value.mode, cluster::NetworkMode::proxy);
  EXPECT_EQ(master.model.networks().at("boot").value.pool, "");
  EXPECT_EQ(master.ask("PATCH", "/api/v1/networks/boot", R"({"mode":"maybe"})").status, 400);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/networks/boot", R"({"gateway":"10.9.9.9"})").status, 400);
  EXPECT_EQ(master
                .ask("PUT", "/api/v1/networks/two", R"({"prefix":"10.79.0.0/24"})",
                     {{"If-None-Match", "*"}})
                .status,
            201);
  EXPECT_EQ(parsed(master.get("/api/v1/networks")).at("items").as_array().size(), 2U);
  EXPECT_EQ(master.get("/api/v1/networks/none").status, 404);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/networks/boot").status, 204);
  EXPECT_FALSE(master.model.networks().contains("boot"));
}

TEST(Profiles, GiveAttributesWithBlame) {
  TestMaster master;
  ASSERT_EQ(master
                .ask("POST", "/api/v1/profiles",
                     R"({"name":"default","attributes":{"rack":"${(number-1)/32+1}","room":"a"}})")
                .status,
            201);
  ASSERT_EQ(master
                .ask("POST", "/api/v1/profiles",
                     R"({"name":"gpu","attributes":{"room":"b","kernel_args":"rack=${rack}"}})")
                .status,
            201);
  EXPECT_EQ(master.ask("POST", "/api/v1/profiles", R"({"name":"gpu"})").status, 409);
  EXPECT_EQ(master.ask("POST", "/api/v1/profiles", R"({"name":"a","inherits":["b"]})").status, 400);
  ASSERT_EQ(
      master.ask("POST", "/api/v1/nodes", R"({"name":"n40","spec":{"profiles":["gpu"]}})").status,
      201);
  const auto answer = master.get("/api/v1/nodes/n40/attributes");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(text(answer, "/items/0/name"), "kernel_args");
  EXPECT_EQ(text(answer, "/items/0/value"), "rack=2");
  EXPECT_EQ(text(answer, "/items/0/set_by/raw"), "rack=${rack}");
  EXPECT_EQ(text(answer, "/items/2/value"), "b");
  EXPECT_EQ(text(answer, "/items/2/set_by/name"), "gpu");
  EXPECT_EQ(text(answer, "/items/2/overrides/0/name"), "default");
  EXPECT_EQ(master.get("/api/v1/nodes/n41/attributes").status, 404);

  const auto many = master.get("/api/v1/attributes?nodes=rack%3D2&name=room");
  EXPECT_EQ(text(many, "/items/0/node"), "n40") << many.body;
  EXPECT_EQ(text(many, "/items/0/value"), "b");
  EXPECT_EQ(master.get("/api/v1/attributes?name=colour").status, 400);

  EXPECT_EQ(text(master.ask("PATCH", "/api/v1/profiles/gpu", R"({"attributes":{"room":null}})"),
                 "/attributes"),
            R"({"kernel_args":"rack=${rack}"})");
  EXPECT_EQ(text(master.get("/api/v1/attributes?name=room"), "/items/0/value"), "a");
  EXPECT_EQ(master.get("/api/v1/profiles/gpu").status, 200);
  EXPECT_EQ(master.get("/api/v1/profiles/none").status, 404);
  EXPECT_EQ(parsed(master.get("/api/v1/profiles")).at("items").as_array().size(), 2U);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/profiles/gpu").status, 409);
  EXPECT_EQ(master.ask("PUT", "/api/v1/profiles/new", "{}", {{"If-None-Match", "*"}}).status, 201);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/profiles/new").status, 204);
}

TEST(States, AreSaidInOtherWords) {
  TestMaster master;
  master.add_node("n1");
  EXPECT_EQ(text(master.get("/api/v1/states"), "/items/0/state"), "unknown");
  EXPECT_EQ(text(master.get("/api/v1/states?view=csm"), "/items/0/state"), "DISCOVERED");
  EXPECT_EQ(text(master.get("/api/v1/states?view=scyld&nodes=n1"), "/items/0/state"), "down");
  EXPECT_EQ(text(master.get("/api/v1/states?view=smd"), "/items/0/flag"), "OK");
  EXPECT_EQ(master.get("/api/v1/states?view=klingon").status, 400);
}

TEST(NodeChanges, TenThousandDefinedNodesAreMadeListedAndFilteredQuickly) {
  using Clock = std::chrono::steady_clock;
  const auto ms_since = [](Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  TestMaster master;
  ASSERT_EQ(master
                .ask("POST", "/api/v1/profiles",
                     R"({"name":"default","attributes":{"rack":"${(number-1)/64+1}"}})")
                .status,
            201);
  auto start = Clock::now();
  ASSERT_EQ(master
                .ask("POST", "/api/v1/nodes?nodes=n[1-10000]",
                     R"({"spec":{"aliases":[],"interfaces":[{"name":"eth0",
        "mac":"02:00:00:${number/65536:02x}:${number/256%256:02x}:${number%256:02x}",
        "addresses":["10.${number/65536}.${number/256%256}.${number%256}/8"]}]}})")
                .status,
            200);
  const double made = ms_since(start);
  start = Clock::now();
  ASSERT_EQ(
      master.ask("PATCH", "/api/v1/nodes?nodes=*", R"({"spec":{"attributes":{"row":"a"}}})").status,
      200);
  const double changed = ms_since(start);
  start = Clock::now();
  ASSERT_EQ(
      master.ask("PATCH", "/api/v1/profiles/default", R"({"attributes":{"room":"a"}})").status,
      200);
  const double rechecked = ms_since(start);
  const auto timed = [&](const std::string& target) {
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      start = Clock::now();
      EXPECT_EQ(master.get(target).status, 200);
      best = std::min(best, ms_since(start));
    }
    return best;
  };
  const double all = timed("/api/v1/nodes");
  const double by_attribute = timed("/api/v1/nodes?nodes=rack%3D77");
  const double by_field = timed("/api/v1/nodes?nodes=service%3Ddiscovered&limit=100");
  const double attributes = timed("/api/v1/attributes?name=rack");
  std::printf(
      "10,000 nodes: defined in %.0f ms, all changed in %.0f ms, a profile of all in %.0f ms, "
      "listed in %.1f ms, filtered by an attribute with a "
      "formula "
      "in %.1f ms, by a field in %.1f ms, all values of an attribute in %.1f ms\n",
      made, changed, rechecked, all, by_attribute, by_field, attributes);
  // Guards against the wrong order of growth, not against a busy machine.
  EXPECT_LT(made, 20'000);
  EXPECT_LT(all, 500);
  EXPECT_LT(by_attribute, 500);
}

}  // namespace
}  // namespace drover::api
