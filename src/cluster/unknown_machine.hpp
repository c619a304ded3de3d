// Machines that no node is known by: seen by boot daemons, kept until somebody says who they are.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/network.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

class DefinitionWriter;

/// Kind of these objects in the store; their key is the canonical MAC.
inline constexpr std::string_view kUnknownKind = "unknown-machine";
/// Kind of the records that carry a Sighting.
inline constexpr std::string_view kSightingRecord = "sighting";
/// How many are kept. MACs are easily made up: beyond it the one that was silent the longest goes,
/// those that are ignored last.
inline constexpr size_t kMostUnknown = 1024;
/// Longest text that a machine or a switch says of itself, in bytes.
inline constexpr size_t kMaxSightingText = 128;

/// What a boot daemon has seen of a machine since it last told of it.
struct Sighting {
  static constexpr std::string_view kTypeName = "MachineSighting";
  std::string mac;
  WallTime at{};       ///< of its newest packet
  uint64_t count = 1;  ///< packets since the last sighting
  std::string network;
  std::string port;    ///< switch port, as the attribute switch_port has it; empty: not told
  std::string client;  ///< plain, pxe, http or ipxe
  std::string arch;
  std::string uuid;
  bool operator==(const Sighting&) const = default;
  void describe(Visitor& v);
};

/// Body of a store object of kind kUnknownKind.
struct UnknownMachine {
  static constexpr std::string_view kTypeName = "UnknownMachine";
  std::string mac;
  WallTime first_seen{};
  WallTime last_seen{};
  uint64_t count = 0;
  std::string network;
  std::string port;
  std::string client;
  std::string arch;
  std::string uuid;
  std::string daemon;  ///< the boot daemon that saw it last; empty: it was never seen
  bool ignored = false;
  std::string why;  ///< why it is ignored, or got no name by its network's policy
  bool operator==(const UnknownMachine&) const = default;
  void describe(Visitor& v);
};

/// Reads one; invalid_argument for what is no MAC or too long.
Result<Sighting> parse_sighting(std::string_view text);

/// Notes a sighting by the boot daemon `daemon`; gives the machine a name where its network says
/// so. Nothing when a node has that MAC by now. `fresh_id` is for a node that this makes.
Status apply_sighting(store::Transaction& tx, const Sighting& sighting, const std::string& daemon,
                      const std::string& fresh_id);

/// Who a machine is.
struct Approval {
  std::string mac;
  std::string node;
  std::string interface;  ///< of the node; empty: the first without a MAC, else a new eth0
  bool replace = false;   ///< the interface may have another MAC: its machine was exchanged
};
/// Gives the node the MAC, makes the node where there is none, and forgets the machine. not_found
/// when no such machine waits; conflict when another node has the MAC, or the interface another
/// one. The writer's finish() is left to the caller.
Status approve_machine(store::Transaction& tx, DefinitionWriter& writer, const Approval& approval,
                       const std::string& fresh_id);

/// Notes a machine before it is seen. conflict when a node has that MAC, already_exists when it is
/// known already.
Status note_machine(store::Transaction& tx, UnknownMachine machine);
/// Whether nothing is answered to the machine; not_found when none with that MAC waits.
Status ignore_machine(store::Transaction& tx, const std::string& mac, bool ignored,
                      const std::string& why);
/// Forgets it until it is seen again; false when there is none.
Result<bool> forget_machine(store::Transaction& tx, const std::string& mac);

/// The name that `machine` gets of these, in order: by arrival the first that is no node or one
/// without a MAC; by port the one at the place of the last number of its switch port, from 1 on.
/// `hint` is where to begin, and where the next one may. not_found when there is none left;
/// conflict when the port's has a machine, or no port is known.
Result<std::string> choose_name(store::Transaction& tx, const UnknownMachine& machine,
                                const std::vector<std::string>& names, NumberBy by, size_t& hint);

}  // namespace drover::cluster
