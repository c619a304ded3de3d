#include "api/test_master.hpp"
#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "base/yaml_read.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

json::value body_of(const Recorded& answer) {
  return parse_json(answer.body).value_or(json::value(nullptr));
}

class Apply : public ::testing::Test {
 protected:
  Recorded apply(const std::string& yaml, const std::string& query = "",
                 const std::string& base = "", const std::string& who = "alice") {
    const auto read = [](const std::string& text) {
      return parse_yaml("kind: drover-cluster\nversion: 1\n" + text, YamlScalars::text).value();
    };
    json::object body{{"document", read(yaml)}, {"why", "test"}};
    if (!base.empty()) body.emplace("base", read(base));
    return master.ask("POST", "/api/v1/apply" + query, json::serialize(body), {},
                      person("admin", who));
  }
  /// The cluster as YAML.
  std::string exported(const std::string& query = "") {
    const Recorded answer = master.get("/api/v1/export" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return to_yaml(body_of(answer));
  }
  uint64_t head() { return master.store->head(); }

  TestMaster master;
};

constexpr const char* kCluster = R"(
profiles:
  gpu: {description: with GPUs, attributes: {image: rocky-cuda}}
groups:
  rack1: {nodes: 'n[1-2]', attributes: {rack: 1}}
nodes:
  n[1-3]:
    profiles: [gpu]
    interfaces:
      - {name: ib0, addresses: ['10.1.0.${number}']}
      - {name: eth0, addresses: ['10.0.0.${number}/24'], network: mgmt}
    bmc: {address: '10.2.0.${number}', user: admin}
  n4: {nid: 4, aliases: [spare], mode: 0700}
)";

TEST_F(Apply, MakesTheClusterAndThenFindsNothingToDo) {
  const Recorded dry = apply(kCluster, "?dry_run=true");
  EXPECT_EQ(dry.status, 200) << dry.body;
  EXPECT_EQ(body_of(dry).at("created").as_int64(), 6);
  EXPECT_EQ(head(), 0U) << "a dry run writes nothing";
  const Recorded done = apply(kCluster);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(body_of(done).at("applied").as_bool());
  EXPECT_EQ(head(), 6U);
  EXPECT_EQ(master.model.nodes().size(), 4U);
  const Recorded again = apply(kCluster);
  EXPECT_EQ(again.status, 200);
  EXPECT_FALSE(body_of(again).at("applied").as_bool());
  EXPECT_EQ(head(), 6U);
}

TEST_F(Apply, ExportsWhatAnEmptyClusterTakesAsItIs) {
  ASSERT_EQ(apply(kCluster).status, 200);
  const std::string first = exported();
  EXPECT_NE(first.find("  n[1-3]:\n"), std::string::npos) << first;
  TestMaster other;
  const auto document = parse_yaml(first, YamlScalars::text).value();
  const json::object body{{"document", document}};
  ASSERT_EQ(other.ask("POST", "/api/v1/apply", json::serialize(body)).status, 200);
  EXPECT_EQ(to_yaml(body_of(other.get("/api/v1/export"))), first);
  EXPECT_EQ(exported("?sections=groups"),
            "kind: drover-cluster\nversion: 1\ngroups:\n  rack1:\n    nodes: n[1-2]\n"
            "    attributes:\n      rack: \"1\"\n");
  EXPECT_EQ(master.get("/api/v1/export?sections=groups&name=nosuch").status, 404);
  EXPECT_EQ(master.get("/api/v1/export?sections=group").status, 400);
}

TEST_F(Apply, SaysWhoChangedAFieldThatBothChanged) {
  ASSERT_EQ(apply("nodes: {n1: {description: a, owner: bob}}").status, 200);
  ASSERT_EQ(apply("nodes: {n1: {description: by hand}}", "?name=other", "", "carol").status, 200);
  const uint64_t before = head();
  const Recorded refused = apply("nodes: {n1: {description: b, owner: eve}}");
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(refused.body.find("person:carol"), std::string::npos) << refused.body;
  EXPECT_EQ(head(), before) << "nothing of a refused document is written";
  const Recorded kept = apply("nodes: {n1: {description: a, owner: eve}}", "?dry_run=true");
  ASSERT_EQ(body_of(kept).at("kept").as_array().size(), 1U) << kept.body;
  const Recorded forced = apply("nodes: {n1: {description: b, owner: eve}}", "?force=true");
  EXPECT_EQ(forced.status, 200) << forced.body;
  EXPECT_EQ(master.model.find("n1")->node().spec.description, "b");
  EXPECT_EQ(master.model.find("n1")->node().spec.owner, "eve");
}

