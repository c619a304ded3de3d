// drover-compute: the agent of a compute node, on two warm links to aggregators.
#pragma once

#include "daemons/node_agent.hpp"
#include "daemons/settings_board.hpp"
#include "tree/channel_net.hpp"
#include "tree/node_paths.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::daemons {

struct ComputeConfig {
  tree::Introduction self;
  std::vector<net::Endpoint> aggregators;  ///< any that are known from joining
  std::string spool_dir;                   ///< empty on a diskless node
  Timing timing;
  SettingsBoard::Values own_settings = {};  ///< settings that were given to this daemon itself
};

/// One executor's thread. start() once, stop() once.
class Compute final : public tree::NodePathsEvents, public tree::Peers, public tree::WayUp {
 public:
  Compute(Seams seams, ComputeConfig config, Callback<std::shared_ptr<net::Security>()> security,
          HostFacts& facts);
  ~Compute() override;

  /// `linked` hears each time that a primary takes the node. Before start().
  void on_linked(Callback<void()> linked) { on_linked_ = std::move(linked); }
  void start();
  void stop();
  [[nodiscard]] tree::NodePathsStatus paths() const { return paths_.status(); }
  [[nodiscard]] tree::Link* up() { return paths_.primary(); }
  [[nodiscard]] NodeAgent& agent() { return agent_; }
  /// What the primary says about its own way up: why and since when no master is linked to it.
  [[nodiscard]] const std::optional<CutOff>& cut_off() const { return cut_off_; }
  /// Answers while this process can do work.
  [[nodiscard]] Worker& worker() { return agent_.worker(); }
  [[nodiscard]] SettingsBoard& settings() { return settings_; }
  /// New links with a new certificate.
  void refresh() { paths_.refresh(); }

 private:
  void apply(const cluster::Settings& settings);
  void on_primary(tree::Link* link) override;
  void on_heartbeat(tree::Link& link, std::string_view payload);
  void on_path_message(tree::Link& link, tree::MessageType type, std::string_view payload) override;
  void on_path_lost(tree::Link& link) override;
  Status send(const std::string& peer, tree::MessageType type, std::string_view payload) override;
  Status send_up(tree::MessageType type, std::string_view payload) override;

  Log log_;
  tree::LinkContext links_;
  tree::UplinkContext uplinks_;
  tree::NodePaths paths_;
  NodeAgent agent_;
  std::optional<CutOff> cut_off_;
  SettingsBoard settings_;
  Callback<void()> on_linked_;
};

}  // namespace drover::daemons
