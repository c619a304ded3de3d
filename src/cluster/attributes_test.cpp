// Which attribute wins, where it comes from, and that formulas fail with their place.
#include "cluster/attributes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::cluster {
namespace {

class Known final : public Definitions {
 public:
  [[nodiscard]] const Profile* profile(std::string_view name) const override {
    const auto it = profiles.find(std::string(name));
    return it == profiles.end() ? nullptr : &it->second;
  }
  [[nodiscard]] std::vector<const Group*> groups_of(const Node&) const override {
    std::vector<const Group*> out;
    for (const Group& group : groups) out.push_back(&group);
    std::ranges::sort(out, [](const Group* a, const Group* b) { return stronger_group(*a, *b); });
    return out;
  }
  void add_profile(const std::string& name, std::map<std::string, std::string> attributes,
                   std::vector<std::string> inherits = {}) {
    profiles[name] = {name, "", std::move(inherits), std::move(attributes)};
  }
  void add_group(const std::string& name, int priority,
                 std::map<std::string, std::string> attributes,
                 std::vector<std::string> with = {}) {
    groups.push_back({name, "", "", "", std::move(with), std::move(attributes), priority});
  }

  std::map<std::string, Profile> profiles;
  std::vector<Group> groups;
};

Node node_of(const std::string& name, std::map<std::string, std::string> attributes = {},
             std::vector<std::string> profiles = {}) {
  Node node;
  node.name = name;
  node.spec.attributes = std::move(attributes);
  node.spec.profiles = std::move(profiles);
  return node;
}

std::string value_of(const Node& node, const Definitions& known, const std::string& name) {
  NodeAttributes attributes(node, known);
  const auto value = attributes.value(name);
  if (!value) return value.error().text();
  return value->value_or("<unset>");
}

/// "value < source name (through) raw > ..": the blame in one line.
std::string blame_of(const Node& node, const Definitions& known, const std::string& name) {
  const auto text = [](const AttributeSetting& by) {
    return fmt::format("{} {}{}{}", enum_name(by.source), by.name, by.through.empty() ? "" : " of ",
                       by.through);
  };
  for (const auto& attribute : NodeAttributes(node, known).all()) {
    if (attribute.name != name) continue;
    std::string out = fmt::format("{} by {}", attribute.value, text(attribute.set_by));
    for (const auto& weaker : attribute.overrides) out += fmt::format(", over {}", text(weaker));
    return out;
  }
  return "<unset>";
}

TEST(Attributes, TheOrderIsNodeProfilesGroupsDefault) {
  Known known;
  known.add_profile("default", {{"comment", "default"}, {"site", "default"}});
  known.add_profile("base", {{"comment", "base"}, {"room", "base"}});
  known.add_profile("gpu", {{"comment", "gpu"}}, {"base"});
  known.add_profile("late", {{"comment", "late"}, {"room", "late"}, {"vendor", "late"}});
  known.add_profile("of_group", {{"comment", "of_group"}, {"asset", "of_group"}});
  known.add_group("weak", 0, {{"comment", "weak"}, {"model", "weak"}});
  known.add_group("strong", 5, {{"comment", "strong"}, {"model", "strong"}}, {"of_group"});
  const Node node = node_of("n1", {{"comment", "own"}}, {"gpu", "late"});
  EXPECT_EQ(blame_of(node, known, "comment"),
            "own by node n1, over profile gpu of node, over profile base of profile gpu, over "
            "profile late of node, over group strong, over profile of_group of group strong, over "
            "group weak, over profile default");
  EXPECT_EQ(value_of(node, known, "room"), "base") << "what a profile inherits comes with it";
  EXPECT_EQ(value_of(node, known, "vendor"), "late");
  EXPECT_EQ(value_of(node, known, "model"), "strong");
  EXPECT_EQ(value_of(node, known, "asset"), "of_group");
  EXPECT_EQ(value_of(node, known, "site"), "default");
  EXPECT_EQ(value_of(node, known, "row"), "<unset>");
}

TEST(Attributes, OfGroupsWithOnePriorityTheFirstNameWins) {
  Known known;
  known.add_group("g10", 1, {{"comment", "g10"}});
  known.add_group("g9", 1, {{"comment", "g9"}});
  EXPECT_EQ(blame_of(node_of("n1"), known, "comment"), "g9 by group g9, over group g10");
}

TEST(Attributes, ADiamondOrACircleOfProfilesEnds) {
  Known known;
  known.add_profile("a", {{"comment", "a"}}, {"b", "c"});
  known.add_profile("b", {{"comment", "b"}}, {"d", "a"});
  known.add_profile("c", {{"comment", "c"}}, {"d"});
  known.add_profile("d", {{"comment", "d"}});
  EXPECT_EQ(
      blame_of(node_of("n1", {}, {"a", "gone"}), known, "comment"),
      "a by profile a of node, over profile b of profile a, over profile d of profile b, over "
      "profile c of profile a");
}

TEST(Attributes, FormulasSeeTheNodeAndOtherAttributes) {
  Known known;
  known.add_profile("default", {{"rack", "${(number-1)/32+1}"},
                                {"slot", "${(number-1)%32+1:02d}"},
                                {"x.place", "r${rack}s${slot}"},
                                {"x.of", "${name} ${number1}/${number2} ${nid:04x}"}});
  Node node = node_of("rack2n045");
  node.spec.nid = 255;
  EXPECT_EQ(value_of(node, known, "x.place"), "r2s13");
  EXPECT_EQ(value_of(node, known, "x.of"), "rack2n045 2/45 00ff");
  node.spec.attributes["rack"] = "9";
  EXPECT_EQ(value_of(node, known, "x.place"), "r9s13") << "a stronger value reaches formulas too";
}

TEST(Attributes, FormulasFailWithTheirPlace) {
  Known known;
  known.add_profile("default", {{"x.a", "${x.b}"}, {"x.b", "${x.c+1}"}, {"x.c", "${x.a}"}});
  known.add_profile("bad", {{"rack", "${nosuch}"}, {"slot", "${rack}"}, {"row", "${nid}"}});
  EXPECT_EQ(value_of(node_of("n1"), known, "x.a"),
            "n1: attribute x.c of profile default: formulas go round in a circle: x.a -> x.b -> "
            "x.c -> x.a");
  const Node node = node_of("login", {}, {"bad"});
  EXPECT_EQ(value_of(node, known, "slot"),
            "login: attribute rack of profile bad: 'nosuch' is neither name, nid, number nor an "
            "attribute that is set");
  EXPECT_EQ(value_of(node, known, "row"),
            "login: attribute row of profile bad: the node has no nid");
  EXPECT_EQ(value_of(node_of("login", {{"unit", "${number}"}}), known, "unit"),
            "login: attribute unit of node login: the name 'login' has no number");
  EXPECT_EQ(value_of(node_of("n1", {{"unit", "${number2}"}}), known, "unit"),
            "n1: attribute unit of node n1: the name 'n1' has no 2th number");
}

TEST(Attributes, WhatAFormulaGivesMustKeepTheRule) {
  const Known known;
  const Node node = node_of("n200", {{"unit", "${number}"}, {"rack", "r${number}"}});
  const auto all = NodeAttributes(node, known).all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].problem, "");
  EXPECT_EQ(all[1].problem, "unit: '200' is not valid: expected an integer from 1 to 100");
}

