// The inventory's form on the wire: canonical, and what a master reads.
#include "cluster/inventory.hpp"
#include "os/host/inventory.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(InventoryJson, IsCanonical) {
  const std::vector<Part> parts{{"cpu", "socket0", "", {{"model", "x \"y\""}, {"threads", "8"}}},
                                {"disk", "sda", "S1", {}}};
  EXPECT_EQ(encode_inventory(parts),
            R"({"parts":[{"kind":"cpu","slot":"socket0","serial":"","attributes":)"
            R"({"model":"x \"y\"","threads":"8"}},)"
            R"({"kind":"disk","slot":"sda","serial":"S1","attributes":{}}],)"
            R"("summary":{"cpus":8,"memory_mib":0,"gpus":0,"os":"","kernel":""}})");
}

TEST(InventoryJson, AMasterReadsWhatTheRealMachineSays) {
  const auto parts = read_inventory(HostRoot());
  ASSERT_TRUE(parts) << parts.error().text();
  const auto report = cluster::parse_inventory(encode_inventory(*parts));
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->parts.size(), parts->size());
  for (size_t i = 0; i < parts->size(); ++i) {
    EXPECT_EQ(report->parts[i].kind, (*parts)[i].kind);
    EXPECT_EQ(report->parts[i].slot, (*parts)[i].slot);
    EXPECT_EQ(report->parts[i].attributes.size(), (*parts)[i].attributes.size());
  }
  EXPECT_EQ(report->summary.cpus, summarize(*parts).cpus);
  EXPECT_EQ(report->summary.kernel, summarize(*parts).kernel);
}

}  // namespace
}  // namespace drover::os
