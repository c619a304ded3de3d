// What the handlers stand on: the master's parts as references, and small interfaces for what
// daemons supply.
#pragma once

#include "api/daemon_control.hpp"
#include "auth/access_control.hpp"
#include "auth/audit_query.hpp"
#include "auth/enrolment.hpp"
#include "auth/secret_box.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "cluster/health.hpp"
#include "cluster/model.hpp"
#include "cluster/operation_runner.hpp"
#include "net/http/http_client.hpp"
#include "store/store.hpp"
#include "tree/call.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Runs calls on nodes: tree::CallDispatch in the master.
class CallService {
 public:
  CallService() = default;
  CallService(const CallService&) = delete;
  CallService& operator=(const CallService&) = delete;
  virtual ~CallService() = default;
  /// Groups that are new since the last time, with the totals so far.
  using Progress = Callback<void(const tree::CallReport& fresh)>;
  /// Starts a call; `done` runs once, never in here, with everything. `progress` may be empty. An
  /// error: nothing was sent, neither ever runs.
  virtual Status start(tree::CallSpec spec, Progress progress,
                       Callback<void(tree::CallReport)> done) = 0;
  /// Tells every hop to stop; `done` follows soon. not_found when no such call is running.
  virtual Status cancel(const std::string& id) = 0;
};

/// Supplies what health is computed from; `model` and `now` are filled in by the handler.
class HealthSource {
 public:
  HealthSource() = default;
  HealthSource(const HealthSource&) = delete;
  HealthSource& operator=(const HealthSource&) = delete;
  virtual ~HealthSource() = default;
  [[nodiscard]] virtual cluster::HealthFacts health_facts() = 0;
};

/// A node's latest values.
struct NodeMetrics {
  static constexpr std::string_view kTypeName = "NodeMetrics";
  std::string node;
  WallTime time{};     ///< of the newest sample, by the node's clock
  bool stale = false;  ///< not heard of lately
  std::map<std::string, double> metrics;
  void describe(Visitor& v);
};
class MetricsSource {
 public:
  MetricsSource() = default;
  MetricsSource(const MetricsSource&) = delete;
  MetricsSource& operator=(const MetricsSource&) = delete;
  virtual ~MetricsSource() = default;
  /// Nothing when none were heard since this master started.
  [[nodiscard]] virtual std::optional<NodeMetrics> latest(std::string_view node) = 0;
};

/// Records that wait for the way up.
struct SpoolView {
  static constexpr std::string_view kTypeName = "Spool";
  uint64_t records = 0;
  uint64_t bytes = 0;
  WallTime oldest{};
  void describe(Visitor& v);
};
struct DegradedView {
  static constexpr std::string_view kTypeName = "Degraded";
  WallTime since{};
  std::string why;
  void describe(Visitor& v);
};
/// A daemon about itself.
struct LocalView {
  static constexpr std::string_view kTypeName = "Local";
  std::string role;
  std::string name;
  std::string version;
  std::string cluster;
  WallTime started{};
  uint64_t starts = 0;
  std::vector<cluster::LinkHealth> links;
  SpoolView spool;
  std::optional<DegradedView> degraded;
  void describe(Visitor& v);
};
class LocalSource {
 public:
  LocalSource() = default;
  LocalSource(const LocalSource&) = delete;
  LocalSource& operator=(const LocalSource&) = delete;
  virtual ~LocalSource() = default;
  [[nodiscard]] virtual LocalView local() = 0;
};

/// The audit's files.
class AuditSource {
 public:
  AuditSource() = default;
  AuditSource(const AuditSource&) = delete;
  AuditSource& operator=(const AuditSource&) = delete;
  virtual ~AuditSource() = default;
  /// A page, newest first; `done` runs once, never in here.
  virtual void read_audit(auth::AuditQuery query, Callback<void(Result<auth::AuditPage>)> done) = 0;
};

/// The boot daemons as this master knows them: asked over their links.
class BootDaemons {
 public:
  BootDaemons() = default;
  BootDaemons(const BootDaemons&) = delete;
  BootDaemons& operator=(const BootDaemons&) = delete;
  virtual ~BootDaemons() = default;
  struct Known {
    std::string name;
    bool linked = false;
    std::string why;  ///< not linked: what became of it
  };
  /// In natural order of names.
  [[nodiscard]] virtual std::vector<Known> known() const = 0;
  /// Sends one a request; its answer as it comes. Events never run in here.
  virtual std::unique_ptr<net::HttpCall> ask(const std::string& name, net::HttpRequest request,
                                             net::HttpStreamEvents events) = 0;
};

class NodeUpSource;   // api/node_up_source.hpp
class ConsoleSource;  // api/console_source.hpp

/// Where a master keeps what a backup must have beside the database.
struct BackupPlace {
  Disk* disk = nullptr;  ///< used by a worker; null: there is nothing to back up
  std::string state;     ///< the folder
};

/// Everything that the master's handlers use; references outlive the API.
struct Services {
  Executor& executor;
  Random& random;
  Log log;
  store::Store& store;
  cluster::Model& model;
  auth::Enrolment& enrolment;
  CallService& calls;
  HealthSource& health;
  MetricsSource& metrics;
  LocalSource& local;
  auth::AccessControl& access;
  AuditSource& audit;
  BootDaemons& boot_daemons;
  BackupPlace backup = {};
  DaemonControl* control = nullptr;          ///< null where there is none (tests)
  const auth::SecretBox* secrets = nullptr;  ///< null where secrets cannot be kept
  NodeUpSource* node_up = nullptr;           ///< null where there is none (tests)
  ConsoleSource* consoles = nullptr;         ///< null where there are none (tests)
  /// Set by MasterApi.
  cluster::OperationRunner* operations = nullptr;
};

}  // namespace drover::api
