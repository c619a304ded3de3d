// drover-boot's place in the tree: linked to one master, with a copy of the model that outlives it,
// and records of what it saw of machines that reach a master sooner or later.
#pragma once

#include "cluster/boot_report.hpp"
#include "cluster/unknown_machine.hpp"
#include "daemons/master_links.hpp"
#include "daemons/replica/model_replica.hpp"
#include "daemons/seams.hpp"
#include "daemons/settings_board.hpp"
#include "daemons/spool_reporter.hpp"
#include "tree/channel_net.hpp"
#include "tree/heartbeat.hpp"
#include "tree/record_sender.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

struct BootConfig {
  tree::Introduction self;
  std::vector<net::Endpoint> masters;  ///< one is linked, the others are fallbacks
  std::string spool_dir;               ///< reports that no master has acknowledged
  std::string replica_dir;             ///< the copy of the model
  Timing timing;
  SettingsBoard::Values own_settings = {};  ///< settings that were given to this daemon itself
};

/// One executor's thread. start() once, stop() once.
class Boot final : public MasterLinksEvents {
 public:
  /// `ask` sends a request to a master in this daemon's own name (LocalApi).
  Boot(Seams seams, BootConfig config, Callback<std::shared_ptr<net::Security>()> security,
       ModelReplica::Ask ask);
  ~Boot() override;

  void start();
  void stop();
  [[nodiscard]] MasterLinks& masters() { return masters_; }
  /// Where a master's questions arrive.
  [[nodiscard]] tree::ChannelNet& channels() { return channels_; }
  [[nodiscard]] ModelReplica& replica() { return replica_; }
  [[nodiscard]] SettingsBoard& settings() { return settings_; }
  [[nodiscard]] tree::RecordOutbox::Stats records() const { return records_.stats(); }
  /// Answers while this process can do work.
  [[nodiscard]] Worker& worker() { return *worker_; }
  /// Calls `on_way` when a way to a master is there, and when it is gone.
  void on_way(Callback<void(bool there)> on_way) { on_way_ = std::move(on_way); }
  /// Tells the masters how far a node has come. Kept on disk until one has it.
  void report(const cluster::BootReport& report);
  /// The same of a machine that no node is known by.
  void report(const cluster::Sighting& sighting);

 private:
  void beat(uint64_t sequence);
  void apply(const cluster::Settings& settings);
  void on_master_ready(tree::Link& link) override;
  void on_master_message(tree::Link& link, tree::MessageType type,
                         std::string_view payload) override;
  void on_master_channel(tree::Link& link, const std::string& kind,
                         std::unique_ptr<tree::Channel> channel) override;
  void on_master_lost(const std::string& name, const Error& why) override;
  void on_way_up(tree::WayUp* way) override;

  Log log_;
  std::vector<net::Endpoint> endpoints_;
  tree::LinkContext links_;
  tree::UplinkContext uplinks_;
  MasterLinks masters_;
  tree::ChannelNet channels_;
  std::unique_ptr<Worker> worker_;
  tree::RecordSender records_;
  SpoolReporter spool_;
  tree::Heartbeat heartbeat_;
  ModelReplica replica_;
  SettingsBoard settings_;
  Callback<void(bool)> on_way_;
};

}  // namespace drover::daemons
