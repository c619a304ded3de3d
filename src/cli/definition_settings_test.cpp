#include "cli/definition_settings.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using Words = std::vector<std::string>;

std::string set(const Words& words) {
  const auto patch = node_settings(words);
  return patch ? *patch : patch.error().message;
}
std::string unset(const Words& names) {
  const auto patch = node_unsettings(names);
  return patch ? *patch : patch.error().message;
}

TEST(DefinitionSettings, BecomeAMergePatch) {
  EXPECT_EQ(set({"service=maintenance", "enabled=false"}),
            R"({"service":"maintenance","enabled":false})");
  EXPECT_EQ(set({"nid=7", "mode=0750", "owner=alice", "spec.description=a=b"}),
            R"({"spec":{"nid":7,"mode":"0750","owner":"alice","description":"a=b"}})");
  EXPECT_EQ(set({"rack=3", "attr.row=a", "x.team.name=b c", "unit=12"}),
            R"({"spec":{"attributes":{"rack":"3","row":"a","x.team.name":"b c","unit":"12"}}})");
  EXPECT_EQ(set({"bmc.address=10.0.0.1", "bmc.protocol=ipmi"}),
            R"({"spec":{"bmc":{"address":"10.0.0.1","protocol":"ipmi"}}})");
}

TEST(DefinitionSettings, ListsBecomeEdits) {
  EXPECT_EQ(set({"profiles+=c", "aliases=a,b", "profiles="}),
            R"({"edits":[{"field":"profiles","how":"add","interface":"","values":["c"]},)"
            R"({"field":"aliases","how":"replace","interface":"","values":["a","b"]},)"
            R"({"field":"profiles","how":"replace","interface":"","values":[]}]})");
  EXPECT_EQ(
      set({"rack=1", "eth0.address-=2,3", "eth0.100.mac=w"}),
      R"({"spec":{"attributes":{"rack":"1"}},)"
      R"("edits":[{"field":"addresses","how":"remove","interface":"eth0","values":["2","3"]},)"
      R"({"field":"mac","how":"replace","interface":"eth0.100","values":["w"]}]})");
  EXPECT_EQ(set({"interfaces.eth0.mac=w"}), set({"eth0.mac=w"}));
  EXPECT_EQ(unset({"interface.eth0", "eth0.100.mac"}),
            R"({"edits":[{"field":"interface","how":"remove","interface":"eth0","values":[]},)"
            R"({"field":"mac","how":"replace","interface":"eth0.100","values":[]}]})");
}

TEST(DefinitionSettings, NamesGoBackToTheirDefaults) {
  EXPECT_EQ(unset({"nid", "rack", "x.y", "bmc", "profiles"}),
            R"({"spec":{"nid":null,"attributes":{"rack":null,"x.y":null},"bmc":null,)"
            R"("profiles":null}})");
  EXPECT_EQ(unset({"bmc.user"}), R"({"spec":{"bmc":{"user":null}}})");
  EXPECT_EQ(unset({"service"}).substr(0, 21), "service cannot be set");
}

TEST(DefinitionSettings, MistakesAreNamed) {
  EXPECT_EQ(set({"maintenance"}), "\"maintenance\" is not a setting: expected NAME=VALUE");
  EXPECT_EQ(set({"=1"}), "\"=1\" is not a setting: expected NAME=VALUE");
  EXPECT_EQ(set({"name=n2"}), "name cannot be set: a node is renamed");
  EXPECT_EQ(set({"phase=up"}), "phase cannot be set: it is what is seen of the machine");
  EXPECT_EQ(set({"rakc=1"}), "rakc cannot be set; did you mean rack?");
  EXPECT_EQ(set({"profile=a"}), "profile cannot be set; did you mean profiles?");
  EXPECT_EQ(set({"rack+=1"}), "rack holds one value: use rack=VALUE");
  EXPECT_EQ(set({"eth0.mac+=1"}), "eth0.mac holds one value: use eth0.mac=VALUE");
  // Not an interface of that name.
  EXPECT_EQ(set({"intefaces.eth0.mac=w"}).substr(0, 34), "intefaces.eth0.mac cannot be set; ");
  EXPECT_NE(set({"bmc.password=1"}).find("cannot be set"), std::string::npos);
}

TEST(DefinitionSettings, GroupsAndProfilesHaveTheirs) {
  EXPECT_EQ(*group_settings({"nodes=n[1-2]", "priority=-5", "profiles=a,b", "rack=1"}),
            R"({"nodes":"n[1-2]","priority":-5,"profiles":["a","b"],"attributes":{"rack":"1"}})");
  EXPECT_EQ(*profile_settings({"inherits=base", "kernel_args=a=b c"}),
            R"({"inherits":["base"],"attributes":{"kernel_args":"a=b c"}})");
  EXPECT_EQ(*group_unsettings({"range", "rack"}), R"({"range":null,"attributes":{"rack":null}})");
  EXPECT_EQ(profile_settings({"nodes=n1"}).error().message.substr(0, 19), "nodes cannot be set");
  EXPECT_FALSE(profile_unsettings({"range"}));
}

TEST(DefinitionSettings, ListsOfGroupsAndProfilesBecomeEdits) {
  EXPECT_EQ(*group_settings({"profiles+=gpu,x", "priority=1", "profiles-=old"}),
            R"({"edits":[{"field":"profiles","how":"add","values":["gpu","x"]},)"
            R"({"field":"profiles","how":"remove","values":["old"]}],"priority":1})");
  EXPECT_EQ(*profile_settings({"inherits-=base"}),
            R"({"edits":[{"field":"inherits","how":"remove","values":["base"]}]})");
  EXPECT_EQ(group_settings({"priority+=1"}).error().message,
            "priority holds one value: use priority=VALUE");
  EXPECT_EQ(group_settings({"nodes+=n3"}).error().next, "drover group members GROUP --add n3");
}

}  // namespace
}  // namespace drover::cli
