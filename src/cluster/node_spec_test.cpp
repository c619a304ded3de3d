// Every field's rule, good and bad, and that bodies from before there were specs can be read.
#include "cluster/node_spec.hpp"

#include "cluster/attribute_catalogue.hpp"
#include "cluster/group.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

NodeSpec spec_of(const std::string& text) {
  auto spec = decode_text<NodeSpec>(text);
  EXPECT_TRUE(spec) << (spec ? "" : spec.error().text());
  return spec.value_or(NodeSpec());
}

std::string error_of(const std::string& text) {
  NodeSpec spec = spec_of(text);
  const Status status = normalise(spec, "n1");
  return status ? "none" : status.error().text();
}

TEST(NodeSpec, ABodyWithoutOneCanBeReadAndSaysNothing) {
  const auto node = decode_text<Node>(
      R"({"name":"n1","id":"1","role":"compute","phase":{"state":"up"}})", Unknown::ignore);
  ASSERT_TRUE(node) << node.error().text();
  EXPECT_EQ(node->spec, NodeSpec());
  EXPECT_EQ(node->spec.owner, "root");
  EXPECT_EQ(node->spec.mode, "0755");
  EXPECT_FALSE(node->spec.bmc);
}

TEST(NodeSpec, BecomesCanonicalAndSurvivesTheCodec) {
  NodeSpec spec = spec_of(R"({"nid":17,"aliases":["x1000c0s0b0n0"],"mode":"750",
    "interfaces":[{"name":"eth0","mac":"02-AB-CD-00-00-01","network":"mgmt",
                   "addresses":["10.0.0.1/16","2001:DB8:0:0:0:0:0:1"]},
                  {"name":"ib0","mac":"80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01"}],
    "bmc":{"address":"10.1.0.1","protocol":"ipmi","mac":"02ab.cd00.0002","user":"admin"},
    "profiles":["gpu"],"attributes":{"rack":"r${(number-1)/32}","x.team":"a b"},
    "owner":"alice","group":"any","description":"the first"})");
  const Status status = normalise(spec, "n1");
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ(spec.interfaces[0].mac, "02:ab:cd:00:00:01");
  EXPECT_EQ(spec.interfaces[0].addresses[1], "2001:db8::1");
  EXPECT_EQ(spec.bmc->mac, "02:ab:cd:00:00:02");
  EXPECT_EQ(spec.mode, "0750");
  EXPECT_EQ(spec_of(encode(spec)), spec);
  NodeSpec again = spec;
  ASSERT_TRUE(normalise(again, "n1"));
  EXPECT_EQ(again, spec);
}

struct Bad {
  std::string_view spec;
  std::string_view error;
};

