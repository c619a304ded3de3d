// What boot daemons tell of the machines that they serve: how far each boot is, and the log of each
// node. A master asks them over their links in these words, and answers people in the same.
#pragma once

#include "base/describe.hpp"
#include "cluster/node.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::api {

/// Why one boot daemon says nothing, or no more.
struct BootDaemonProblem {
  static constexpr std::string_view kTypeName = "BootDaemonProblem";
  std::string daemon;
  std::string why;
  void describe(Visitor& v);
};

/// Where a boot under way stands. Beside the node's phase, which is durable, it has what moves too
/// fast to be stored.
struct BootProgressView {
  static constexpr std::string_view kTypeName = "BootProgress";
  std::string node;
  cluster::PhaseState stage = cluster::PhaseState::unknown;
  WallTime since{};     ///< when the stage was reached
  std::string why;      ///< what was seen last
  std::string item;     ///< what the bytes are of: kernel, image ..; empty: nothing is fetched
  uint64_t done = 0;    ///< bytes
  uint64_t total = 0;   ///< bytes; 0: not known
  WallTime deadline{};  ///< when the machine is given up unless it says something; zero: never
  std::string daemon;   ///< the boot daemon that serves it
  void describe(Visitor& v);
};

/// One line of GET /boot/progress.
struct BootProgressEvent {
  static constexpr std::string_view kTypeName = "BootProgressEvent";
  std::optional<BootProgressView> boot;
  std::string ended;  ///< node whose boot is over; empty: none
  std::optional<BootDaemonProblem> problem;
  bool caught_up = false;
  bool end = false;
  void describe(Visitor& v);
};

/// One line of a node's log.
struct BootLogLine {
  static constexpr std::string_view kTypeName = "BootLogLine";
  WallTime time{};  ///< when the boot daemon had it
  std::string node;
  std::string source;  ///< boot, kernel or panic
  std::string text;    ///< printable, up to 2 KiB
  std::string daemon;
  bool operator==(const BootLogLine&) const = default;
  void describe(Visitor& v);
};

/// One line of GET /boot/log.
struct BootLogEvent {
  static constexpr std::string_view kTypeName = "BootLogEvent";
  std::optional<BootLogLine> line;
  std::optional<BootDaemonProblem> problem;
  bool caught_up = false;
  bool end = false;
  void describe(Visitor& v);
};

/// An address that a boot daemon deals out to whoever asks.
struct BootLease {
  static constexpr std::string_view kTypeName = "BootLease";
  std::string address;
  std::string state;   ///< offered, leased, free or quarantined (boot::dhcp::LeaseState)
  std::string client;  ///< MAC, or client identifier in hexadecimal digits; empty: none
  std::string name;    ///< that the client goes by, printable; may be empty
  WallTime since{};    ///< when the state began or was last confirmed
  WallTime until{};    ///< when it ends; of free ones when it began
  std::string daemon;  ///< the boot daemon that deals it out
  void describe(Visitor& v);
};

/// One line of GET /boot/leases.
struct BootLeaseEvent {
  static constexpr std::string_view kTypeName = "BootLeaseEvent";
  std::optional<BootLease> lease;
  std::optional<BootDaemonProblem> problem;
  bool caught_up = false;
  bool end = false;
  void describe(Visitor& v);
};

/// What a master asks a boot daemon for; `nodes` as fold_names() writes them.
struct BootProgressQuery {
  static constexpr std::string_view kTypeName = "BootProgressQuery";
  std::optional<std::string> nodes;  ///< absent: every node
  bool follow = false;
  void describe(Visitor& v);
};
struct BootLogQuery {
  static constexpr std::string_view kTypeName = "BootLogQuery";
  std::string nodes;
  std::string grep;    ///< a TextPattern on "source: text"; empty: every line
  WallTime since{};    ///< zero: from the beginning
  uint64_t lines = 0;  ///< the newest of each node; 0: all
  bool follow = false;
  void describe(Visitor& v);
};

struct BootLeaseQuery {
  static constexpr std::string_view kTypeName = "BootLeaseQuery";
  bool all = false;  ///< free ones too, that somebody had
  void describe(Visitor& v);
};

/// Where a boot daemon takes these, over its link to the master alone.
inline constexpr std::string_view kBootProgressPath = "/boot/progress";
inline constexpr std::string_view kBootLogPath = "/boot/log";
inline constexpr std::string_view kBootLeasesPath = "/boot/leases";
/// A stream of a boot daemon says at least so often that it lives.
inline constexpr Duration kBootPulse = std::chrono::seconds(5);

}  // namespace drover::api
