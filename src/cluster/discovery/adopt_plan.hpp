// Which found machine becomes which node, and what that changes. Pure: the world as it is in, a row
// per machine out.
#pragma once

#include "base/describe.hpp"
#include "base/text.hpp"
#include "cluster/discovery/adopt_request.hpp"
#include "cluster/discovery/found_machine.hpp"
#include "cluster/node_spec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// What becomes of a machine.
enum class AdoptAction : uint8_t {
  create,   ///< a new node
  change,   ///< its node says something else now
  replace,  ///< another machine stands in its place; the node stays
  keep,     ///< nothing changes
  skip      ///< it becomes no node; `problem` says why
};
std::span<const std::string_view> enum_names(AdoptAction);

/// One machine.
struct AdoptRow {
  static constexpr std::string_view kTypeName = "AdoptRow";
  AdoptAction action = AdoptAction::keep;
  std::string node;
  std::string bmc;
  std::string system;
  std::string serial;
  std::vector<std::string> changes;
  std::vector<std::string> warnings;
  std::string problem;
  void describe(Visitor& v);
};

/// What an adoption does, or would do.
struct AdoptResult {
  static constexpr std::string_view kTypeName = "AdoptResult";
  std::vector<AdoptRow> rows;
  uint64_t created = 0;
  uint64_t changed = 0;
  uint64_t replaced = 0;
  uint64_t kept = 0;
  uint64_t skipped = 0;
  void describe(Visitor& v);
  void count();
};

/// What the model tells that the store does not: values of formulas and of groups.
struct AdoptFacts {
  std::map<std::string, std::string> bmc_of;        ///< node to address of its BMC
  std::map<std::string, std::string> node_at_port;  ///< switch port to the node that has it
};

/// Everything that the plan follows from.
struct AdoptWorld {
  std::vector<FoundMachine> machines;
  std::map<std::string, NodeSpec, NaturalLess> nodes;
  AdoptFacts facts;
  std::map<std::string, std::string> port_of_mac;  ///< as relays told
};

/// What pass one says of a machine: its node, or why none.
struct AdoptChoice {
  std::string node;
  std::string rack;   ///< value of the attribute, where the map says so
  std::string xname;  ///< an alias that it gets, where the map says so
  std::string problem;
};
/// One of each machine, in their order; no node twice.
std::vector<AdoptChoice> choose_nodes(const AdoptRequest& request, const AdoptWorld& world);

/// The node of one machine as it shall be.
struct AdoptedNode {
  AdoptRow row;
  NodeSpec spec;  ///< of create, change and replace
};
/// One of each machine, in their order. `request` passed check().
std::vector<AdoptedNode> plan_adoption(const AdoptRequest& request, const AdoptWorld& world);

}  // namespace drover::cluster
