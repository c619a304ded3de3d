#include "cluster/declare/plan.hpp"

#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "base/yaml_read.hpp"
#include "cluster/declare/brief.hpp"
#include "cluster/declare/export.hpp"
#include "cluster/declare/object_form.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::cluster {
namespace {

Document document(const std::string& yaml) {
  const std::string text = "kind: drover-cluster\nversion: 1\n" + yaml;
  const auto value = parse_yaml(text, YamlScalars::text);
  EXPECT_TRUE(value) << value.error().text();
  std::vector<Mistake> problems;
  Document out = read_document(*value, problems);
  for (const Mistake& problem : problems) {
    ADD_FAILURE() << problem.pointer << ": " << problem.message;
  }
  return out;
}

std::vector<std::string> problems_of(const std::string& yaml) {
  std::vector<Mistake> problems;
  const auto value = parse_yaml(yaml, YamlScalars::text);
  EXPECT_TRUE(value) << value.error().text();
  const Document read = read_document(*value, problems);
  if (problems.empty()) problems = make_plan({}, nullptr, read, {}).problems;
  std::vector<std::string> out;
  for (const Mistake& problem : problems) out.push_back(problem.pointer + ": " + problem.message);
  return out;
}

/// What is in force once a plan has been carried out.
InForce after(InForce in_force, const Plan& plan) {
  EXPECT_TRUE(plan.conflicts.empty());
  EXPECT_TRUE(plan.problems.empty());
  for (const PlannedObject& each : plan.objects) {
    if (each.action == PlanAction::remove) {
      in_force.erase(each.object);
    } else {
      in_force[each.object] = each.result;
    }
  }
  return in_force;
}

/// A plan in short lines.
std::string shown(const Plan& plan) {
  std::string out;
  for (const FoldedChange& each : fold_plan(plan.objects)) {
    out += fmt::format("{} {} {}\n", enum_name(each.action), kind_of(each.section), each.names);
    for (const FieldChange& change : each.changes) {
      out += fmt::format("  {}: {} -> {}\n", change.field, change.before, change.after);
    }
  }
  for (const Disputed& each : plan.conflicts) {
    out += fmt::format("conflict {} {}: {} / {} / {}\n", each.object.text(), each.difference.field,
                       each.difference.base, each.difference.document, each.difference.in_force);
  }
  for (const Disputed& each : plan.kept) {
    out += fmt::format("kept {} {}: {}\n", each.object.text(), each.difference.field,
                       each.difference.in_force);
  }
  for (const ObjectName& each : plan.orphans) out += "orphan " + each.text() + "\n";
  return out;
}

constexpr const char* kCluster = R"(
settings:
  tree.heartbeat: 2s
profiles:
  gpu: {description: with GPUs, attributes: {image: rocky-cuda, x.slots: 4}}
groups:
  rack1: {nodes: 'n[1-2]', attributes: {rack: 1}, priority: 5}
  odd: {range: '~[13]$'}
nodes:
  n[1-3]:
    profiles: [gpu]
    interfaces:
      - {name: eth0, addresses: ['10.0.0.${number}/24'], network: mgmt}
      - {name: ib0}
    bmc: {address: '10.1.0.${number}', user: admin}
  n4: {nid: 4, aliases: [spare], interfaces: [{name: eth0, mac: 02-00-00-00-00-0A}], mode: 0700}
)";

TEST(DeclarePlan, MakesWhatIsNotThere) {
  const Plan plan = make_plan({}, nullptr, document(kCluster), {});
  EXPECT_EQ(shown(plan), R"(create setting tree.heartbeat
  value:  -> "2s"
create profile gpu
  attributes/image:  -> "rocky-cuda"
  attributes/x.slots:  -> "4"
  description:  -> "with GPUs"
create group odd
  range:  -> "~[13]$"
create group rack1
  attributes/rack:  -> "1"
  nodes:  -> "n[1-2]"
  priority:  -> 5
create node n[1-3]
  bmc/address:  -> "10.1.0.${number}"
  bmc/user:  -> "admin"
  interfaces/eth0/addresses:  -> ["10.0.0.${number}/24"]
  interfaces/eth0/name:  -> "eth0"
  interfaces/eth0/network:  -> "mgmt"
  interfaces/ib0/name:  -> "ib0"
  profiles:  -> ["gpu"]
create node n4
  aliases:  -> ["spare"]
  interfaces/eth0/mac:  -> "02:00:00:00:00:0a"
  interfaces/eth0/name:  -> "eth0"
  mode:  -> "0700"
  nid:  -> 4
)");
}

