// Adding, changing, renaming and removing nodes, groups and profiles, and what they refuse.
#include "cluster/definition_writer.hpp"

#include "base/noderange.hpp"
#include "cluster/memory_store.hpp"
#include "cluster/model.hpp"
#include "cluster/node_mutations.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;
using Mode = DefinitionWriter::Mode;

class DefinitionTest : public ::testing::Test {
 protected:
  static NodeSpec spec(const std::string& text) {
    auto out = decode_text<NodeSpec>(text);
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out.value_or(NodeSpec());
  }
  static Group group(const std::string& text) {
    auto out = decode_text<Group>(text);
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out.value_or(Group());
  }
  static Profile profile(const std::string& text) {
    auto out = decode_text<Profile>(text);
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out.value_or(Profile());
  }

  /// Runs one mutation; "ok" or the error's text. (Nothing is undone: the store does that.)
  template <typename Change>
  std::string run(Change change, Mode mode = Mode::single) {
    DefinitionWriter writer(tx, mode);
    Status status = change(writer);
    if (status) status = writer.finish();
    return status ? "ok" : status.error().text();
  }
  std::string add(const std::string& name, const std::string& text = "{}") {
    return run([&](DefinitionWriter& w) -> Status {
      DROVER_CHECK_OK(w.add_node(name, NodeRole::compute, spec(text), "id-" + name));
      return {};
    });
  }
  std::string set(const std::string& name, const std::string& text) {
    return run([&](DefinitionWriter& w) -> Status {
      DROVER_CHECK_OK(w.put_spec(name, spec(text)));
      return {};
    });
  }
  std::string rename(const std::string& from, const std::string& to) {
    return run([&](DefinitionWriter& w) -> Status {
      DROVER_CHECK_OK(w.rename_node(from, to));
      return {};
    });
  }
  std::string remove(const std::string& name) {
    return run([&](DefinitionWriter& w) { return w.remove_node(name); });
  }
  std::string put_group(const std::string& text) {
    return run([&](DefinitionWriter& w) { return w.put_group(group(text)); });
  }
  std::string put_profile(const std::string& text) {
    return run([&](DefinitionWriter& w) { return w.put_profile(profile(text)); });
  }
  std::string members(const std::string& name) {
    DefinitionWriter writer(tx);
    const auto found = writer.group(name);
    return found ? found->nodes : found.error().text();
  }

  MemoryTransaction tx;
};

TEST_F(DefinitionTest, ANodeIsAddedOnce) {
  EXPECT_EQ(add("n1", R"({"nid":1})"), "ok");
  EXPECT_EQ(add("n1"), "there is a node 'n1' already");
  EXPECT_EQ(add("N1"),
            "'N1' cannot name a node: upper-case letters are not allowed, since host "
            "names ignore case");
  const auto node = read_node(tx, "n1");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->id, "id-n1");
  EXPECT_EQ(node->service.state, ServiceState::discovered);
  EXPECT_EQ(node->service.why, "defined");
  EXPECT_EQ(node->service.who, "test");
}

