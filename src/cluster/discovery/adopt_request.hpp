// What people say when found machines are to become nodes: names in order, or a map of places.
// Pure.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// By what a machine gets its node.
enum class AdoptBy : uint8_t {
  address,  ///< names in the order of the BMCs' addresses, then of the machines behind each
  map,      ///< what a map says of BMC, serial number, MAC or switch port; racks by address
  port,     ///< the node whose switch_port a relay saw the machine at, else a name by its number
};
std::span<const std::string_view> enum_names(AdoptBy);

/// Most rows of each list of a map.
inline constexpr size_t kMostPlaces = 20'000;

/// One row of a map: the machine of which everything holds that is said is that node.
struct AdoptPlace {
  static constexpr std::string_view kTypeName = "AdoptPlace";
  std::string node;
  std::string bmc = {};     ///< address
  std::string system = {};  ///< id among those of the BMC
  std::string serial = {};
  std::string mac = {};   ///< of one of its interfaces
  std::string port = {};  ///< that a relay saw it at
  bool operator==(const AdoptPlace&) const = default;
  void describe(Visitor& v);
};

/// BMCs whose addresses follow one another as their machines do in a rack.
struct AdoptRack {
  static constexpr std::string_view kTypeName = "AdoptRack";
  std::string nodes;     ///< names of the places in order, "r1n[01-42]"
  std::string first;     ///< address of the BMC at the first place
  uint32_t per_bmc = 1;  ///< machines behind one BMC
  std::string rack;      ///< attribute that they get; empty: none
  std::string xname;     ///< of the BMC at the first place, "x3000c0s1b0"; empty: none
  bool operator==(const AdoptRack&) const = default;
  void describe(Visitor& v);
};

/// The xname of a machine of the `bmc`-th BMC of a rack, both counted from 0; empty where the rack
/// has none, or no xname is left there.
std::string rack_xname(const AdoptRack& rack, uint64_t bmc, uint32_t machine);

struct AdoptMap {
  static constexpr std::string_view kTypeName = "AdoptMap";
  std::vector<AdoptPlace> nodes;
  std::vector<AdoptRack> racks;
  bool operator==(const AdoptMap&) const = default;
  void describe(Visitor& v);
};

/// Body of POST /discover/adopt.
struct AdoptRequest {
  static constexpr std::string_view kTypeName = "AdoptRequest";
  AdoptBy by = AdoptBy::address;
  std::string names;              ///< noderange of names to give, in order; need not be nodes yet
  std::vector<std::string> bmcs;  ///< addresses, runs and networks of BMCs; empty: all
  AdoptMap map;
  std::string network;  ///< of each new node's first interface
  std::string address;  ///< of each new node's first interface; may hold formulas
  std::string group;    ///< that new nodes become members of
  std::string why;
  bool operator==(const AdoptRequest&) const = default;
  void describe(Visitor& v);
};

/// Ok when texts and lists fit what they are for; the error names the field. That networks and
/// groups exist is the mutation's to see.
Status check(const AdoptRequest& request);

/// Reads a map as people write it:
///
///     racks:
///       - {nodes: "r1n[01-42]", first: 10.1.1.1, per_bmc: 1, rack: r1, xname: x3000c0s1b0}
///     nodes:
///       n100: {bmc: 10.1.9.7, system: Node1}
///       n101: {serial: S123}
///       n102: {mac: "52:54:00:77:00:01"}
///       n103: {port: leaf1/7}
///
/// invalid_argument or too_large with the line.
Result<AdoptMap> parse_adopt_map(std::string_view yaml);
/// Reads lines "SERIAL NODE" with spaces, tabs or a comma between; empty lines and those that begin
/// with # are left out. Errors name the line.
Result<AdoptMap> parse_serial_list(std::string_view text);

}  // namespace drover::cluster