TEST(DeclarePlan, FindsNothingToDoTheSecondTime) {
  const Document doc = document(kCluster);
  const InForce in_force = after({}, make_plan({}, nullptr, doc, {}));
  EXPECT_EQ(shown(make_plan(in_force, nullptr, doc, {})), "");
  EXPECT_EQ(shown(make_plan(in_force, &doc, doc, {})), "");
  const auto remembered = decode_applied(encode_applied(doc));
  ASSERT_TRUE(remembered) << remembered.error().text();
  EXPECT_EQ(shown(make_plan(in_force, &*remembered, doc, {.prune = true})), "");
  EXPECT_EQ(encode_applied(*remembered), encode_applied(doc));
}

TEST(DeclarePlan, LeavesAloneWhatItDoesNotMention) {
  const InForce in_force = after({}, make_plan({}, nullptr, document(kCluster), {}));
  const Plan plan = make_plan(in_force, nullptr, document("nodes: {n1: {description: first}}"), {});
  EXPECT_EQ(shown(plan), "change node n1\n  description: \"\" -> \"first\"\n");
}

struct Step {
  Document base;
  InForce in_force;
};
Step applied(const std::string& yaml) {
  Step out{document(yaml), {}};
  out.in_force = after({}, make_plan({}, nullptr, out.base, {}));
  return out;
}
/// As if somebody had changed it by another way.
void change(InForce& in_force, const std::string& node, const std::string& field,
            const std::string& value) {
  in_force.at({Section::nodes, node}).fields[field] = value;
}

TEST(DeclareMerge, TakesBackWhatTheDocumentDropped) {
  const Step step = applied(
      "nodes:\n  n1: {description: a, owner: bob, attributes: {rack: 1, row: A},"
      " interfaces: [{name: eth0, network: m}, {name: eth1}], bmc: {address: 10.0.0.1}}");
  const Document next =
      document("nodes:\n  n1: {attributes: {rack: 1}, interfaces: [{name: eth0}]}");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, next, {})), R"(change node n1
  attributes/row: "A" -> 
  bmc/address: "10.0.0.1" -> 
  description: "a" -> ""
  interfaces/eth0/network: "m" -> ""
  interfaces/eth1/name: "eth1" -> 
  owner: "bob" -> "root"
)");
  EXPECT_EQ(shown(make_plan(step.in_force, nullptr, next, {})), "") << "without a base it stays";
}

TEST(DeclareMerge, KeepsWhatOthersChangedUnlessTheDocumentChangesIt) {
  Step step = applied("nodes: {n1: {description: a, owner: bob, attributes: {rack: 1}}}");
  change(step.in_force, "n1", "description", "\"by hand\"");
  change(step.in_force, "n1", "attributes/rack", "\"7\"");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, step.base, {})),
            "kept node n1 attributes/rack: \"7\"\nkept node n1 description: \"by hand\"\n");
  const Document both =
      document("nodes: {n1: {description: b, owner: eve, attributes: {rack: 7}}}");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, both, {})),
            "change node n1\n  owner: \"bob\" -> \"eve\"\n"
            "conflict node n1 description: \"a\" / \"b\" / \"by hand\"\n");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, both, {.force = true})),
            "change node n1\n  description: \"by hand\" -> \"b\"\n  owner: \"bob\" -> \"eve\"\n");
  const Document dropped = document("nodes: {n1: {owner: bob}}");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, dropped, {})),
            "conflict node n1 attributes/rack: \"1\" /  / \"7\"\n"
            "conflict node n1 description: \"a\" /  / \"by hand\"\n");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, step.base, {.force = true})),
            "change node n1\n  attributes/rack: \"7\" -> \"1\"\n"
            "  description: \"by hand\" -> \"a\"\n");
}

TEST(DeclareMerge, DropsAnInterfaceWholeOrNotAtAll) {
  Step step = applied("nodes: {n1: {interfaces: [{name: eth0}, {name: ib0, network: a}]}}");
  // Found by somebody else, and never said by the document.
  change(step.in_force, "n1", "interfaces/ib0/mac", "\"02:00:00:00:00:01\"");
  const Document next = document("nodes: {n1: {interfaces: [{name: eth0}]}}");
  const Plan plan = make_plan(step.in_force, &step.base, next, {});
  EXPECT_EQ(after(step.in_force, plan).at({Section::nodes, "n1"}).interfaces,
            std::vector<std::string>{"eth0"});
  change(step.in_force, "n1", "interfaces/ib0/network", "\"b\"");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, next, {})),
            "conflict node n1 interfaces/ib0/network: \"a\" /  / \"b\"\n");
}