TEST(NodeSpec, EveryErrorNamesFieldValueAndRule) {
  const std::vector<Bad> cases{
      {R"({"nid":9007199254740992})",
       "spec.nid: '9007199254740992' is not valid: expected 0 to 9007199254740991"},
      {R"({"aliases":["N1"]})",
       "spec.aliases[0]: 'N1' cannot name a node: upper-case letters are not allowed, since host "
       "names ignore case"},
      {R"({"aliases":["n1"]})",
       "spec.aliases[0]: 'n1' is not valid: expected a name other than the node's own"},
      {R"({"aliases":["a","a"]})", "spec.aliases[1]: 'a' is not valid: expected each alias once"},
      {R"({"interfaces":[{"name":""}]})",
       "spec.interfaces[0].name: '' is not valid: expected a name such as eth0, got nothing"},
      {R"({"interfaces":[{"name":"a b"}]})",
       "spec.interfaces[0].name: 'a b' is not valid: expected 1 to 63 letters, digits and ._-:@"},
      {R"({"interfaces":[{"name":"e"},{"name":"e"}]})",
       "spec.interfaces[1].name: 'e' is not valid: expected each interface once"},
      {R"({"interfaces":[{"name":"e","mac":"02:00:00:00:00"}]})",
       "spec.interfaces[0].mac: '02:00:00:00:00' is not valid: expected the 6, 8 or 20 octets of "
       "one interface in hexadecimal, such as 02:00:00:00:00:01"},
      {R"({"interfaces":[{"name":"e","addresses":["10.0.0.1","10.0.0.1/8"]}]})",
       "spec.interfaces[0].addresses[1]: '10.0.0.1/8' is not valid: expected each address once"},
      {R"({"interfaces":[{"name":"e","addresses":["10.0.0.256"]}]})",
       "spec.interfaces[0].addresses[0]: '10.0.0.256' is not valid: expected an IPv4 or IPv6 "
       "address with or without /prefix, such as 10.0.0.1/16"},
      {R"({"interfaces":[{"name":"e","addresses":["10.0.0.${number"]}]})",
       "spec.interfaces[0].addresses[0]: formula '10.0.0.${number', column 16: expected '}' at the "
       "end of the formula"},
      {R"({"bmc":{}})",
       "spec.bmc: '' is not valid: expected an address or a MAC, by which it is found"},
      {R"({"bmc":{"address":"BMC_1"}})",
       "spec.bmc.address: 'BMC_1' is not valid: expected a host name in lower case or an IP "
       "address without prefix"},
      {R"({"profiles":["a","a"]})", "spec.profiles[1]: 'a' is not valid: expected each name once"},
      {R"({"profiles":["1a"]})",
       "spec.profiles[0]: '1a' is not valid: expected a letter or '_' at the beginning"},
      {R"({"attributes":{"rakc":"1"}})",
       "spec.attributes: 'rakc' is not valid: expected a known attribute (did you mean rack?) or, "
       "for a site's own, x.NAME"},
      {R"({"attributes":{"x.Team":"1"}})",
       "spec.attributes: 'x.Team' is not valid: expected words of lower-case letters, digits and "
       "'_' joined by dots, at most 128 bytes"},
      {R"({"attributes":{"unit":"101"}})",
       "spec.attributes.unit: '101' is not valid: expected an integer from 1 to 100"},
      {R"({"attributes":{"arch":"arm"}})",
       "spec.attributes.arch: 'arm' is not valid: expected one of x86_64, aarch64, ppc64le, "
       "riscv64, other"},
      {R"({"attributes":{"nameservers":"10.0.0.1,dns"}})",
       "spec.attributes.nameservers: '10.0.0.1,dns' is not valid: expected IP addresses joined by "
       "commas"},
      {R"({"attributes":{"comment":"a\u001bb"}})",
       "spec.attributes.comment: 'a\\x1bb' is not valid: expected one line without control "
       "characters"},
      {R"({"aliases":["compute"]})",
       "spec.aliases[0]: 'compute' is not valid: expected another name, since that group is always "
       "there"},
      {R"({"attributes":{"unit":"${1+}"}})",
       "spec.attributes.unit: formula '${1+}', column 5: expected a number, a variable or '('"},
      {R"({"attributes":{"unit":"${nid+number12+rack}${rakc}"}})",
       "spec.attributes.unit: '${nid+number12+rack}${rakc}' is not valid: expected name, nid, "
       "number, "
       "number1 .. or an attribute in a formula, not 'rakc'"},
      {R"({"owner":"a b"})",
       "spec.owner: 'a b' is not valid: expected a login name, a number or 'any': 1 to 64 letters, "
       "digits and ._-@$"},
      {R"({"group":""})",
       "spec.group: '' is not valid: expected a login name, a number or 'any': 1 to 64 letters, "
       "digits and ._-@$"},
      {R"({"mode":"0788"})",
       "spec.mode: '0788' is not valid: expected three octal digits, such as 0750"},
      {R"({"mode":"4755"})",
       "spec.mode: '4755' is not valid: expected three octal digits, such as 0750"},
  };
  for (const Bad& bad : cases) {
    EXPECT_EQ(error_of(std::string(bad.spec)), bad.error);
  }
}

TEST(NodeSpec, TooManyOfAnythingIsRefused) {
  NodeSpec spec;
  for (size_t i = 0; i <= kMaxAliases; ++i) spec.aliases.push_back(fmt::format("a{}", i));
  EXPECT_EQ(normalise(spec, "n1").error().message,
            "spec.aliases: '65 entries' is not valid: expected at most 64");
  spec = {};
  for (size_t i = 0; i <= kMaxAttributes; ++i) spec.attributes[fmt::format("x.a{}", i)] = "";
  EXPECT_EQ(normalise(spec, "n1").error().message,
            "spec.attributes: '257 attributes' is not valid: expected at most 256");
  spec = {};
  spec.attributes["comment"] = std::string(4097, 'a');
  EXPECT_FALSE(normalise(spec, "n1"));
}

TEST(Group, IsEitherStaticOrDynamic) {
  Group group;
  group.name = "rack1";
  group.nodes = "n2,n1,n10,n3";
  ASSERT_TRUE(normalise(group));
  EXPECT_EQ(group.nodes, "n[1-3,10]");
  EXPECT_FALSE(group.is_dynamic());
  group.range = "phase=up";
  EXPECT_EQ(normalise(group).error().message,
            "range: 'phase=up' is not valid: expected either nodes (a static group) or range (a "
            "dynamic one), got both");
  group.nodes.clear();
  EXPECT_TRUE(normalise(group));
  EXPECT_TRUE(group.is_dynamic());
  group.range = "n[1-";
  EXPECT_NE(normalise(group).error().message.find("range: 'n[1-' is not valid: column"),
            std::string::npos);
  group.range.clear();
  group.nodes = "@other";
  EXPECT_FALSE(normalise(group)) << "a static group has names alone";
  group.nodes.clear();
  EXPECT_TRUE(normalise(group)) << "an empty static group";
}

TEST(Group, HasANameOfItsOwnAndAPriorityWithinBounds) {
  for (const std::string name : {"compute", "utility", "all", "", "9x", "a b", "-x"}) {
    Group group;
    group.name = name;
    EXPECT_FALSE(normalise(group)) << name;
  }
  Group group;
  group.name = "Rack_1.a-b";
  group.priority = kMaxPriority + 1;
  EXPECT_EQ(normalise(group).error().message,
            "priority: '1000001' is not valid: expected -1000000 to 1000000");
}

TEST(Profile, IsChecked) {
  Profile profile;
  profile.name = "gpu";
  profile.inherits = {"base"};
  profile.attributes = {{"kernel_args", "quiet rack=${rack}"}};
  EXPECT_TRUE(normalise(profile));
  profile.inherits = {"base", "base"};
  EXPECT_EQ(normalise(profile).error().message,
            "inherits[1]: 'base' is not valid: expected each name once");
  profile.inherits = {};
  profile.attributes = {{"mtu", "9"}};
  EXPECT_EQ(normalise(profile).error().message,
            "attributes.mtu: '9' is not valid: expected an integer from 68 to 65535");
}

TEST(AttributeCatalogue, EveryRowHasAHelpAndADistinctName) {
  std::string_view before;
  for (const AttributeRow& row : attribute_catalogue()) {
    EXPECT_TRUE(row.help.ends_with('.')) << row.name;
    EXPECT_EQ(find_attribute_row(row.name), &row);
    EXPECT_EQ(row.type == AttributeType::integer, row.least < row.most) << row.name;
    EXPECT_EQ(row.type == AttributeType::choice, !row.choices.empty()) << row.name;
    EXPECT_NE(row.name, before);
    before = row.name;
  }
}

}  // namespace
}  // namespace drover::cluster
