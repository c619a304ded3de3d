#include "cluster/health.hpp"

#include "base/noderange.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 2> kSeverityNames{"warning", "error"};
constexpr std::array<std::string_view, 3> kStatusNames{"ok", "degraded", "critical"};
constexpr std::array<std::string_view, 3> kDaemonStateNames{"up", "lost", "unknown"};
constexpr std::array<std::string_view, 3> kLinkRoleNames{"uplink", "primary", "secondary"};
constexpr std::array<std::string_view, 2> kLinkStateNames{"up", "down"};

/// Place in the listing.
size_t rank_of(std::string_view role) {
  constexpr std::array<std::string_view, 5> kOrder{"master", "aggregator", "utility", "boot",
                                                   "compute"};
  return static_cast<size_t>(std::ranges::find(kOrder, role) - kOrder.begin());
}

DaemonState state_of(const NodeEntry& entry) {
  if (entry.node().phase.state == PhaseState::lost) return DaemonState::lost;
  const bool up = entry.node().phase.state == PhaseState::up && entry.confirmed;
  return up ? DaemonState::up : DaemonState::unknown;
}

/// Problems of nodes gathered by everything but the node, so that equal ones become one.
class NodeProblems {
 public:
  void add(DaemonHealth& daemon, Problem problem) {
    problem.subject = daemon.name;
    daemon.problems.push_back(problem);
    problem.subject.clear();
    Group& group = groups_[encode(problem)];
    group.problem = std::move(problem);
    group.names.push_back(daemon.name);
  }
  void move_into(std::vector<Problem>& out) {
    for (auto& [key, group] : groups_) {
      group.problem.subject = fold_names(group.names);
      out.push_back(std::move(group.problem));
    }
  }

 private:
  struct Group {
    Problem problem;
    std::vector<std::string> names;
  };
  std::map<std::string, Group> groups_;  ///< by the problem without its subject
};

class Doctor {
 public:
  explicit Doctor(const HealthFacts& facts) : facts_(facts) {
    health_.cluster = facts.cluster;
    health_.answered_by = facts.answered_by;
  }

  Health examine() {
    for (const DaemonFacts& daemon : facts_.daemons) take_daemon(daemon);
    count_aggregators();
    if (facts_.model != nullptr) {
      for (const auto& [name, entry] : facts_.model->nodes()) take_node(entry);
      take_missing_daemons();
    }
    check_cluster();
    check_certificates();
    check_spools();
    node_problems_.move_into(health_.problems);
    sort();
    return std::move(health_);
  }

 private:
  void take_daemon(const DaemonFacts& facts) {
    DaemonHealth daemon;
    daemon.name = facts.name;
    daemon.role = facts.role;
    daemon.state = facts.state;
    daemon.since = facts.since;
    daemon.why = facts.why;
    daemon.version = facts.version;
    daemon.address = facts.address;
    daemon.starts = facts.starts;
    daemon.restarts = facts.starts > 0 ? facts.starts - 1 : 0;
    daemon.links = facts.links;
    const bool is_node = facts.role == "utility" || facts.role == "compute";
    if (facts.state != DaemonState::up && !is_node) add_lost_daemon(daemon);
    for (const LinkHealth& link : facts.links) {
      if (facts.state == DaemonState::up && link.state == LinkState::down)
        add_down_link(daemon, link);
    }
    check_version(daemon);
    health_.daemons.push_back(std::move(daemon));
  }

  void add_lost_daemon(DaemonHealth& daemon) {
    const bool lost = daemon.state == DaemonState::lost;
    own_problem(
        daemon,
        {lost ? ProblemSeverity::error : ProblemSeverity::warning, daemon.name,
         fmt::format("{} {} is {}", daemon.role, daemon.name, enum_name(daemon.state)), daemon.why,
         fmt::format("on its host: systemctl status drover-{0}; journalctl -u drover-{0}",
                     daemon.role)});
  }

  void add_down_link(DaemonHealth& daemon, const LinkHealth& link) {
    own_problem(daemon, {ProblemSeverity::warning, daemon.name,
                         fmt::format("{} has no {} link to {}", daemon.name, enum_name(link.role),
                                     link.peer),
                         link.why,
                         fmt::format("check that {} runs and that {} reaches its address",
                                     link.peer, daemon.name)});
  }