TEST_F(DefinitionTest, NamesNumbersAndAddressesAreUnique) {
  const std::string full = R"({"nid":7,"aliases":["x0c0"],
    "interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","addresses":["10.0.0.1/24"]}],
    "bmc":{"address":"10.1.0.1","mac":"02:00:00:00:00:02"}})";
  ASSERT_EQ(add("n1", full), "ok");
  EXPECT_EQ(set("n1", full), "ok") << "one's own are no conflict";
  const std::vector<std::pair<std::string, std::string>> taken{
      {R"({"nid":7})", "spec.nid: '7' is taken: node 'n1' has it"},
      {R"({"aliases":["x0c0"]})", "spec.aliases[0]: 'x0c0' is taken: node 'n1' has it"},
      {R"({"aliases":["n1"]})", "spec.aliases[0]: 'n1' is taken: node 'n1' has it as its name"},
      {R"({"interfaces":[{"name":"a","mac":"02-00-00-00-00-02"}]})",
       "spec.interfaces[0].mac: '02:00:00:00:00:02' is taken: node 'n1' has it for its BMC"},
      {R"({"interfaces":[{"name":"a","addresses":["10.0.0.1/8"]}]})",
       "spec.interfaces[0].addresses[0]: '10.0.0.1' is taken: node 'n1' has it"},
      {R"({"bmc":{"address":"10.0.0.1"}})",
       "spec.bmc.address: '10.0.0.1' is taken: node 'n1' has it"},
      {R"({"interfaces":[{"name":"a","addresses":["10.0.0.${number-1}"]}]})",
       "spec.interfaces[0].addresses[0]: '10.0.0.1' is taken: node 'n1' has it"},
  };
  for (const auto& [text, error] : taken) {
    EXPECT_EQ(add("n2", text), error);
    EXPECT_FALSE(read_node(tx, "n2"));
  }
  EXPECT_EQ(add("x0c0"), "name: 'x0c0' is taken: node 'n1' has it as an alias");
  EXPECT_EQ(add("n3", R"({"interfaces":[{"name":"a","addresses":["10.0.0.9"]},
                                        {"name":"b","addresses":["10.0.0.9/8"]}]})"),
            "spec.interfaces[1].addresses[0]: '10.0.0.9' is not valid: "
            "spec.interfaces[0].addresses[0] of the same node has it");

  EXPECT_EQ(set("n1", "{}"), "ok");
  EXPECT_EQ(add("n2", full), "ok") << "what was let go is free";
  EXPECT_EQ(remove("n2"), "ok");
  EXPECT_EQ(add("n3", full), "ok") << "what a removed node held is free";
}

TEST_F(DefinitionTest, TogetherTwoNodesMaySwapAddresses) {
  ASSERT_EQ(add("n1", R"({"nid":1,"aliases":["a"]})"), "ok");
  ASSERT_EQ(add("n2", R"({"nid":2,"aliases":["b"]})"), "ok");
  EXPECT_EQ(run(
                [&](DefinitionWriter& w) -> Status {
                  DROVER_CHECK_OK(w.put_spec("n1", spec(R"({"nid":2,"aliases":["b"]})")));
                  DROVER_CHECK_OK(w.put_spec("n2", spec(R"({"nid":1,"aliases":["a"]})")));
                  return {};
                },
                Mode::together),
            "ok");
  EXPECT_EQ(add("n3", R"({"nid":1})"), "spec.nid: '1' is taken: node 'n2' has it");
  EXPECT_EQ(run(
                [&](DefinitionWriter& w) -> Status {
                  DROVER_CHECK_OK(w.add_node("n4", NodeRole::compute, spec(R"({"nid":9})"), "4"));
                  DROVER_CHECK_OK(w.add_node("n5", NodeRole::compute, spec(R"({"nid":9})"), "5"));
                  return {};
                },
                Mode::together),
            "node 'n5': spec.nid: '9' is taken: node 'n4' has it");
}

TEST_F(DefinitionTest, AnAddressMadeByAFormulaIsCheckedWhenTheAttributeChanges) {
  ASSERT_EQ(put_profile(R"({"name":"net","attributes":{"x.net":"1"}})"), "ok");
  const std::string text =
      R"({"profiles":["net"],"interfaces":[{"name":"e","addresses":["10.0.${x.net}.${number}"]}]})";
  ASSERT_EQ(add("n1", text), "ok");
  ASSERT_EQ(add("m2", R"({"interfaces":[{"name":"e","addresses":["10.0.2.1"]}]})"), "ok");
  EXPECT_EQ(put_profile(R"({"name":"net","attributes":{"x.net":"2"}})"),
            "node 'n1': spec.interfaces[0].addresses[0]: '10.0.2.1' is taken: node 'm2' has it");
}

