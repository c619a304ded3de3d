// drover-aggregator: holds the links of its nodes, judges their liveness, fans calls out and folds
// the answers, passes records, samples and requests up.
#pragma once

#include "daemons/aggregator_config.hpp"
#include "daemons/doubtful_losses.hpp"
#include "daemons/link_door.hpp"
#include "daemons/loss_log.hpp"
#include "daemons/master_links.hpp"
#include "daemons/member_board.hpp"
#include "daemons/path_board.hpp"
#include "daemons/revocation_board.hpp"
#include "daemons/spool_reporter.hpp"
#include "telemetry/latest.hpp"
#include "tree/call_relay.hpp"
#include "tree/call_runner.hpp"
#include "tree/channel_net.hpp"
#include "tree/heartbeat.hpp"
#include "tree/record_relay.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::daemons {

/// One executor's thread. start() once, stop() once.
class Aggregator final : public DoorEvents, public MasterLinksEvents {
 public:
  Aggregator(Seams seams, AggregatorConfig config,
             Callback<std::shared_ptr<net::Security>()> security);
  ~Aggregator() override;

  /// Listens and dials. Errors: a port that is taken, a spool that cannot be opened.
  Status start();
  /// Says goodbye to everybody; what is spooled stays for the next start.
  void stop();

  [[nodiscard]] const std::vector<net::Endpoint>& endpoints() const { return bound_; }
  [[nodiscard]] const LinkDoor& nodes() const { return nodes_; }
  [[nodiscard]] MasterLinks& masters() { return masters_; }
  [[nodiscard]] const tree::MemberTable& members() const { return board_.table(); }
  [[nodiscard]] tree::RecordOutbox::Stats spool() const { return records_->stats(); }
  [[nodiscard]] tree::LinkContext& links() { return links_; }
  /// Answers while this process can do work.
  [[nodiscard]] Worker& worker() { return *worker_; }
  [[nodiscard]] SettingsBoard& settings() { return settings_; }
  [[nodiscard]] const RevocationBoard& revocations() const { return revocations_; }

 private:
  Status admit(const tree::Introduction& peer, const std::string& key_sha256) override;
  void on_door_ready(tree::Link& link, bool replaced) override;
  void on_door_message(tree::Link& link, tree::MessageType type, std::string_view payload) override;
  void on_door_channel(tree::Link& link, const std::string& kind,
                       std::unique_ptr<tree::Channel> channel) override;
  void on_door_lost(tree::Link& link, const Error& why) override;

  void on_master_ready(tree::Link& link) override;
  void on_master_message(tree::Link& link, tree::MessageType type,
                         std::string_view payload) override;
  void on_master_lost(const std::string& name, const Error& why) override;
  void on_way_up(tree::WayUp* way) override;

  [[nodiscard]] bool is_primary_for(const std::string& node) const;
  void note(const tree::Link& link, tree::MemberState state, uint64_t epoch, std::string why);
  [[nodiscard]] tree::MemberFacts facts_of(const tree::Link& link, tree::MemberState state,
                                           uint64_t epoch, std::string why) const;
  void on_path_role(tree::Link& link, std::string_view payload);
  void on_node_heartbeat(tree::Link& link, std::string_view payload);
  void on_path_assignments(std::string_view payload);
  void on_revocations(const tree::Link& master, std::string_view payload);
  void beat(uint64_t sequence);
  void flush_samples();
  void greet_with_samples();
  void apply(const cluster::Settings& settings);
  void on_settings(const tree::Link& master, std::string_view payload);
  void send_settings(tree::Link& node);

  Seams seams_;
  AggregatorConfig config_;
  Log log_;
  tree::LinkContext links_;
  tree::UplinkContext uplinks_;
  LinkDoor nodes_;
  MasterLinks masters_;
  MemberBoard board_;
  DoubtfulLosses doubtful_;
  PathBoard paths_;
  RevocationBoard revocations_;
  tree::CallRunner runner_;
  tree::CallRelay calls_;
  std::unique_ptr<tree::RecordRelay> records_;
  std::unique_ptr<Worker> worker_;  ///< proves that this process can do work, beside its loop
  tree::Heartbeat heartbeat_;
  SettingsBoard settings_;
  LossLog losses_;
  bool stopping_ = false;
  MonoTime last_beat_{};
  std::string heartbeat_bytes_;  ///< the answer to every node's beat, encoded once a second
  std::map<std::string, std::string> samples_;  ///< newest of each node, until the next beat
  std::map<std::string, std::string> spools_;   ///< what nodes told of theirs, until the next beat
  telemetry::Latest latest_;  ///< of the nodes that have their primary here, for new masters
  /// Masters that were linked a moment ago, and the nodes whose samples they have not been sent.
  std::map<std::string, std::vector<std::string>> greeted_;
  SpoolReporter spool_reporter_;
  std::optional<CutOff> cut_off_;  ///< no master is linked
  std::list<std::unique_ptr<tree::ChannelSplice>> splices_;
  std::vector<net::Endpoint> bound_;
};

}  // namespace drover::daemons