TEST(DeclareMerge, ChangesTheOrderOfInterfacesOnlyWhenAsked) {
  Step step = applied("nodes: {n1: {interfaces: [{name: b}, {name: a}]}}");
  auto& set = step.in_force.at({Section::nodes, "n1"});
  EXPECT_EQ(set.interfaces, (std::vector<std::string>{"b", "a"}));
  const Document turned = document("nodes: {n1: {interfaces: [{name: a}, {name: b}]}}");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, turned, {})),
            "change node n1\n  interfaces: [\"b\",\"a\"] -> [\"a\",\"b\"]\n");
  set.interfaces = {"a", "b"};
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, step.base, {})), "");
}

TEST(DeclareMerge, NullTakesAway) {
  const Step step = applied(
      "nodes: {n1: {nid: 1, attributes: {rack: 1, row: A}, interfaces: [{name: eth0}],"
      " bmc: {address: 10.0.0.1}}}\nsettings: {tree.hold: 60s}");
  const Document next = document(
      "nodes: {n1: {nid: null, attributes: {rack: null}, interfaces: [], bmc: null}}\n"
      "settings: {tree.hold: null}");
  EXPECT_EQ(shown(make_plan(step.in_force, nullptr, next, {})), R"(remove setting tree.hold
  value: "1m" -> 
change node n1
  attributes/rack: "1" -> 
  bmc/address: "10.0.0.1" -> 
  interfaces/eth0/name: "eth0" -> 
  nid: 1 -> 0
)");
}

TEST(DeclarePlan, PrunesOnlyWhatItAppliedItself) {
  Step step = applied("nodes: {'n[1-3]': {owner: bob}}\ngroups: {g: {nodes: n1}}");
  step.in_force.emplace(ObjectName{Section::nodes, "other"}, read_object(Section::nodes, {}));
  const Document next = document("nodes: {n1: {owner: bob}}");
  const Plan kept = make_plan(step.in_force, &step.base, next, {});
  EXPECT_EQ(shown(kept), "orphan group g\norphan node n2\norphan node n3\n");
  EXPECT_EQ(shown(make_plan(step.in_force, &kept.applied, next, {.prune = true})),
            "remove group g\n  nodes: \"n1\" -> \n"
            "remove node n[2-3]\n  owner: \"bob\" -> \n")
      << "orphans are remembered";
  change(step.in_force, "n3", "owner", "\"eve\"");
  EXPECT_EQ(shown(make_plan(step.in_force, &step.base, next, {.prune = true})),
            "remove group g\n  nodes: \"n1\" -> \nremove node n2\n  owner: \"bob\" -> \n"
            "conflict node n3 owner: \"bob\" /  / \"eve\"\n");
}