TEST_F(DefinitionTest, AnAddressFollowsItsGroup) {
  ASSERT_EQ(add("n1", R"({"interfaces":[{"name":"e","addresses":["10.0.9.${number}"]}]})"), "ok");
  ASSERT_EQ(put_group(R"({"name":"g","nodes":"n1","attributes":{"rack":"3"}})"), "ok");
  EXPECT_EQ(set("n1", R"({"interfaces":[{"name":"e","addresses":["10.0.${rack}.${number}"]}]})"),
            "ok");
  EXPECT_EQ(put_group(R"({"name":"g","nodes":"n1","attributes":{}})"),
            "node 'n1': spec.interfaces[0].addresses[0]: 'rack' is neither name, nid, number "
            "nor an attribute that is set");
  EXPECT_EQ(put_group(R"({"name":"g","nodes":"n1","attributes":{"rack":"4"}})"), "ok");
  EXPECT_EQ(add("m", R"({"interfaces":[{"name":"e","addresses":["10.0.4.1"]}]})"),
            "spec.interfaces[0].addresses[0]: '10.0.4.1' is taken: node 'n1' has it");
  EXPECT_EQ(add("m", R"({"interfaces":[{"name":"e","addresses":["10.0.3.1"]}]})"), "ok");
}

TEST_F(DefinitionTest, ARenamedNodeTakesAllAlong) {
  ASSERT_EQ(add("n1", R"({"nid":1,"aliases":["a","new1"]})"), "ok");
  ASSERT_EQ(add("n2"), "ok");
  ASSERT_TRUE(tx.put(kPartKind, "n1/cpu/0", R"({"node":"n1","kind":"cpu","slot":"0"})"));
  ASSERT_TRUE(tx.put(kPartKind, "n10/cpu/0", R"({"node":"n10","kind":"cpu","slot":"0"})"));
  ASSERT_EQ(put_group(R"({"name":"g","nodes":"n[1-2]"})"), "ok");
  EXPECT_EQ(rename("n1", "n2"), "there is a node 'n2' already");
  EXPECT_EQ(rename("n1", "Bad"),
            "'Bad' cannot name a node: upper-case letters are not allowed, "
            "since host names ignore case");
  EXPECT_EQ(rename("n9", "n8"), "there is no node 'n9'");
  EXPECT_EQ(rename("n2", "a"), "name: 'a' is taken: node 'n1' has it as an alias");
  EXPECT_EQ(rename("n1", "new1"), "ok");
  EXPECT_FALSE(read_node(tx, "n1"));
  const auto node = read_node(tx, "new1");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->id, "id-n1");
  EXPECT_EQ(node->spec.aliases, (std::vector<std::string>{"a"}));
  EXPECT_EQ(members("g"), "n2,new1");
  EXPECT_TRUE(*tx.get(kPartKind, "new1/cpu/0"));
  EXPECT_FALSE(*tx.get(kPartKind, "n1/cpu/0"));
  EXPECT_TRUE(*tx.get(kPartKind, "n10/cpu/0"));
  EXPECT_EQ(*former_names(tx, "id-n1"), (std::vector<std::string>{"n1"}));
  EXPECT_EQ(add("n1", R"({"nid":1})"), "spec.nid: '1' is taken: node 'new1' has it");
  EXPECT_EQ(add("n1"), "ok") << "the old name is free";
}

TEST_F(DefinitionTest, AChainOfRenamesInOneMutationKeepsTheGroups) {
  for (const char* name : {"a1", "a2", "a3"}) ASSERT_EQ(add(name), "ok");
  ASSERT_EQ(put_group(R"({"name":"g","nodes":"a[1-2]"})"), "ok");
  EXPECT_EQ(run([&](DefinitionWriter& w) -> Status {
              DROVER_CHECK_OK(w.remove_node("a3"));
              DROVER_CHECK_OK(w.rename_node("a2", "a3"));
              DROVER_CHECK_OK(w.rename_node("a1", "a2"));
              DROVER_CHECK_OK(w.rename_node("a3", "z"));
              return {};
            }),
            "ok");
  EXPECT_EQ(members("g"), "a2,z");
}