TEST_F(Apply, PrunesWhatItAppliedBefore) {
  ASSERT_EQ(apply("nodes: {'n[1-3]': {}}\ngroups: {g: {nodes: 'n[1-3]'}}").status, 200);
  master.add_node("other");
  const char* const next = "nodes: {n1: {}}\ngroups: {g: {nodes: n1}}";
  const Recorded kept = apply(next);
  ASSERT_EQ(kept.status, 200) << kept.body;
  EXPECT_EQ(body_of(kept).at("orphans").as_array().at(0).at("names").as_string(), "n[2-3]");
  EXPECT_EQ(master.model.nodes().size(), 4U);
  const Recorded pruned = apply(next, "?prune=true");
  ASSERT_EQ(pruned.status, 200) << pruned.body;
  EXPECT_EQ(body_of(pruned).at("removed").as_int64(), 2);
  EXPECT_EQ(master.model.nodes().size(), 2U) << "other was never in a document";
}

TEST_F(Apply, ListsEveryProblemAndWritesNothing) {
  const Recorded refused = apply(R"(
nodes:
  n1: {nid: 7, interfaces: [{name: eth0, addresses: [10.0.0.1]}], profiles: [nosuch]}
  n2: {nid: 7, interfaces: [{name: eth0, addresses: [10.0.0.1/24]}], mode: 9999}
  n3: {nid: 7, bmc: {address: 10.0.0.1}}
groups:
  g: {nodes: 'n[1-4]', colour: red}
)");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("/groups/g/colour"), std::string::npos) << refused.body;
  const Recorded whole = apply(R"(
nodes:
  n1: {nid: 7, interfaces: [{name: eth0, addresses: [10.0.0.1]}], profiles: [nosuch]}
  n3: {nid: 7, bmc: {address: 10.0.0.1}}
groups:
  g: {nodes: 'n[1-4]'}
)");
  EXPECT_EQ(whole.status, 400);
  EXPECT_EQ(body_of(whole).at("detail").as_string(),
            "the document breaks 4 rules\n"
            "/groups/g/nodes: there is no node n[2,4]\n"
            "/nodes/n1/profiles: there is no profile \"nosuch\"\n"
            "/nodes/n3/bmc/address: the address 10.0.0.1 of n3 is taken by n1\n"
            "/nodes/n3/nid: the NID 7 of n3 is taken by n1");
  EXPECT_EQ(head(), 0U);
  EXPECT_TRUE(master.model.nodes().empty());
}

TEST_F(Apply, NetworksAreMadeKeptApartAndComeBackAsTheyAre) {
  const char* const some = R"(
networks:
  boot: {prefix: 10.77.0.9/24, pool: 10.77.0.200-10.77.0.250, gateway: 10.77.0.1, mtu: 9000}
  bmc: {prefix: 10.78.0.0/24, mode: off}
)";
  ASSERT_EQ(apply(some).status, 200);
  EXPECT_EQ(master.model.networks().at("boot").value.mtu, 9000);
  EXPECT_EQ(master.model.networks().at("bmc").value.mode, cluster::NetworkMode::off);
  EXPECT_FALSE(body_of(apply(some)).at("applied").as_bool()) << "10.77.0.9/24 is what is in force";
  EXPECT_NE(exported().find("networks:\n  bmc:\n    prefix: 10.78.0.0/24\n    mode: \"off\"\n"),
            std::string::npos)
      << exported();

  const Recorded over = apply("networks: {all: {prefix: 10.0.0.0/8}, bad: {prefix: 10.9.0.0}}");
  EXPECT_EQ(over.status, 400);
  EXPECT_NE(over.body.find("/networks/bad/prefix: '10.9.0.0' is not valid"), std::string::npos)
      << over.body;
  const Recorded shared = apply("networks: {all: {prefix: 10.0.0.0/8}}");
  EXPECT_EQ(shared.status, 400);
  EXPECT_NE(
      shared.body.find("/networks/all/prefix: '10.0.0.0/8' is not valid: it shares addresses"),
      std::string::npos)
      << shared.body;
}