TEST(Attributes, DoublingFormulasCostNoMoreThanTheirNumber) {
  Known known;
  std::map<std::string, std::string> chain{{"x.a30", "1"}};
  for (int i = 0; i < 30; ++i) {
    chain[fmt::format("x.a{}", i)] = fmt::format("${{min(x.a{0},x.a{0})}}", i + 1);
  }
  known.add_profile("default", chain);
  EXPECT_EQ(value_of(node_of("n1"), known, "x.a0"), "1");  // 2^30 steps without the memory
}

TEST(Attributes, AddressesOfInterfacesAndBmcsAreEvaluated) {
  Known known;
  known.add_profile("default", {{"rack", "7"}});
  Node node = node_of("n12");
  node.spec.interfaces = {
      {"eth0", "02:00:00:00:00:${number:02x}", {"10.1.${rack}.${number}/16"}, ""}};
  node.spec.bmc = Bmc{"bmc-${name}", BmcProtocol::ipmi, "", ""};
  NodeAttributes attributes(node, known);
  const auto interface = evaluate_interface(attributes, node.spec.interfaces[0], 0);
  ASSERT_TRUE(interface) << interface.error().text();
  EXPECT_EQ(interface->mac, "02:00:00:00:00:0c");
  EXPECT_EQ(interface->addresses[0], "10.1.7.12/16");
  EXPECT_EQ(evaluate_bmc(attributes, *node.spec.bmc)->address, "bmc-n12");
  node.spec.interfaces[0].addresses[0] = "10.1.7.${number*100}";
  EXPECT_EQ(evaluate_interface(attributes, node.spec.interfaces[0], 0).error().text(),
            "spec.interfaces[0].addresses[0]: '10.1.7.1200' is not valid: expected an IP address "
            "with or without /prefix");
}

/// Random profiles over few names, so that diamonds and circles are common.
void add_random_profiles(Known& known) {
  const auto name =
      rc::gen::map(rc::gen::inRange(0, 6), [](int i) { return fmt::format("p{}", i); });
  for (int i = 0; i < 6; ++i) {
    const auto sets = *rc::gen::arbitrary<bool>();
    std::map<std::string, std::string> attributes;
    if (sets) attributes["comment"] = fmt::format("p{}", i);
    auto inherits = *rc::gen::container<std::vector<std::string>>(name);
    known.add_profile(fmt::format("p{}", i), attributes, inherits);
  }
}

RC_GTEST_PROP(AttributesProperty, ANodesOwnValueAlwaysWins, ()) {
  Known known;
  add_random_profiles(known);
  const Node node = node_of("n1", {{"comment", "own"}}, {"p0", "p1"});
  RC_ASSERT(value_of(node, known, "comment") == "own");
}

RC_GTEST_PROP(AttributesProperty, TheBlameIsTheValueAndNamesEachPlaceOnce, ()) {
  Known known;
  add_random_profiles(known);
  const Node node = node_of("n1", {}, {"p0", "p3"});
  const auto all = NodeAttributes(node, known).all();
  const std::string value = value_of(node, known, "comment");
  if (all.empty()) {
    RC_ASSERT(value == "<unset>");
    return;
  }
  RC_ASSERT(all.size() == 1U);
  RC_ASSERT(all[0].value == value);
  RC_ASSERT(all[0].set_by.raw == value);
  std::set<std::string> places{all[0].set_by.name};
  for (const auto& weaker : all[0].overrides) RC_ASSERT(places.insert(weaker.name).second);
}

RC_GTEST_PROP(AttributesProperty, WhatIsWeakerChangesNothing, ()) {
  Known known;
  add_random_profiles(known);
  const Node node = node_of("n1", {}, {"p0"});
  const std::string before = value_of(node, known, "comment");
  known.add_profile("default", {{"comment", "weakest"}});
  const std::string after = value_of(node, known, "comment");
  RC_ASSERT(after == (before == "<unset>" ? "weakest" : before));
}

}  // namespace
}  // namespace drover::cluster