TEST(DeclarePlan, SaysEveryProblemAndItsPlace) {
  const auto problems = problems_of(R"(kind: drover-clutser
version: 2
node: {}
groups:
  9g: {}
  g: {nodes: n1, range: '*', colour: red, priority: high}
nodes:
  N1: {}
  n1: {nid: -1, interfaces: [{mac: x}, {name: e}, {name: e}], attributes: [a], rank: 1}
  n[1-: {}
  'n[2-3]': {}
  n3: {}
)");
  EXPECT_EQ(problems, (std::vector<std::string>{
                          "/kind: expected \"kind: drover-cluster\"",
                          "/version: expected \"version: 1\"",
                          "/node: unknown section \"node\": did you mean nodes?",
                          problems.size() > 3 ? problems[3] : "",
                          "/groups/g/colour: unknown field \"colour\": expected one of "
                          "description, nodes, range, profiles, attributes, priority",
                          "/groups/g/priority: expected an integer, got \"high\"",
                          "/groups/g/range: a group has \"nodes\" (a fixed list) or \"range\" "
                          "(evaluated when asked), not both",
                          problems.size() > 7 ? problems[7] : "",
                          "/nodes/n1/nid: expected a whole number, got \"-1\"",
                          "/nodes/n1/interfaces/0: expected an interface with a name",
                          "/nodes/n1/interfaces/2/name: the interface e comes twice",
                          "/nodes/n1/attributes: expected a map, got [\"a\"]",
                          "/nodes/n1/rank: unknown field \"rank\": expected one of role, nid, "
                          "aliases, interfaces, bmc, profiles, attributes, owner, group, mode, "
                          "description",
                          problems.size() > 13 ? problems[13] : "",
                          "/nodes/n3: n3 is in the entry \"n[2-3]\" already",
                      }));
  EXPECT_EQ(problems[3].substr(0, 11), "/groups/9g:");
  EXPECT_EQ(problems[7].substr(0, 10), "/nodes/N1:");
  EXPECT_EQ(problems[13].substr(0, 12), "/nodes/n[1-:");
}

TEST(DeclarePlan, ChecksEachObjectByTheModelsRules) {
  const auto problems = problems_of(R"(kind: drover-cluster
version: 1
nodes:
  n[1-100]:
    role: boss
    mode: 999
    interfaces: [{name: eth0}, {name: eth1, mac: xyz}]
    attributes: {colour: red, unit: 500}
)");
  ASSERT_EQ(problems.size(), 5U);
  EXPECT_EQ(problems[0].substr(0, 34), "/nodes/n[1-100]/attributes/colour:");
  EXPECT_EQ(problems[1].substr(0, 32), "/nodes/n[1-100]/attributes/unit:");
  EXPECT_EQ(problems[2].substr(0, 34), "/nodes/n[1-100]/interfaces/1/mac: ");
  EXPECT_EQ(problems[3].substr(0, 22), "/nodes/n[1-100]/mode: ");
  EXPECT_EQ(problems[4], "/nodes/n[1-100]/role: 'boss' is not valid: expected compute or utility");
}

/// Small documents over few names and values, so that edits meet one another.
rc::Gen<std::string> any_document() {
  const auto value = rc::gen::element<std::string>("a", "b", "c");
  const auto maybe = [](const std::string& name, const rc::Gen<std::string>& held) {
    return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<bool>(), held), [name](const auto& both) {
      return both.first ? fmt::format("{}: {}, ", name, both.second) : std::string();
    });
  };
  const auto join = [](const std::string& a, const std::string& b) { return a + b; };
  const auto both = [join](const rc::Gen<std::string>& a, const rc::Gen<std::string>& b) {
    return rc::gen::map(rc::gen::pair(a, b),
                        [join](const auto& held) { return join(held.first, held.second); });
  };
  const auto braces = [](const std::string& inner) { return "{" + inner + "}"; };
  const auto attributes = rc::gen::map(both(maybe("x.one", value), maybe("x.two", value)), braces);
  const auto interface = [&](const std::string& name) {
    return rc::gen::map(both(maybe("network", value),
                             maybe("addresses", rc::gen::element<std::string>(
                                                    "[]", "[10.0.0.1]", "['10.0.0.${number}']"))),
                        [name](const std::string& inner) {
                          return fmt::format("{{name: {}, {}}}, ", name, inner);
                        });
  };
  const auto interfaces = rc::gen::map(
      rc::gen::oneOf(interface("eth0"), interface("ib0"), both(interface("eth0"), interface("ib0")),
                     both(interface("ib0"), interface("eth0"))),
      [](const std::string& inner) { return "[" + inner + "]"; });
  const auto bmc = rc::gen::map(maybe("user", value), [](const std::string& user) {
    return "{address: 10.9.9.9, " + user + "}";
  });
  const auto fields =
      rc::gen::map(both(both(maybe("description", value), maybe("owner", value)),
                        both(maybe("attributes", attributes),
                             both(maybe("interfaces", interfaces), maybe("bmc", bmc)))),
                   braces);
  const auto node = [&](const std::string& name) { return maybe(name, fields); };
  return rc::gen::map(
      both(node("n1"),
           both(node("'n[2-4]'"), both(node("n5"), maybe("n6", rc::gen::just(std::string("")))))),
      [](const std::string& inner) { return "nodes: {" + inner + "}"; });
}

/// As the store keeps an object of these fields.
json::object stored(Section section, const FieldSet& set) {
  json::object object = to_object(section, set, false);
  if (section != Section::nodes) return object;
  const json::value role = object.at("role");
  object.erase("role");
  return {{"name", "n1"}, {"role", role}, {"spec", std::move(object)}};
}

std::string brief(Section section, const json::object& body) {
  std::string out;
  append_brief(out, section, body);
  return out;
}

json::value exported_of(const InForce& in_force) {
  std::vector<BriefObject> objects;
  for (const auto& [object, set] : in_force) {
    objects.push_back({object, brief(object.section, stored(object.section, set))});
  }
  return parse_json(export_document(std::move(objects))).value();
}