TEST_F(DefinitionTest, ARemovedNodeTakesItsPartsAndLeavesItsGroups) {
  ASSERT_EQ(add("n1"), "ok");
  ASSERT_EQ(add("n2"), "ok");
  ASSERT_TRUE(tx.put(kPartKind, "n1/cpu/0", R"({"node":"n1","kind":"cpu","slot":"0"})"));
  ASSERT_EQ(put_group(R"({"name":"g","nodes":"n[1-2]"})"), "ok");
  EXPECT_EQ(remove("n1"), "ok");
  EXPECT_EQ(remove("n1"), "there is no node 'n1'");
  EXPECT_EQ(members("g"), "n2");
  EXPECT_FALSE(*tx.get(kPartKind, "n1/cpu/0"));
}

TEST_F(DefinitionTest, AGroupHasNodesAsMembers) {
  ASSERT_EQ(add("n1", R"({"aliases":["a"]})"), "ok");
  EXPECT_EQ(
      put_group(R"({"name":"g","nodes":"n[1-3],a"})"),
      "nodes: 'a,n[2-3]' is not valid: expected names of nodes (not aliases or groups); these "
      "are none");
  EXPECT_EQ(put_group(R"({"name":"g"})"), "ok");
  const auto change = [&](const std::vector<std::string>& in, const std::vector<std::string>& out) {
    return run([&](DefinitionWriter& w) -> Status {
      DROVER_CHECK_OK(w.change_members("g", in, out));
      return {};
    });
  };
  EXPECT_EQ(change({"n1"}, {}), "ok");
  EXPECT_EQ(members("g"), "n1");
  EXPECT_NE(change({"n7"}, {}), "ok");
  EXPECT_EQ(change({}, {"n1", "n7"}), "ok") << "who is not in it may be taken out";
  EXPECT_EQ(members("g"), "");
  EXPECT_EQ(put_group(R"({"name":"g","range":"n1"})"), "ok");
  EXPECT_EQ(change({"n1"}, {}), "group 'g' is dynamic: its members follow from its range");
}

TEST_F(DefinitionTest, ADynamicGroupsRangeMustMakeSense) {
  EXPECT_EQ(put_group(R"({"name":"a","range":"@compute & phase=up & attr.rack=3"})"), "ok");
  EXPECT_EQ(put_group(R"({"name":"b","range":"@a,@all"})"), "ok");
  EXPECT_EQ(put_group(R"({"name":"a","range":"@a"})"),
            "range: '@a' is not valid: a group cannot be made from itself");
  EXPECT_EQ(put_group(R"({"name":"a","range":"n1,@b"})"),
            "range: 'n1,@b' is not valid: it goes round in a circle through group 'b'");
  EXPECT_EQ(put_group(R"({"name":"c","range":"@nosuch"})"),
            "range: '@nosuch' is not valid: there is no group 'nosuch'");
  EXPECT_EQ(put_group(R"({"name":"c","range":"colour=red"})"),
            "range: 'colour=red' is not valid: nodes have no attribute 'colour'");
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("a"); }),
            "group 'a' is named by the range of group 'b'");
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("b"); }), "ok");
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("a"); }), "ok");
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("a"); }), "there is no group 'a'");
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("compute"); }),
            "the group 'compute' is always there and not stored");
}