  void check_version(DaemonHealth& daemon) {
    if (daemon.version.empty() || daemon.version == facts_.version) return;
    node_problems_.add(
        daemon, {ProblemSeverity::warning, "", fmt::format("runs version {}", daemon.version),
                 fmt::format("master {} runs version {}", facts_.answered_by.name, facts_.version),
                 "upgrade the older of the two; they work together meanwhile"});
  }

  void own_problem(DaemonHealth& daemon, Problem problem) {
    daemon.problems.push_back(problem);
    health_.problems.push_back(std::move(problem));
  }

  void count_aggregators() {
    for (const DaemonHealth& daemon : health_.daemons) {
      if (daemon.role == "aggregator" && daemon.state == DaemonState::up) ++aggregators_up_;
    }
  }

  /// Enrolled daemons of which nothing was heard since this master started.
  void take_missing_daemons() {
    for (const auto& [key, enrolled] : facts_.model->daemons()) {
      const bool known = std::ranges::any_of(health_.daemons, [&](const DaemonHealth& daemon) {
        return daemon.role == enrolled.role && daemon.name == enrolled.name;
      });
      if (known || enrolled.role == "utility") continue;
      DaemonFacts facts;
      facts.role = enrolled.role;
      facts.name = enrolled.name;
      facts.why = "enrolled, but not heard of since this master started";
      take_daemon(facts);
    }
  }

  void take_node(const NodeEntry& entry) {
    const Node& node = entry.node();
    ++health_.totals["nodes"][std::string(enum_name(node.phase.state))];
    ++health_.totals["service"][std::string(enum_name(node.service.state))];
    DaemonHealth& daemon = daemon_of(entry);
    check_liveness(entry, daemon);
    check_paths(entry, daemon);
    check_service(node, daemon);
  }

  DaemonHealth& daemon_of(const NodeEntry& entry) {
    const std::string_view role = enum_name(entry.node().role);
    if (entry.node().role == NodeRole::utility) {
      const auto it = std::ranges::find_if(health_.daemons, [&](const DaemonHealth& daemon) {
        return daemon.role == role && daemon.name == entry.node().name;
      });
      if (it != health_.daemons.end()) return *it;
    }
    DaemonHealth daemon;
    daemon.name = entry.node().name;
    daemon.role = role;
    daemon.state = state_of(entry);
    daemon.since = entry.node().phase.since;
    daemon.why = entry.node().phase.why;
    if (entry.agent) {
      daemon.version = entry.agent->version;
      daemon.address = entry.agent->address;
      daemon.starts = entry.agent->starts;
      daemon.restarts = daemon.starts > 0 ? daemon.starts - 1 : 0;
      add_node_links(entry, daemon);
    }
    check_version(daemon);
    return health_.daemons.emplace_back(std::move(daemon));
  }

  static void add_node_links(const NodeEntry& entry, DaemonHealth& daemon) {
    if (daemon.state != DaemonState::up || entry.node().role != NodeRole::compute) return;
    const WallTime since = entry.node().phase.since;
    if (!entry.agent->primary.empty()) {
      daemon.links.push_back({entry.agent->primary, LinkRole::primary, LinkState::up, since, ""});
    }
    if (!entry.agent->secondary.empty()) {
      daemon.links.push_back(
          {entry.agent->secondary, LinkRole::secondary, LinkState::up, since, ""});
    }
  }

  void check_liveness(const NodeEntry& entry, DaemonHealth& daemon) {
    const Phase& phase = entry.node().phase;
    const std::string agent = fmt::format("drover-{}", enum_name(entry.node().role));
    if (phase.state == PhaseState::lost) {
      node_problems_.add(daemon, {ProblemSeverity::error, "", "its agent is lost", phase.why,
                                  fmt::format("see whether the host answers; on it: systemctl "
                                              "status {}",
                                              agent)});
    } else if (phase.state == PhaseState::up && !entry.confirmed) {
      node_problems_.add(daemon, {ProblemSeverity::warning, "", "was up, nobody vouches for it now",
                                  "no aggregator that hears it is in touch with this master",
                                  "drover health shows the aggregators; it settles by itself once "
                                  "one is back"});
    } else if (phase.state == PhaseState::unknown && phase.since != WallTime{}) {
      node_problems_.add(daemon, {ProblemSeverity::warning, "", "its phase is unknown", phase.why,
                                  "bring back an aggregator that it is linked to"});
    } else if (phase.state == PhaseState::error) {
      node_problems_.add(daemon, {ProblemSeverity::error, "", "its boot failed", phase.why,
                                  "drover node show names the step that failed"});
    }
  }

