// Maps and lists that people write: what is read, and where a mistake is.
#include "cluster/discovery/adopt_request.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

std::string mistake(const Result<AdoptMap>& read) {
  EXPECT_FALSE(read);
  return read ? "" : read.error().message;
}

TEST(AdoptMap, IsReadAsPeopleWriteIt) {
  const auto map = parse_adopt_map(R"(# two racks and an odd one
racks:
  - {nodes: "r1n[01-42]", first: 10.1.1.1, rack: r1}
  - nodes: r2n[1-8]
    first: 10.1.2.1
    per_bmc: 4
nodes:
  n100: {bmc: 10.1.9.7, system: Node1}
  n101: {serial: 0123}
  n102: {mac: "52-54-00-77-00-01"}
  n103: {port: leaf1/7}
)");
  ASSERT_TRUE(map) << map.error().text();
  ASSERT_EQ(map->racks.size(), 2U);
  EXPECT_EQ(map->racks[1].per_bmc, 4U);
  ASSERT_EQ(map->nodes.size(), 4U);
  EXPECT_EQ(map->nodes[0].system, "Node1");
  EXPECT_EQ(map->nodes[1].serial, "0123");  // as it was written
  EXPECT_EQ(decode_text<AdoptMap>(encode(*map)).value(), *map);
}

TEST(AdoptMap, MistakesSayTheirLine) {
  EXPECT_EQ(mistake(parse_adopt_map("nodes:\n  n1: {colour: red}\n")),
            "line 2: 'colour' is none of bmc, system, serial, mac and port");
  EXPECT_EQ(mistake(parse_adopt_map("nodes:\n  n1: {system: Node1}\n")).substr(0, 7), "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("nodes:\n  N1: {serial: a}\n")).substr(0, 7), "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("nodes:\n  n1: [a]\n")).substr(0, 7), "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("nodes: [n1]\n")),
            "line 1: nodes: expected a map by their names");
  EXPECT_EQ(mistake(parse_adopt_map("racks:\n - {nodes: n1, first: nowhere}\n")).substr(0, 7),
            "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("racks:\n - {nodes: n1, first: 10.0.0.1, per_bmc: 0}\n"))
                .substr(0, 7),
            "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("racks:\n - {nodes: '@x', first: 10.0.0.1}\n")).substr(0, 7),
            "line 2:");
  EXPECT_EQ(mistake(parse_adopt_map("shelves: []\n")),
            "line 1: 'shelves' is neither nodes nor racks");
  EXPECT_EQ(mistake(parse_adopt_map("")), "line 1: expected a map with nodes or racks");
  EXPECT_FALSE(parse_adopt_map("nodes:\n  n1: {mac: zz}\n"));
  EXPECT_FALSE(parse_adopt_map("nodes: {n1: {serial: a}, n1: {serial: b}}\n"));
  EXPECT_FALSE(parse_adopt_map("racks: [{nodes: 'n[1-999999]', first: 10.0.0.1}]\n"));
  EXPECT_EQ(parse_adopt_map(std::string(size_t{5} << 20, ' ')).error().code, Code::too_large);
}

TEST(SerialList, IsLinesOfTwoWords) {
  const auto list = parse_serial_list("# from the delivery note\nS1 n1\n\n S2,n2\r\nS3\tn3");
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->nodes.size(), 3U);
  EXPECT_EQ(list->nodes[1].serial, "S2");
  EXPECT_EQ(list->nodes[1].node, "n2");
  EXPECT_EQ(mistake(parse_serial_list("S1 n1\nS2\n")),
            "line 2: expected a serial number and a node");
  EXPECT_EQ(mistake(parse_serial_list("S1 n1\nS1 n2\n")), "line 2: S1 stands there twice");
  EXPECT_FALSE(parse_serial_list("S1 n1\nS2 n1\n"));
  EXPECT_FALSE(parse_serial_list("S1 Not_A_Name\n"));
}

TEST(AdoptRequest, KeepsToItsRules) {
  AdoptRequest request;
  request.names = "n[1-8]";
  EXPECT_TRUE(check(request));
  request.by = AdoptBy::map;
  EXPECT_EQ(check(request).error().message, "map: by=map needs one that says something");
  request.map.nodes.push_back({.node = "n1", .bmc = "10.0.0.1"});
  EXPECT_TRUE(check(request));
  request.by = AdoptBy::address;
  EXPECT_FALSE(check(request));
  request.map = {};
  request.names = "n[1-";
  EXPECT_FALSE(check(request));
  request.names = "n[1-8]";
  request.bmcs = {"10.0.0.0/8"};
  EXPECT_EQ(check(request).error().code, Code::too_large);
  request.bmcs.clear();
  request.group = "no group!";
  EXPECT_FALSE(check(request));
}

}  // namespace
}  // namespace drover::cluster