TEST_F(DefinitionTest, ProfilesExistBeforeTheyAreTakenAndFormNoCircle) {
  EXPECT_EQ(put_profile(R"({"name":"a","inherits":["b"]})"),
            "inherits: 'b' is not valid: there is no such profile");
  EXPECT_EQ(put_profile(R"({"name":"a","inherits":["a"]})"),
            "inherits: 'a' is not valid: a profile cannot inherit itself");
  ASSERT_EQ(put_profile(R"({"name":"a"})"), "ok");
  ASSERT_EQ(put_profile(R"({"name":"b","inherits":["a"]})"), "ok");
  EXPECT_EQ(put_profile(R"({"name":"a","inherits":["b"]})"),
            "inherits: 'b' is not valid: that profile inherits 'a': a circle");
  EXPECT_EQ(add("n1", R"({"profiles":["c"]})"),
            "spec.profiles[0]: 'c' is not valid: there is no such profile");
  EXPECT_EQ(put_group(R"({"name":"g","profiles":["c"]})"),
            "profiles[0]: 'c' is not valid: there is no such profile");
  ASSERT_EQ(add("n1", R"({"profiles":["b"]})"), "ok");
  const auto remove_profile = [&](const std::string& name) {
    return run([&](DefinitionWriter& w) { return w.remove_profile(name); });
  };
  EXPECT_EQ(remove_profile("a"), "profile 'a' is used by profile 'b'");
  DefinitionWriter writer(tx, Mode::single);
  EXPECT_EQ(writer.remove_profile("a").error().next,
            "take it from there first: drover profile set b inherits=...");
  EXPECT_EQ(remove_profile("b"), "profile 'b' is used by node 'n1'");
  ASSERT_EQ(set("n1", "{}"), "ok");
  ASSERT_EQ(put_group(R"({"name":"g","profiles":["b"]})"), "ok");
  EXPECT_EQ(remove_profile("b"), "profile 'b' is used by group 'g'");
  ASSERT_EQ(put_group(R"({"name":"g"})"), "ok");
  EXPECT_EQ(remove_profile("b"), "ok");
  EXPECT_EQ(remove_profile("b"), "there is no profile 'b'");
}

/// Profiles, groups and a node that refer to one another.
class RemovalTest : public DefinitionTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(put_profile(R"({"name":"p"})"), "ok");
    ASSERT_EQ(put_profile(R"({"name":"q","inherits":["p"]})"), "ok");
    ASSERT_EQ(put_group(R"({"name":"a","profiles":["q"]})"), "ok");
    ASSERT_EQ(put_group(R"({"name":"b","range":"@a"})"), "ok");
    ASSERT_EQ(add("n1", R"({"profiles":["p"]})"), "ok");
  }
  static Status remove_sets(DefinitionWriter& writer) {
    for (const char* name : {"p", "q"}) DROVER_CHECK_OK(writer.remove_profile(name));
    for (const char* name : {"a", "b"}) DROVER_CHECK_OK(writer.remove_group(name));
    return {};
  }
};

TEST_F(RemovalTest, TogetherTheOrderDoesNotMatter) {
  EXPECT_EQ(run(
                [&](DefinitionWriter& w) -> Status {
                  DROVER_CHECK_OK(remove_sets(w));
                  return w.remove_node("n1");
                },
                Mode::together),
            "ok");
}

TEST_F(RemovalTest, TogetherWhatIsStillUsedStays) {
  EXPECT_EQ(run([](DefinitionWriter& w) { return remove_sets(w); }, Mode::together),
            "profile 'p' is used by node 'n1'");
}

TEST_F(RemovalTest, TogetherAGroupThatARangeNamesStays) {
  EXPECT_EQ(run([](DefinitionWriter& w) { return w.remove_group("a"); }, Mode::together),
            "group 'a' is named by the range of group 'b'");
}