TEST_F(Apply, SettingsAreCheckedAndComeBackAsTheyAre) {
  const char* const some = "settings: {tree.heartbeat: 2000ms, tree.silence: 6s, api.burst: 50}";
  const Recorded dry = apply(some, "?dry_run=true");
  ASSERT_EQ(dry.status, 200) << dry.body;
  EXPECT_EQ(body_of(dry).at("created").as_int64(), 3);
  EXPECT_EQ(head(), 0U);
  ASSERT_EQ(apply(some).status, 200);
  EXPECT_EQ(master.model.settings().text("tree.heartbeat"), "2s");
  EXPECT_EQ(master.model.settings().integer("api.burst"), 50);
  EXPECT_FALSE(body_of(apply(some)).at("applied").as_bool()) << "2000ms is the 2s in force";

  const std::string first = exported();
  EXPECT_NE(first.find("settings:\n  api.burst: \"50\"\n  tree.heartbeat: 2s\n"), std::string::npos)
      << first;
  TestMaster other;
  const json::object body{{"document", parse_yaml(first, YamlScalars::text).value()}};
  ASSERT_EQ(other.ask("POST", "/api/v1/apply", json::serialize(body)).status, 200);
  EXPECT_EQ(to_yaml(body_of(other.get("/api/v1/export"))), first);

  ASSERT_EQ(apply("settings: {tree.heartbeat: null, tree.silence: 6s, api.burst: 50}").status, 200);
  EXPECT_FALSE(master.model.settings().is_set("tree.heartbeat"));
  ASSERT_EQ(apply("settings: {tree.silence: 6s}", "?prune=true").status, 200);
  EXPECT_FALSE(master.model.settings().is_set("api.burst"));
}

TEST_F(Apply, RefusesBadSettingsAndWritesNothing) {
  const Recorded each = apply(R"(
settings: {tree.hodl: 1s, tree.grace: soon, api.rate: -1, log.level: [a], join.sevice: null}
nodes: {n1: {}}
)");
  EXPECT_EQ(each.status, 400);
  const std::string detail(body_of(each).at("detail").as_string());
  for (const char* const line :
       {"/settings/tree.hodl: there is no setting \"tree.hodl\"; did you mean tree.hold?",
        "/settings/tree.grace: expected a duration", "/settings/api.rate: must lie in 0 to",
        "/settings/log.level: expected a text", "/settings/join.sevice: there is no setting"}) {
    EXPECT_NE(detail.find(line), std::string::npos) << line << "\n" << detail;
  }
  const Recorded together =
      apply("settings: {tree.silence: 1s, confirm.above: 5}\nnodes: {n1: {}}");
  EXPECT_EQ(together.status, 400);
  EXPECT_NE(together.body.find("/settings/tree.silence: tree.silence (1s) must be at least twice"),
            std::string::npos)
      << together.body;
  EXPECT_EQ(head(), 0U);
  EXPECT_TRUE(master.model.nodes().empty());
}

TEST_F(Apply, LetsTwoNodesSwapTheirAddresses) {
  ASSERT_EQ(apply("nodes: {n1: {nid: 1, aliases: [a]}, n2: {nid: 2, aliases: [b]}}").status, 200);
  const Recorded swapped = apply("nodes: {n1: {nid: 2, aliases: [b]}, n2: {nid: 1, aliases: [a]}}");
  EXPECT_EQ(swapped.status, 200) << swapped.body;
  EXPECT_EQ(master.model.find("n1")->node().spec.nid, 2U);
  EXPECT_EQ(apply("nodes: {n3: {nid: 2}}").status, 400) << "taken by a node that is not named";
}

TEST_F(Apply, TakesABaseInPlaceOfTheRememberedOne) {
  ASSERT_EQ(apply("nodes: {n1: {description: a, owner: bob}}").status, 200);
  const Recorded edited =
      apply("nodes: {n1: {owner: eve}}", "", "nodes: {n1: {description: a, owner: bob}}");
  ASSERT_EQ(edited.status, 200) << edited.body;
  EXPECT_EQ(master.model.find("n1")->node().spec.description, "");
  EXPECT_EQ(apply("nodes: {n1: {owner: x}}", "", "nodes: {n1: {owner: bob}}").status, 409)
      << "it was changed since it was read";
}

TEST_F(Apply, IsForAdministrators) {
  const auto body = R"({"document":{"kind":"drover-cluster","version":1}})";
  EXPECT_EQ(master.ask("POST", "/api/v1/apply", body, {}, person("operator")).status, 403);
  EXPECT_EQ(master.ask("POST", "/api/v1/apply", "{").status, 400);
  EXPECT_EQ(master.ask("POST", "/api/v1/apply", "{}").status, 400);
  EXPECT_EQ(master.ask("POST", "/api/v1/apply?dry_run=perhaps", body).status, 400);
  EXPECT_EQ(master.ask("POST", "/api/v1/apply", body).status, 200);
  EXPECT_EQ(apply("nodes: {}", "?name=../x").status, 400);
}

}  // namespace
}  // namespace drover::api