TEST(Brief, IsWhatTheFieldsWouldBe) {
  const std::vector<std::pair<Section, std::string_view>> bodies{
      {Section::nodes, R"({"role":"utility","spec":{"nid":7,"aliases":["b","a"],"interfaces":[
        {"name":"eth0","mac":"02-00-00-00-00-0A","addresses":["10.0.0.01","fe80::0001/64"],"network":""},
        {"name":"eth0","mac":"x"},{"name":"a/b"},{"name":"ib0","mac":"${x}","addresses":[]},7],
        "bmc":{"address":"","protocol":"redfish","mac":"","user":"root"},"profiles":["gpu"],
        "attributes":{"x.b":"1","x.a":"\u00e9\"","x.n":7,"x.o":{},"x.z":null},"owner":"root",
        "group":"hpc","mode":"750","description":"a\nb"}})"},
      {Section::nodes,
       R"({"role":"compute","spec":{"nid":0,"interfaces":[],"bmc":null,"attributes":{}}})"},
      {Section::nodes, R"({"role":7,"spec":[],"else":1})"},
      {Section::nodes,
       R"({"spec":{"nid":"x","aliases":{},"bmc":{"address":""},"mode":null,"attributes":null}})"},
      {Section::nodes, R"({"spec":{"bmc":{"address":"10.0.0.7"},"nid":-1}})"},
      {Section::groups,
       R"({"name":"g","description":"d","nodes":"n2,n1","range":"","priority":-3})"},
      {Section::profiles, R"({"name":"p","inherits":["a"],"attributes":{"x.a":"b"}})"},
      {Section::settings, R"({"value":"7"})"},
      {Section::settings, "{}"},
  };
  for (const auto& [section, text] : bodies) {
    const json::value body = parse_json(text).value();
    const FieldSet set =
        section == Section::nodes ? fields_of_node(body) : fields_of_object(section, body);
    EXPECT_EQ(brief(section, body.get_object()), to_text(to_object(section, set, true))) << text;
  }
}

TEST(Brief, DocumentsAreJson) {
  EXPECT_EQ(export_document({}), R"({"kind":"drover-cluster","version":1})");
  EXPECT_EQ(export_document({{{Section::nodes, "n10"}, "{}"},
                             {{Section::nodes, "n2"}, R"({"nid":2})"},
                             {{Section::nodes, "n1"}, "{}"},
                             {{Section::settings, "b.\"c"}, "{}"},
                             {{Section::settings, "a"}, R"({"value":"}"})"}}),
            R"({"kind":"drover-cluster","version":1,"settings":{"a":"}","b.\"c":""},)"
            R"("nodes":{"n[1,10]":{},"n2":{"nid":2}}})");
}

RC_GTEST_PROP(DeclareProperty, WhatIsExportedIsInForce, ()) {
  const InForce in_force = after({}, make_plan({}, nullptr, document(*any_document()), {}));
  const json::value exported = exported_of(in_force);
  std::vector<Mistake> problems;
  const Document read = read_document(exported, problems);
  RC_ASSERT(problems.empty());
  RC_ASSERT(make_plan(in_force, nullptr, read, {}).changes_nothing());
  const InForce fresh = after({}, make_plan({}, nullptr, read, {}));
  RC_ASSERT(fresh == in_force);
  RC_ASSERT(to_yaml(exported_of(fresh)) == to_yaml(exported));
}

RC_GTEST_PROP(DeclareProperty, APlanMakesTheClusterWhatTheDocumentSays, ()) {
  const Document first = document(*any_document());
  const Document second = document(*any_document());
  const InForce before = after({}, make_plan({}, nullptr, first, {}));
  const Plan plan = make_plan(before, &first, second, {.prune = true});
  RC_ASSERT(plan.conflicts.empty());
  const InForce now = after(before, plan);
  RC_ASSERT(make_plan(now, &second, second, {.prune = true}).changes_nothing());
  // Whoever starts from nothing gets the same: nothing of the first document is left behind.
  RC_ASSERT(now == after({}, make_plan({}, nullptr, second, {})));
}

RC_GTEST_PROP(DeclareProperty, TheDocumentWinsByForceAlone, ()) {
  const Document first = document(*any_document());
  const Document by_others = document(*any_document());
  const Document second = document(*any_document());
  InForce now = after({}, make_plan({}, nullptr, first, {}));
  now = after(now, make_plan(now, &first, by_others, {}));
  const Plan plan = make_plan(now, &first, second, {});
  const Plan forced = make_plan(now, &first, second, {.force = true});
  RC_ASSERT(forced.conflicts.empty());
  const InForce then = after(now, forced);
  RC_ASSERT(make_plan(then, nullptr, second, {}).changes_nothing());
  // Without force a field that only others changed stays as they made it.
  for (const Disputed& kept : plan.kept) {
    RC_ASSERT(kept.difference.base == kept.difference.document);
    RC_ASSERT(kept.difference.in_force != kept.difference.document);
  }
}

}  // namespace
}  // namespace drover::cluster