TEST_F(DefinitionTest, WhatSaysNothingNewWritesNothing) {
  const std::string text = R"({"nid":1,"interfaces":[{"name":"e","mac":"02:00:00:00:00:AA"}]})";
  ASSERT_EQ(add("n1", text), "ok");
  ASSERT_EQ(put_group(R"({"name":"g","nodes":"n1"})"), "ok");
  ASSERT_EQ(put_profile(R"({"name":"p"})"), "ok");
  tx.changes.clear();
  EXPECT_EQ(set("n1", text), "ok");
  EXPECT_EQ(put_group(R"({"name":"g","nodes":"n1"})"), "ok");
  EXPECT_EQ(put_profile(R"({"name":"p"})"), "ok");
  EXPECT_TRUE(tx.changes.empty());
}

TEST_F(DefinitionTest, APatchChangesStatesAndSpec) {
  ASSERT_EQ(add("n1", R"({"nid":1,"attributes":{"rack":"1","row":"a"}})"), "ok");
  const auto patched = [&](const std::string& patch, bool may_define = true) -> std::string {
    const auto decoded = decode_text<NodePatch>(patch);
    if (!decoded) return decoded.error().text();
    std::string out;
    const std::string ended = run([&](DefinitionWriter& w) -> Status {
      DROVER_TRY(const NodeChange asked, NodeChange::of(*decoded));
      DROVER_TRY(const ChangedNode after, asked.make(tx, w, "n1", may_define));
      EXPECT_EQ(asked.make(tx, w, "n1", may_define)->changed, false);
      out = encode(after.stored->node.spec);
      return {};
    });
    return ended == "ok" ? out : ended;
  };
  const auto after = patched(R"({"flag":"warning","spec":{"nid":null,"attributes":{"rack":"2"}}})");
  EXPECT_NE(after.find(R"("nid":0)"), std::string::npos) << after;
  EXPECT_NE(after.find(R"("attributes":{"rack":"2","row":"a"})"), std::string::npos) << after;
  EXPECT_EQ(read_node(tx, "n1")->flag, NodeFlag::warning);
  EXPECT_EQ(patched(R"({"spec":{"attributes":{"rakc":"2"}}})"),
            "spec.attributes: 'rakc' is not valid: expected a known attribute (did you mean rack?) "
            "or, for a site's own, x.NAME");
  EXPECT_EQ(patched(R"({"spec":{"nidd":2}})").substr(0, 10), "spec: nidd");
  EXPECT_EQ(patched(R"({"spec":[]})"), "spec: expected an object of fields to change");
  EXPECT_EQ(patched(R"({"locked":true})", false), after);
  EXPECT_EQ(patched(R"({"spec":{"nid":3}})", false),
            "node 'n1': only operators and administrators may change its spec");
  tx.changes.clear();
  EXPECT_EQ(patched(R"({"spec":{"attributes":{"rack":"2"}}})"), after);
  EXPECT_TRUE(tx.changes.empty()) << "what says nothing new writes nothing";
}

// --- the model that follows from it ---

std::string range_of(const Model& model, const std::string& range) {
  const auto names = evaluate(range, ModelNames(model));
  return names ? fold_names(*names) : names.error().message;
}

