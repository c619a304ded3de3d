// What several nodes may have in common: the BMC of a chassis.
#include "cluster/claims.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/memory_store.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

class ClaimsTest : public ::testing::Test {
 protected:
  static NodeSpec spec(const std::string& text) {
    auto out = decode_text<NodeSpec>(text);
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out.value_or(NodeSpec());
  }
  /// Runs one mutation; "ok" or the error's text. (Nothing is undone: the store does that.)
  template <typename Change>
  std::string run(Change change, DefinitionWriter::Mode mode = DefinitionWriter::Mode::single) {
    DefinitionWriter writer(tx, mode);
    Status status = change(writer);
    if (status) status = writer.finish();
    return status ? "ok" : status.error().text();
  }
  std::string add(const std::string& name, const std::string& text) {
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
  std::string remove(const std::string& name) {
    return run([&](DefinitionWriter& w) { return w.remove_node(name); });
  }

  testing::MemoryTransaction tx;
};

TEST_F(ClaimsTest, NodesOfOneChassisShareItsBmcWhenTheySayTheSameOfIt) {
  const std::string bmc = R"({"bmc":{"address":"10.1.0.1","mac":"02:00:00:00:00:02","user":"a"}})";
  ASSERT_EQ(add("n1", bmc), "ok");
  ASSERT_EQ(add("n2", bmc), "ok");
  ASSERT_EQ(add("n3", R"({"bmc":{"address":"10.1.0.${number-2}","mac":"02:00:00:00:00:02",
                                 "user":"a"}})"),
            "ok")
      << "what formulas give counts";
  const std::string differs =
      "'10.1.0.1' is taken: node 'n1' has it for its BMC, of which address, protocol, MAC or user "
      "differ";
  const std::vector<std::pair<std::string, std::string>> refused{
      {R"({"bmc":{"address":"10.1.0.1","mac":"02:00:00:00:00:02","user":"b"}})",
       "spec.bmc.address: " + differs},
      {R"({"bmc":{"address":"10.1.0.1","mac":"02:00:00:00:00:02","user":"a","protocol":"ipmi"}})",
       "spec.bmc.address: " + differs},
      {R"({"bmc":{"address":"10.1.0.1","user":"a"}})", "spec.bmc.address: " + differs},
      {R"({"bmc":{"address":"10.1.0.2","mac":"02:00:00:00:00:02","user":"a"}})",
       "spec.bmc.mac: '02:00:00:00:00:02' is taken: node 'n1' has it for its BMC, of which "
       "address, protocol, MAC or user differ"},
      {R"({"interfaces":[{"name":"a","addresses":["10.1.0.1/16"]}]})",
       "spec.interfaces[0].addresses[0]: '10.1.0.1' is taken: node 'n1' has it for its BMC"},
      {R"({"interfaces":[{"name":"a","mac":"02:00:00:00:00:02"}]})",
       "spec.interfaces[0].mac: '02:00:00:00:00:02' is taken: node 'n1' has it for its BMC"}};
  for (const auto& [text, error] : refused) EXPECT_EQ(add("n4", text), error);
  EXPECT_EQ(set("n2", R"({"bmc":{"address":"10.1.0.1","user":"a"}})"),
            "spec.bmc.address: " + differs)
      << "one of them alone says something else";
  // It stays taken until the last of them lets it go, in whatever order they do.
  EXPECT_EQ(remove("n1"), "ok");
  EXPECT_EQ(set("n3", "{}"), "ok");
  const std::string interface = R"({"interfaces":[{"name":"a","addresses":["10.1.0.1"]}]})";
  EXPECT_EQ(add("n4", interface),
            "spec.interfaces[0].addresses[0]: '10.1.0.1' is taken: node 'n2' has it for its BMC");
  EXPECT_EQ(set("n2", "{}"), "ok");
  EXPECT_EQ(add("n4", interface), "ok");
  EXPECT_EQ(add("n5", bmc), "spec.bmc.address: '10.1.0.1' is taken: node 'n4' has it");
}

TEST_F(ClaimsTest, AllWhoShareABmcMayChangeItTogether) {
  const std::string first = R"({"bmc":{"address":"10.1.0.1","user":"a"}})";
  const std::string second = R"({"bmc":{"address":"10.1.0.1","user":"b"}})";
  for (const char* name : {"n1", "n2", "n3"}) ASSERT_EQ(add(name, first), "ok");
  const auto change = [&](const std::vector<std::string>& names, const std::string& to) {
    return run(
        [&](DefinitionWriter& w) -> Status {
          for (const std::string& name : names) DROVER_CHECK_OK(w.put_spec(name, spec(to)));
          return {};
        },
        DefinitionWriter::Mode::together);
  };
  EXPECT_EQ(change({"n1", "n2", "n3"}, second), "ok");
  EXPECT_EQ(change({"n1", "n2"}, first),
            "node 'n1': spec.bmc.address: '10.1.0.1' is taken: node 'n3' has it for its BMC, of "
            "which address, protocol, MAC or user differ");
}

TEST_F(ClaimsTest, OneBmcHasNoMoreNodesThanAChassis) {
  const std::string bmc = R"({"bmc":{"address":"10.1.0.1"}})";
  for (size_t i = 1; i <= kMostOnOneBmc; ++i) ASSERT_EQ(add(fmt::format("n{}", i), bmc), "ok");
  EXPECT_EQ(add("m1", bmc),
            "spec.bmc.address: '10.1.0.1' is taken: node 'n64' has it for its BMC, with as many "
            "others as may share one");
}

}  // namespace
}  // namespace drover::cluster
