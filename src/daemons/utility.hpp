// drover-utility: the daemon of a login or launch node, linked to one master.
#pragma once

#include "daemons/master_links.hpp"
#include "daemons/node_agent.hpp"
#include "daemons/settings_board.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

struct UtilityConfig {
  tree::Introduction self;
  std::vector<net::Endpoint> masters;  ///< one is linked, the others are fallbacks
  std::string spool_dir;
  Timing timing;
  SettingsBoard::Values own_settings = {};  ///< settings that were given to this daemon itself
};

/// One executor's thread. start() once, stop() once.
class Utility final : public MasterLinksEvents {
 public:
  Utility(Seams seams, UtilityConfig config, Callback<std::shared_ptr<net::Security>()> security,
          HostFacts& facts);
  ~Utility() override;

  void start();
  void stop();
  [[nodiscard]] MasterLinks& masters() { return masters_; }
  [[nodiscard]] NodeAgent& agent() { return agent_; }
  /// Answers while this process can do work.
  [[nodiscard]] Worker& worker() { return agent_.worker(); }
  [[nodiscard]] SettingsBoard& settings() { return settings_; }

 private:
  void apply(const cluster::Settings& settings);
  void on_master_ready(tree::Link& link) override;
  void on_master_message(tree::Link& link, tree::MessageType type,
                         std::string_view payload) override;
  void on_master_lost(const std::string& name, const Error& why) override;
  void on_way_up(tree::WayUp* way) override;

  Log log_;
  std::vector<net::Endpoint> endpoints_;
  tree::LinkContext links_;
  tree::UplinkContext uplinks_;
  MasterLinks masters_;
  NodeAgent agent_;
  SettingsBoard settings_;
};

}  // namespace drover::daemons