TEST_F(DefinitionTest, NoderangesKnowAliasesGroupsAttributesAndTheSpec) {
  ASSERT_EQ(put_profile(R"({"name":"gpu","attributes":{"model":"g1"}})"), "ok");
  for (int i = 1; i <= 6; ++i) {
    ASSERT_EQ(
        add(fmt::format("n{}", i), fmt::format(R"({{"nid":{0},"aliases":["x{0}"],"profiles":[{1}],
                    "attributes":{{"rack":"${{(number-1)/2}}"}},
                    "interfaces":[{{"name":"e","mac":"02:00:00:00:00:${{number:02x}}",
                                    "addresses":["10.0.0.${{number}}/8"]}},
                                  {{"name":"f","mac":"02:00:00:00:01:0{0}"}}],
                    "bmc":{{"address":"bmc-${{name}}","mac":"02:00:00:00:02:${{number:02x}}"}}}})",
                                               i, i > 4 ? "\"gpu\"" : "")),
        "ok");
  }
  ASSERT_EQ(put_group(R"({"name":"odd","nodes":"n1,n3,n5","attributes":{"room":"o"}})"), "ok");
  ASSERT_EQ(put_group(R"({"name":"late","range":"rack>=1 & @odd","attributes":{"row":"z"}})"),
            "ok");
  ASSERT_EQ(put_group(R"({"name":"gone","range":"n1,nosuch,@late"})"), "ok");
  Model model;
  ASSERT_TRUE(model.apply(tx.changes));
  const std::vector<std::pair<std::string, std::string>> cases{
      {"x2,n1", "n[1-2]"},
      {"@odd", "n[1,3,5]"},
      {"odd", "n[1,3,5]"},
      {"@late", "n[3,5]"},
      {"@gone", "n[1,3,5]"},
      {"@all,-@compute", ""},
      {"rack=1", "n[3-4]"},
      {"attr.rack=1", "n[3-4]"},
      {"model=g1", "n[5-6]"},
      {"profile=gpu", "n[5-6]"},
      {"profile!=gpu", "n[1-4]"},
      {"room=o", "n[1,3,5]"},
      {"row=z", "n[3,5]"},
      {"nid>=5", "n[5-6]"},
      {"spec.nid=2", "n2"},
      {"mac=02:00:00:00:00:03", "n3"},
      {"mac=02:00:00:00:01:03", "n3"},
      {"mac=02:00:00:00:02:06", "n6"},
      {"mac!=02:00:00:00:01:03", "n[1-2,4-6]"},
      {"ip=10.0.0.4", "n4"},
      {"group=late", "n[3,5]"},
      {"alias=x6", "n6"},
      {"x.none=", "n[1-6]"},
      {"owner=root", "n[1-6]"},
  };
  for (const auto& [range, nodes] : cases) EXPECT_EQ(range_of(model, range), nodes) << range;
  EXPECT_NE(range_of(model, "colour=1").find("nodes have no attribute \"colour\""),
            std::string::npos);

  tx.changes.clear();
  ASSERT_EQ(rename("n5", "m5"), "ok");
  ASSERT_EQ(remove("n3"), "ok");
  ASSERT_TRUE(model.apply(tx.changes));
  EXPECT_EQ(range_of(model, "@odd"), "m5,n1");
  EXPECT_EQ(range_of(model, "@late"), "m5");
  EXPECT_EQ(range_of(model, "x5"), "m5");
  EXPECT_NE(range_of(model, "x3").find("unknown name"), std::string::npos);
}

TEST_F(DefinitionTest, NodesDoNotTakeTheNamesOfGroupsThatAreAlwaysThere) {
  EXPECT_EQ(add("all"), "'all' cannot name a node: it is a group that is always there");
  ASSERT_EQ(add("n1"), "ok");
  EXPECT_EQ(rename("n1", "compute"),
            "'compute' cannot name a node: it is a group that is always there");
  const auto joined = ensure_node(tx, "compute", NodeRole::compute, "id", "enrolled");
  ASSERT_FALSE(joined) << "a host that is called so does not get in by joining either";
  EXPECT_EQ(joined.error().text(),
            "'compute' cannot name a node: it is a group that is always "
            "there");
  EXPECT_FALSE(read_node(tx, "compute"));
}

TEST_F(DefinitionTest, GroupsThatWentRoundInACircleAnywayHaveAnEnd) {
  ASSERT_EQ(add("n1"), "ok");
  ASSERT_TRUE(tx.put(kGroupKind, "a", R"({"name":"a","range":"n1,@b"})"));
  ASSERT_TRUE(tx.put(kGroupKind, "b", R"({"name":"b","range":"@a"})"));
  Model model;
  ASSERT_TRUE(model.apply(tx.changes));
  EXPECT_EQ(range_of(model, "@a"), "n1");
}

}  // namespace
}  // namespace drover::cluster
