// Xnames: the whole table of types, the forms that are taken and refused, and what follows from a
// place.
#include "cluster/xname.hpp"

#include "base/describe.hpp"

#include <set>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using Row = std::tuple<const char*, const char*, const char*>;  // xname, type, parent

class XnameTable : public ::testing::TestWithParam<Row> {};

TEST_P(XnameTable, TypeAndParent) {
  const auto& [text, type, parent] = GetParam();
  const auto parsed = parse_xname(text);
  ASSERT_TRUE(parsed) << text;
  EXPECT_EQ(parsed->text, text);
  EXPECT_EQ(enum_name(parsed->type), type) << text;
  EXPECT_EQ(parent_xname(text), parent) << text;
  EXPECT_EQ(xname_type_called(type), parsed->type);
}

INSTANTIATE_TEST_SUITE_P(
    All, XnameTable,
    ::testing::Values(
        Row{"s0", "System", ""}, Row{"all", "All", ""}, Row{"all_svc", "AllSvc", ""},
        Row{"all_comp", "AllComp", ""}, Row{"p0", "Partition", "s0"},
        Row{"p1.2", "Partition", "s0"}, Row{"sms1", "SMSBox", "s0"}, Row{"d0", "CDU", "s0"},
        Row{"d1w2", "CDUMgmtSwitch", "d1"}, Row{"x1000", "Cabinet", "s0"},
        Row{"x1d1", "CabinetCDU", "x1"}, Row{"x1e0", "CEC", "x1"}, Row{"x1b0", "CabinetBMC", "x1"},
        Row{"x3000m0", "CabinetPDUController", "x3000"},
        Row{"x3000m0i3", "CabinetPDUNic", "x3000m0"}, Row{"x3000m7p0", "CabinetPDU", "x3000m7"},
        Row{"x3000m0p0j12", "CabinetPDUOutlet", "x3000m0p0"},
        Row{"x3000m0p0v12", "CabinetPDUPowerConnector", "x3000m0p0"}, Row{"x1c7", "Chassis", "x1"},
        Row{"x1c7b0", "ChassisBMC", "x1c7"}, Row{"x1c7b0i0", "ChassisBMCNic", "x1c7b0"},
        Row{"x1c7f0", "CMMFpga", "x1c7"}, Row{"x1c7t9", "CMMRectifier", "x1c7"},
        Row{"x1c0s40", "ComputeModule", "x1c0"}, Row{"x1c0s4e0", "NodeEnclosure", "x1c0s4"},
        Row{"x1c0s4e0t1", "NodeEnclosurePowerSupply", "x1c0s4e0"},
        Row{"x1c0s4j1", "NodePowerConnector", "x1c0s4"},
        Row{"x1c0s4v2", "NodePowerConnector", "x1c0s4"}, Row{"x1c0s4b0", "NodeBMC", "x1c0s4"},
        Row{"x1c0s4b0i1", "NodeBMCNic", "x1c0s4b0"}, Row{"x1c0s4b0f0", "NodeFpga", "x1c0s4b0"},
        Row{"x1c0s4b0n3", "Node", "x1c0s4b0"}, Row{"x1c0s4b0n3v7", "VirtualNode", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3i0", "NodeNic", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3h3", "NodeHsnNic", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3a12", "NodeAccel", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3r7", "NodeAccelRiser", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3d15", "Memory", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3p1", "Processor", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3g0", "StorageGroup", "x1c0s4b0n3"},
        Row{"x1c0s4b0n3g0k1", "Drive", "x1c0s4b0n3g0"}, Row{"x1c0r3", "RouterModule", "x1c0"},
        Row{"x1c0r3b0", "RouterBMC", "x1c0r3"}, Row{"x1c0r3b0i2", "RouterBMCNic", "x1c0r3b0"},
        Row{"x1c0r3f1", "RouterFpga", "x1c0r3"}, Row{"x1c0r3t0", "RouterTOR", "x1c0r3"},
        Row{"x1c0r3t0f1", "RouterTORFpga", "x1c0r3t0"}, Row{"x1c0r3e0", "HSNBoard", "x1c0r3"},
        Row{"x1c0r3a3", "HSNAsic", "x1c0r3"}, Row{"x1c0r3a3l60", "HSNLink", "x1c0r3a3"},
        Row{"x1c0r3j10", "HSNConnector", "x1c0r3"},
        Row{"x1c0r3j10p2", "HSNConnectorPort", "x1c0r3j10"},
        Row{"x1c0r3v1", "RouterPowerConnector", "x1c0r3"}, Row{"x1c0w14", "MgmtSwitch", "x1c0"},
        Row{"x1c0w14j0", "MgmtSwitchConnector", "x1c0w14"},
        Row{"x1c0h33", "MgmtHLSwitchEnclosure", "x1c0"},
        Row{"x1c0h33s1", "MgmtHLSwitch", "x1c0h33"}),
    [](const auto& row) { return "r" + std::to_string(row.index); });

TEST(XnameTest, EveryTypeIsInTheTable) {
  std::set<std::string> seen;
  for (const char* text : {"s0",           "all",          "all_svc",
                           "all_comp",     "p0",           "sms1",
                           "d0",           "d1w2",         "x1",
                           "x1d0",         "x1e0",         "x1b0",
                           "x1m0",         "x1m0i0",       "x1m0p0",
                           "x1m0p0j1",     "x1m0p0v1",     "x1c0",
                           "x1c0b0",       "x1c0b0i0",     "x1c0f0",
                           "x1c0t0",       "x1c0s0",       "x1c0s0e0",
                           "x1c0s0e0t0",   "x1c0s0j1",     "x1c0s0b0",
                           "x1c0s0b0i0",   "x1c0s0b0f0",   "x1c0s0b0n0",
                           "x1c0s0b0n0v0", "x1c0s0b0n0i0", "x1c0s0b0n0h0",
                           "x1c0s0b0n0a0", "x1c0s0b0n0r0", "x1c0s0b0n0d0",
                           "x1c0s0b0n0p0", "x1c0s0b0n0g0", "x1c0s0b0n0g0k0",
                           "x1c0r0",       "x1c0r0b0",     "x1c0r0b0i0",
                           "x1c0r0f0",     "x1c0r0t0",     "x1c0r0t0f0",
                           "x1c0r0e0",     "x1c0r0a0",     "x1c0r0a0l0",
                           "x1c0r0j1",     "x1c0r0j1p0",   "x1c0r0v1",
                           "x1c0w1",       "x1c0w1j0",     "x1c0h1",
                           "x1c0h1s1"}) {
    const auto parsed = parse_xname(text);
    ASSERT_TRUE(parsed) << text;
    seen.insert(std::string(enum_name(parsed->type)));
  }
  EXPECT_EQ(seen.size(), enum_names(XnameType{}).size());
}

TEST(XnameTest, IsMadeCanonical) {
  EXPECT_EQ(parse_xname("  X0001C0S07B0N00\n")->text, "x1c0s7b0n0");
  EXPECT_EQ(parse_xname("x3000c0s017b00")->text, "x3000c0s17b0");
  EXPECT_EQ(parse_xname("ALL")->type, XnameType::all);
  EXPECT_EQ(parse_xname("x0000")->text, "x0");
  EXPECT_EQ(xname_type_called("nodebmc"), XnameType::node_bmc);
  EXPECT_EQ(xname_type_called("NODE"), XnameType::node);
  EXPECT_FALSE(xname_type_called("nodes"));
  EXPECT_FALSE(xname_type_called(""));
}

TEST(XnameTest, WhatBreaksTheGrammarIsRefused) {
  for (const char* text : {"",
                           " ",
                           "n1",
                           "x",
                           "x10000",
                           "x1c8",
                           "x1c0s",
                           "x1c0s0b0n",
                           "x1c0s0b0n0n0",
                           "x1c0s0n0",
                           "x1m4",
                           "x1m0i4",
                           "x1m0p8",
                           "x1m0p0j0",
                           "x1m0p0v0",
                           "x1c0b1",
                           "x1c0f1",
                           "x1c0t10",
                           "x1c0s0j0",
                           "x1c0s0j3",
                           "x1c0s0v3",
                           "x1c0s0b0f1",
                           "x1c0s0b0n0i4",
                           "x1c0s0b0n0h4",
                           "x1c0s0b0n0r8",
                           "x1c0s0b0n0p4",
                           "x1c0r0f2",
                           "x1c0r0a4",
                           "x1c0r0j0",
                           "x1c0r0j1p3",
                           "x1c0r0v0",
                           "x1c0r0v3",
                           "x1c0w0",
                           "x1c0h0",
                           "x1c0h1s0",
                           "x1c0h1s10",
                           "s1",
                           "x1 c0",
                           "x1c0s0b0n0 ;",
                           "x-1",
                           "x1c0s1234567890123456789b0",
                           "all_nodes",
                           "x1c0\xc3\xa9",
                           "p1.",
                           "p.1",
                           "sms",
                           "jp",
                           "xX",
                           "x1c0s0jp"}) {
    EXPECT_FALSE(parse_xname(text)) << text;
  }
  EXPECT_FALSE(parse_xname(std::string(200, 'x')));
  EXPECT_FALSE(parse_xname(std::string_view("x1\0", 3)));
  EXPECT_EQ(parent_xname("nonsense"), "");
}

TEST(XnameTest, LiesIn) {
  EXPECT_TRUE(lies_in("x1c0s4b0n0", "x1"));
  EXPECT_TRUE(lies_in("x1c0s4b0n0", "x1c0s4b0n0"));
  EXPECT_TRUE(lies_in("x1c0s4b0n0", "s0"));
  EXPECT_TRUE(lies_in("d0", "all"));
  EXPECT_FALSE(lies_in("x10c0s4b0n0", "x1"));
  EXPECT_FALSE(lies_in("x1c0s40b0", "x1c0s4"));
  EXPECT_FALSE(lies_in("x1", "x1c0"));
}

TEST(XnameTest, Controllers) {
  for (const char* text :
       {"x1c0b0", "x1c0r0b0", "x1c0s0b0", "x1m0", "x1c0w1", "x1c0h1s1", "d0w1"}) {
    EXPECT_TRUE(is_controller(parse_xname(text)->type)) << text;
  }
  for (const char* text : {"x1", "x1c0s0b0n0", "x1c0", "s0", "x1c0w1j1", "x1m0p0"}) {
    EXPECT_FALSE(is_controller(parse_xname(text)->type)) << text;
  }
}

TEST(XnameTest, NumbersFollowFromPlaces) {
  const auto nid = [](const char* text) { return nid_of_place(*parse_xname(text)); };
  EXPECT_EQ(nid("x0c0s0b0n0"), 16384);
  EXPECT_EQ(nid("x0c0s0b0n2"), 16386);
  std::set<uint64_t> seen;
  for (const char* cabinet : {"x0", "x1", "x9999"}) {
    for (const char* chassis : {"c0", "c7"}) {
      for (const char* slot : {"s0", "s1", "s63"}) {
        for (const char* rest : {"b0n0", "b0n7", "b7n0", "b7n7"}) {
          const auto number = nid((std::string(cabinet) + chassis + slot + rest).c_str());
          ASSERT_TRUE(number);
          EXPECT_TRUE(seen.insert(*number).second) << cabinet << chassis << slot << rest;
        }
      }
    }
  }
  EXPECT_FALSE(nid("x0c0s64b0n0"));
  EXPECT_FALSE(nid("x0c0s0b8n0"));
  EXPECT_FALSE(nid("x0c0s0b0n8"));
  EXPECT_FALSE(nid("x0c0s0b0"));
  EXPECT_FALSE(nid("x0c0s0b0n0v0"));
}

}  // namespace
}  // namespace drover::cluster
