#include "cluster/spec_edit.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using Texts = std::vector<std::string>;

SpecEdit edit(EditField field, EditHow how, Texts values, std::string interface = "") {
  return {field, how, std::move(interface), std::move(values)};
}

NodeSpec spec_of_two_interfaces() {
  NodeSpec spec;
  spec.profiles = {"a", "b"};
  spec.interfaces = {{"eth0", "m", {"1"}, "n"}, {"eth0.100", "v", {}, ""}};
  return spec;
}

TEST(SpecEdit, ListsAreEditedInOrder) {
  NodeSpec spec = spec_of_two_interfaces();
  const std::vector<SpecEdit> edits{edit(EditField::profiles, EditHow::add, {"c", "b"}),
                                    edit(EditField::profiles, EditHow::remove, {"a", "z"}),
                                    edit(EditField::aliases, EditHow::replace, {"x", "y", "x"})};
  ASSERT_TRUE(apply_edits(spec, edits));
  EXPECT_EQ(spec.profiles, (Texts{"b", "c"}));
  EXPECT_EQ(spec.aliases, (Texts{"x", "y"}));
  ASSERT_TRUE(apply_edits(spec, edits));
  EXPECT_EQ(spec.profiles, (Texts{"b", "c"})) << "a second time changes nothing";
}

TEST(SpecEdit, InterfacesAreMadeChangedAndRemoved) {
  NodeSpec spec = spec_of_two_interfaces();
  ASSERT_TRUE(apply_edits(
      spec, std::vector<SpecEdit>{edit(EditField::addresses, EditHow::add, {"2", "3"}, "eth0"),
                                  edit(EditField::addresses, EditHow::remove, {"1"}, "eth0"),
                                  edit(EditField::mac, EditHow::replace, {"w"}, "eth0.100"),
                                  edit(EditField::mac, EditHow::replace, {"i"}, "ib0"),
                                  edit(EditField::network, EditHow::replace, {}, "eth9"),
                                  edit(EditField::addresses, EditHow::remove, {"1"}, "eth8")}));
  const std::vector<Interface> wanted{
      {"eth0", "m", {"2", "3"}, "n"}, {"eth0.100", "w", {}, ""}, {"ib0", "i", {}, ""}};
  EXPECT_EQ(spec.interfaces, wanted);
  ASSERT_TRUE(apply_edits(
      spec, std::vector<SpecEdit>{edit(EditField::interface, EditHow::remove, {}, "eth0"),
                                  edit(EditField::mac, EditHow::replace, {}, "ib0")}));
  EXPECT_EQ(spec.interfaces,
            (std::vector<Interface>{{"eth0.100", "w", {}, ""}, {"ib0", "", {}, ""}}));
}

TEST(SpecEdit, WhatDoesNotFitIsRefused) {
  const auto why = [](const SpecEdit& wrong) {
    NodeSpec spec = spec_of_two_interfaces();
    const std::vector<SpecEdit> edits{edit(EditField::profiles, EditHow::add, {}), wrong};
    const Status done = apply_edits(spec, edits);
    return done ? std::string("ok") : done.error().text();
  };
  EXPECT_EQ(why(edit(EditField::profiles, EditHow::add, {"c"}, "eth0")),
            "edits[1]: profiles takes no name in \"interface\"");
  EXPECT_EQ(why(edit(EditField::mac, EditHow::replace, {"c"})),
            "edits[1]: mac needs a name in \"interface\"");
  EXPECT_EQ(why(edit(EditField::mac, EditHow::add, {"c"}, "eth0")),
            "edits[1]: mac holds one value: it can only be replaced, by one value at most");
  EXPECT_EQ(why(edit(EditField::network, EditHow::replace, {"c", "d"}, "eth0")),
            "edits[1]: network holds one value: it can only be replaced, by one value at most");
  EXPECT_EQ(why(edit(EditField::interface, EditHow::replace, {}, "eth0")),
            "edits[1]: an interface as a whole can only be removed, without values");
  NodeSpec spec;
  EXPECT_EQ(apply_edits(spec, std::vector<SpecEdit>(kMaxEdits + 1)).error().code, Code::too_large);
}

}  // namespace
}  // namespace drover::cluster
