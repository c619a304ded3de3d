// A node as Drover knows it: the durable record (three independent state axes, each with since, why
// and who), what its agent said lately (never stored), and the two together as the API shows them.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "cluster/node_spec.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Kind of node objects in the store; their key is the node's name.
inline constexpr std::string_view kNodeKind = "node";

/// Power as the node's BMC sees it.
enum class PowerState : uint8_t { unknown, off, on };
/// What the machine is doing.
enum class PhaseState : uint8_t {
  unknown,
  off,
  powering,
  dhcp,
  loader,
  kernel,
  init,
  image,
  joining,
  node_up,
  up,
  error,
  rebooting,
  halting,
  halted,
  lost,
};
/// What the machine may be used for.
enum class ServiceState : uint8_t {
  discovered,
  in_service,
  out_of_service,
  admin_reserved,
  maintenance,
  soft_failure,
  hard_failure,
};
enum class NodeFlag : uint8_t { ok, warning, alert };
enum class NodeRole : uint8_t { compute, utility };

std::span<const std::string_view> enum_names(PowerState);
std::span<const std::string_view> enum_names(PhaseState);
std::span<const std::string_view> enum_names(ServiceState);
std::span<const std::string_view> enum_names(NodeFlag);
std::span<const std::string_view> enum_names(NodeRole);

/// One axis: where it stands, since when, and why and through whom it got there.
struct Power {
  static constexpr std::string_view kTypeName = "Power";
  PowerState state = PowerState::unknown;
  WallTime since{};
  std::string why;
  std::string who;
  bool operator==(const Power&) const = default;
  void describe(Visitor& v);
};
struct Phase {
  static constexpr std::string_view kTypeName = "StoredPhase";
  PhaseState state = PhaseState::unknown;
  WallTime since{};
  std::string why;
  std::string who;
  bool operator==(const Phase&) const = default;
  void describe(Visitor& v);
};
struct Service {
  static constexpr std::string_view kTypeName = "Service";
  ServiceState state = ServiceState::discovered;
  WallTime since{};
  std::string why;
  std::string who;
  bool operator==(const Service&) const = default;
  void describe(Visitor& v);
};

/// The few inventory facts that lists show.
struct NodeSummary {
  static constexpr std::string_view kTypeName = "NodeSummary";
  uint64_t cpus = 0;  ///< hardware threads
  uint64_t memory_mib = 0;
  uint64_t gpus = 0;
  std::string os;
  std::string kernel;
  bool operator==(const NodeSummary&) const = default;
  void describe(Visitor& v);
};

/// The durable record, body of a store object of kind kNodeKind.
struct Node {
  static constexpr std::string_view kTypeName = "StoredNode";
  std::string name;
  std::string id;  ///< stable over renames: 32 hexadecimal digits
  NodeRole role = NodeRole::compute;
  Phase phase;
  Power power;
  Service service;
  bool enabled = true;
  NodeFlag flag = NodeFlag::ok;
  bool locked = false;
  NodeSummary summary;
  NodeSpec spec;  ///< what people said about it
  bool operator==(const Node&) const = default;
  void describe(Visitor& v);
};

/// What is known of a node's agent from the tree. Lives in memory alone; lost with the master and
/// rebuilt from what aggregators say.
struct Agent {
  static constexpr std::string_view kTypeName = "Agent";
  std::string version;
  uint64_t incarnation = 0;  ///< start time of the agent, Unix ms
  uint64_t starts = 0;       ///< how often it has started on this host
  std::string boot_id;
  std::string address;
  std::string primary;    ///< aggregator that carries its messages; empty: none
  std::string secondary;  ///< aggregator that stands by; empty: none
  WallTime last_seen{};
  bool operator==(const Agent&) const = default;
  void describe(Visitor& v);
};

/// The API's node.phase: the durable axis, and whether somebody vouches for it now. Not confirmed
/// means: so it was when last known, but no aggregator in touch with this master says so.
struct PhaseView {
  static constexpr std::string_view kTypeName = "Phase";
  Phase phase;
  bool confirmed = false;
  bool operator==(const PhaseView&) const = default;
  void describe(Visitor& v);
};

/// The API's Node. `agent` is absent until its agent has been heard of since this master started.
struct NodeView {
  static constexpr std::string_view kTypeName = "Node";
  Node node;
  bool confirmed = false;
  uint64_t revision = 0;
  std::optional<Agent> agent;
  bool operator==(const NodeView&) const = default;
  void describe(Visitor& v);
  /// Every field but `agent`, which is the last one: the part that a list keeps encoded.
  void describe_stable(Visitor& v);
};

}  // namespace drover::cluster