  void check_paths(const NodeEntry& entry, DaemonHealth& daemon) {
    const bool linked = entry.node().role == NodeRole::compute && daemon.state == DaemonState::up;
    if (!linked || !entry.agent) return;
    if (entry.agent->primary.empty()) {
      node_problems_.add(daemon, {ProblemSeverity::warning, "", "has no primary path",
                                  "its agent has not named one of its aggregators primary",
                                  "wait for the failover to end; it takes about a second"});
    } else if (entry.agent->secondary.empty() && aggregators_up_ > 1) {
      node_problems_.add(daemon, {ProblemSeverity::warning, "", "has no secondary path",
                                  "it is linked to one aggregator although others are up",
                                  "check that it reaches the addresses of all aggregators"});
    }
  }

  void check_service(const Node& node, DaemonHealth& daemon) {
    const bool failed = node.service.state == ServiceState::soft_failure ||
                        node.service.state == ServiceState::hard_failure;
    if (!failed) return;
    node_problems_.add(
        daemon,
        {ProblemSeverity::warning, "", fmt::format("is in {}", enum_name(node.service.state)),
         node.service.why, "repair it, then put it back with drover node set service=in_service"});
  }

  void check_cluster() {
    const auto cluster_problem = [&](ProblemSeverity severity, std::string what, std::string why,
                                     std::string next) {
      health_.problems.push_back(
          {severity, "cluster", std::move(what), std::move(why), std::move(next)});
    };
    const bool has_nodes = facts_.model != nullptr && !facts_.model->nodes().empty();
    if (has_nodes && aggregators_up_ == 0) {
      critical_ = true;
      cluster_problem(ProblemSeverity::error, "no aggregator is up",
                      "computes are seen and reached through aggregators alone",
                      "start drover-aggregator on a service node");
    } else if (has_nodes && aggregators_up_ == 1) {
      cluster_problem(ProblemSeverity::warning, "only one aggregator is up",
                      "computes have no secondary path to fail over to",
                      "start a second drover-aggregator (drover token create --role aggregator)");
    }
    if (facts_.store.failed_commits > 0) {
      critical_ = true;
      cluster_problem(ProblemSeverity::error,
                      fmt::format("{} commits to the database failed", facts_.store.failed_commits),
                      facts_.store.last_error, "check the disk of the master's data folder");
    }
    if (facts_.store.queued >= kStoreQueueWarning) {
      cluster_problem(ProblemSeverity::warning,
                      fmt::format("{} changes wait for the database", facts_.store.queued),
                      "its disk is slower than the changes come",
                      "check the load of the master's disk");
    }
  }

  void check_certificates() {
    for (const CertificateFacts& certificate : facts_.certificates) {
      if (certificate.expires - facts_.now > kCertificateWarning) continue;
      const bool expired = certificate.expires <= facts_.now;
      Problem problem{expired ? ProblemSeverity::error : ProblemSeverity::warning,
                      certificate.daemon,
                      fmt::format("its certificate {} {}", expired ? "expired" : "expires",
                                  to_rfc3339(certificate.expires)),
                      "it should have renewed it by itself",
                      "read the daemon's log; drover token create and drover join enrol it anew"};
      for (DaemonHealth& daemon : health_.daemons) {
        if (fmt::format("{}/{}", daemon.role, daemon.name) == certificate.daemon) {
          daemon.problems.push_back(problem);
        }
      }
      health_.problems.push_back(std::move(problem));
    }
  }

  void check_spools() {
    for (const SpoolFacts& spool : facts_.spools) {
      if (spool.records == 0) continue;
      DaemonHealth* daemon = find_daemon(spool.daemon);
      if (daemon != nullptr) daemon->spool = {spool.records, spool.bytes, spool.oldest};
      if (facts_.now - spool.oldest < kSpoolWarning) continue;
      Problem problem{
          ProblemSeverity::warning, spool.daemon,
          fmt::format("{} records wait in its spool", spool.records),
          fmt::format("the oldest since {}: its way up is slow, or the records cannot be stored",
                      to_rfc3339(spool.oldest)),
          "check its links above, and the logs of the master and of that daemon"};
      if (daemon != nullptr) daemon->problems.push_back(problem);
      health_.problems.push_back(std::move(problem));
    }
  }

