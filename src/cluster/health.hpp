// Health: from facts about daemons, links, nodes, certificates and the store to one document in
// which every problem says what, why and what to do next. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "cluster/model.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

enum class ProblemSeverity : uint8_t { warning, error };
enum class HealthStatus : uint8_t { ok, degraded, critical };
enum class DaemonState : uint8_t { up, lost, unknown };
enum class LinkRole : uint8_t { uplink, primary, secondary };
enum class LinkState : uint8_t { up, down };
std::span<const std::string_view> enum_names(ProblemSeverity);
std::span<const std::string_view> enum_names(HealthStatus);
std::span<const std::string_view> enum_names(DaemonState);
std::span<const std::string_view> enum_names(LinkRole);
std::span<const std::string_view> enum_names(LinkState);

struct Problem {
  static constexpr std::string_view kTypeName = "Problem";
  ProblemSeverity severity = ProblemSeverity::warning;
  std::string subject;  ///< a daemon, a folded set of nodes, or the cluster
  std::string what;
  std::string why;
  std::string next;  ///< the command or step that mends it
  bool operator==(const Problem&) const = default;
  void describe(Visitor& v);
};

/// One link of a daemon towards the masters.
struct LinkHealth {
  static constexpr std::string_view kTypeName = "Link";
  std::string peer;
  LinkRole role = LinkRole::uplink;
  LinkState state = LinkState::up;
  WallTime since{};
  std::string why;
  bool operator==(const LinkHealth&) const = default;
  void describe(Visitor& v);
};

/// Records that wait at a daemon for a master's acknowledgement.
struct SpoolHealth {
  static constexpr std::string_view kTypeName = "SpoolHealth";
  uint64_t records = 0;
  uint64_t bytes = 0;
  WallTime oldest{};
  bool operator==(const SpoolHealth&) const = default;
  void describe(Visitor& v);
};

struct DaemonHealth {
  static constexpr std::string_view kTypeName = "DaemonHealth";
  std::string name;
  std::string role;
  DaemonState state = DaemonState::unknown;
  WallTime since{};
  std::string why;
  std::string version;
  std::string address;
  uint64_t starts = 0;
  uint64_t restarts = 0;
  std::vector<LinkHealth> links;
  std::optional<SpoolHealth> spool;  ///< absent while records pass without waiting
  std::vector<Problem> problems;
  bool operator==(const DaemonHealth&) const = default;
  void describe(Visitor& v);
};

/// Who answers: a daemon by role and name.
struct AnsweredBy {
  static constexpr std::string_view kTypeName = "AnsweredBy";
  std::string role;
  std::string name;
  bool operator==(const AnsweredBy&) const = default;
  void describe(Visitor& v);
};

struct Health {
  static constexpr std::string_view kTypeName = "Health";
  HealthStatus status = HealthStatus::ok;
  std::string cluster;
  AnsweredBy answered_by;
  std::vector<DaemonHealth> daemons;
  std::vector<Problem> problems;
  /// "nodes" and "service" to counts by state.
  std::map<std::string, std::map<std::string, uint64_t>> totals;
  bool operator==(const Health&) const = default;
  void describe(Visitor& v);
};

/// What is known of one daemon that is not a compute's agent (those come from the model).
struct DaemonFacts {
  std::string role;
  std::string name;
  DaemonState state = DaemonState::unknown;
  WallTime since{};
  std::string why;
  std::string version;
  std::string address;
  uint64_t starts = 0;
  std::vector<LinkHealth> links;
};

struct CertificateFacts {
  std::string daemon;  ///< "role/name"
  WallTime expires{};
};

struct StoreFacts {
  uint64_t failed_commits = 0;
  std::string last_error;
  size_t queued = 0;
};

struct SpoolFacts {
  std::string daemon;  ///< "role/name"
  uint64_t records = 0;
  WallTime oldest{};
  uint64_t bytes = 0;  ///< on disk
};

/// Everything that health is computed from. `model` gives nodes; a utility daemon is both a node
/// and a daemon and is listed once.
struct HealthFacts {
  std::string cluster;
  AnsweredBy answered_by;
  std::string version;  ///< of the answering master
  WallTime now{};
  const Model* model = nullptr;
  std::vector<DaemonFacts> daemons;
  std::vector<CertificateFacts> certificates;
  std::vector<SpoolFacts> spools;
  StoreFacts store;
};

/// A certificate that has less than this left should have been renewed long ago (renewal is due
/// when a third of its life is left).
inline constexpr Duration kCertificateWarning = std::chrono::hours(24);
/// Records older than this in a spool mean that the way up is stuck.
inline constexpr Duration kSpoolWarning = std::chrono::seconds(60);
/// Mutations waiting in the store from which on its disk is called slow.
inline constexpr size_t kStoreQueueWarning = 10'000;

/// Daemons are listed masters first, then aggregators, utilities, boot, computes, by name. Nodes in
/// the same trouble share one problem with their names folded.
Health compute_health(const HealthFacts& facts);

}  // namespace drover::cluster
