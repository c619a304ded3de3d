// An aggregator's or utility's links to the masters: all of them dialled, one of them the way up.
#pragma once

#include "net/net.hpp"
#include "tree/peers.hpp"
#include "tree/uplink.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

class MasterLinksEvents {
 public:
  MasterLinksEvents() = default;
  MasterLinksEvents(const MasterLinksEvents&) = delete;
  MasterLinksEvents& operator=(const MasterLinksEvents&) = delete;
  virtual ~MasterLinksEvents() = default;
  virtual void on_master_ready(tree::Link& link) = 0;
  virtual void on_master_message(tree::Link& link, tree::MessageType type,
                                 std::string_view payload) = 0;
  /// A master opened a channel toward us; dropping it, the default, refuses it.
  virtual void on_master_channel(tree::Link& link, const std::string& kind,
                                 std::unique_ptr<tree::Channel> channel);
  virtual void on_master_lost(const std::string& name, const Error& why) = 0;
  /// The way up (the first linked master) has changed; nullptr: lost.
  virtual void on_way_up(tree::WayUp* way) = 0;
};

/// Executor's thread only.
class MasterLinks final : public tree::Peers, public tree::WayUp, public tree::UplinkEvents {
 public:
  enum class Dial {
    all,     ///< every master (aggregators)
    one_of,  ///< one, the others as fallbacks (utility, boot)
  };
  MasterLinks(tree::UplinkContext& context, MasterLinksEvents& events);
  ~MasterLinks() override;

  void start(const std::vector<net::Endpoint>& masters, Dial dial);
  void stop(const Error& why);
  /// Sends on every ready link.
  void send_all(tree::MessageType type, std::string_view payload);
  [[nodiscard]] std::vector<std::string> ready() const;
  /// The link of the way up, or nullptr.
  [[nodiscard]] tree::Link* up() const;
  [[nodiscard]] std::vector<std::pair<std::string, tree::UplinkStatus>> status() const;
  void refresh();
  /// See Link::judge_anew().
  void judge_anew() {
    for (const Way& way : ways_) way.uplink->judge_anew();
  }

  Status send(const std::string& peer, tree::MessageType type, std::string_view payload) override;
  Status send_up(tree::MessageType type, std::string_view payload) override;

 private:
  void on_uplink_ready(tree::Link& link) override;
  void on_uplink_message(tree::Link& link, tree::MessageType type,
                         std::string_view payload) override;
  void on_uplink_channel(tree::Link& link, const std::string& kind, const std::string& head,
                         std::unique_ptr<tree::Channel> channel) override;
  void on_uplink_lost(tree::Link& link, const Error& why) override;
  void on_uplink_replaced(tree::Link& old, tree::Link& fresh) override;
  void choose(bool renewed);
  Status on_uplink_connected(tree::Uplink& uplink, const net::Peer& peer) override;

  /// One master: the endpoints it is reached by, and who it proved to be.
  struct Way {
    std::vector<net::Endpoint> targets;
    std::unique_ptr<tree::Uplink> uplink;
    std::string master;  ///< empty until it has shown its certificate
  };

  tree::UplinkContext& context_;
  MasterLinksEvents& events_;
  std::vector<Way> ways_;
  std::string way_;  ///< name of the master that is the way up; empty: none
};

}  // namespace drover::daemons