  /// By "role/name".
  DaemonHealth* find_daemon(std::string_view key) {
    const auto it = std::ranges::find_if(health_.daemons, [&](const DaemonHealth& daemon) {
      return fmt::format("{}/{}", daemon.role, daemon.name) == key;
    });
    return it == health_.daemons.end() ? nullptr : &*it;
  }

  void sort() {
    std::ranges::sort(health_.daemons, [](const DaemonHealth& a, const DaemonHealth& b) {
      const size_t rank_a = rank_of(a.role);
      const size_t rank_b = rank_of(b.role);
      return rank_a != rank_b ? rank_a < rank_b : natural_compare(a.name, b.name) < 0;
    });
    std::vector<Problem> warnings;
    std::vector<Problem> all;
    for (Problem& problem : health_.problems) {
      (problem.severity == ProblemSeverity::error ? all : warnings).push_back(std::move(problem));
    }
    std::ranges::move(warnings, std::back_inserter(all));
    health_.problems = std::move(all);
    if (critical_) {
      health_.status = HealthStatus::critical;
    } else if (!health_.problems.empty()) {
      health_.status = HealthStatus::degraded;
    }
  }

  const HealthFacts& facts_;
  Health health_;
  NodeProblems node_problems_;
  size_t aggregators_up_ = 0;
  bool critical_ = false;
};

}  // namespace

std::span<const std::string_view> enum_names(ProblemSeverity) {
  return kSeverityNames;
}
std::span<const std::string_view> enum_names(HealthStatus) {
  return kStatusNames;
}
std::span<const std::string_view> enum_names(DaemonState) {
  return kDaemonStateNames;
}
std::span<const std::string_view> enum_names(LinkRole) {
  return kLinkRoleNames;
}
std::span<const std::string_view> enum_names(LinkState) {
  return kLinkStateNames;
}

void Problem::describe(Visitor& v) {
  v.field("severity", severity, "How bad it is.");
  v.field("subject", subject, "A daemon, a folded set of nodes, or the cluster.");
  v.field("what", what, "What is wrong.");
  v.field("why", why, "Why, as far as is known.", Presence::optional);
  v.field("next", next, "What to do next.", Presence::optional);
}

void LinkHealth::describe(Visitor& v) {
  v.field("peer", peer, "Name of the other end.");
  v.field("role", role, "What the link is for.");
  v.field("state", state, "Whether it stands.");
  v.field("since", since, "Since when.", Presence::optional);
  v.field("why", why, "Why it is down.", Presence::optional);
}

void SpoolHealth::describe(Visitor& v) {
  v.field("records", records, "How many wait.");
  v.field("bytes", bytes, "Their bytes on disk.");
  v.field("oldest", oldest, "Since when the first of them waits.");
}

void DaemonHealth::describe(Visitor& v) {
  v.field("name", name, "Name of the daemon.");
  v.field("role", role, "Kind of daemon.");
  v.field("state", state, "Whether it is heard.");
  v.field("since", since, "Since when.", Presence::optional);
  v.field("why", why, "Why it is in that state.", Presence::optional);
  v.field("version", version, "Version of its software.", Presence::optional);
  v.field("address", address, "Where its link comes from.", Presence::optional);
  v.field("starts", starts, "How often it has started on its host.", Presence::optional);
  v.field("restarts", restarts, "Starts after the first.", Presence::optional);
  v.field("links", links, "Its links towards the masters.", Presence::optional);
  v.field("spool", spool, "Records that wait for a master, when some have waited for long.",
          Presence::optional);
  v.field("problems", problems, "What is wrong with it.", Presence::optional);
}

void AnsweredBy::describe(Visitor& v) {
  v.field("role", role, "Kind of daemon.");
  v.field("name", name, "Name of the daemon.");
}

void Health::describe(Visitor& v) {
  v.field("status", status, "The worst of all.");
  v.field("cluster", cluster, "The cluster's id.");
  v.field("answered_by", answered_by, "The daemon whose view this is.");
  v.field("daemons", daemons, "Every daemon.");
  v.field("problems", problems, "Everything that is wrong, errors first.");
  v.field("totals", totals, "Counts of nodes by phase and by service state.");
}

Health compute_health(const HealthFacts& facts) {
  return Doctor(facts).examine();
}

}  // namespace drover::cluster
