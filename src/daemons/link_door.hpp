// A door: listens for children, takes their links through the hello and keeps one live link per
// name.
#pragma once

#include "net/net.hpp"
#include "tree/link.hpp"
#include "tree/peers.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

/// What the owner of a door hears, on the executor.
class DoorEvents {
 public:
  DoorEvents() = default;
  DoorEvents(const DoorEvents&) = delete;
  DoorEvents& operator=(const DoorEvents&) = delete;
  virtual ~DoorEvents() = default;
  /// Whether a peer whose hello was right may come in (revocation); `key_sha256` names the key that
  /// it proved itself with, empty where the transport does not say.
  virtual Status admit(const tree::Introduction& peer, const std::string& key_sha256) = 0;
  /// A child is linked. `replaced`: it was linked before, and that link is gone without
  /// on_door_lost.
  virtual void on_door_ready(tree::Link& link, bool replaced) = 0;
  virtual void on_door_message(tree::Link& link, tree::MessageType type,
                               std::string_view payload) = 0;
  virtual void on_door_channel(tree::Link& link, const std::string& kind,
                               std::unique_ptr<tree::Channel> channel) = 0;
  /// The child's only link is gone. `link` is valid during the call.
  virtual void on_door_lost(tree::Link& link, const Error& why) = 0;
};

/// Executor's thread only.
class LinkDoor final : public tree::Peers, public tree::LinkEvents {
 public:
  LinkDoor(tree::LinkContext& context, net::Net& net,
           Callback<std::shared_ptr<net::Security>()> security, tree::LinkExpectation expectation,
           DoorEvents& events);

  /// The name under which a peer's link is found: "n01" where the door takes one role, else
  /// "aggregator/agg1", since daemons of two roles may share a host's name.
  [[nodiscard]] std::string key_of(const tree::Introduction& peer) const;

  ~LinkDoor() override;

  Result<net::Endpoint> listen(const net::Endpoint& at);
  /// Asks admit() again for every child and cuts those that it refuses now, telling them why:
  /// on_door_lost at once, and nothing that they still send is heard.
  void admit_again();
  /// Says goodbye to every child and stops listening.
  void close(const Error& why);

  [[nodiscard]] tree::Link* find(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, std::unique_ptr<tree::Link>>& links() const {
    return links_;
  }
  /// Sends on every child's link.
  void send_all(tree::MessageType type, std::string_view payload);
  /// See Link::judge_anew().
  void judge_anew();
  Status send(const std::string& peer, tree::MessageType type, std::string_view payload) override;

 private:
  void on_accepted(tl::expected<std::unique_ptr<net::Stream>, net::AcceptFailure> stream);
  void on_link_ready(tree::Link& link) override;
  void on_link_message(tree::Link& link, tree::MessageType type, std::string_view payload) override;
  void on_link_channel(tree::Link& link, const std::string& kind, const std::string& head,
                       std::unique_ptr<tree::Channel> channel) override;
  void on_link_closed(tree::Link& link, const Error& why) override;
  void dispose(std::unique_ptr<tree::Link> link);
  bool is_current(const tree::Link& link) const;

  /// Links that have not said hello yet, at most: a flood of silent peers costs no more than this.
  static constexpr size_t kMaxGreeting = 16384;

  tree::LinkContext& context_;
  net::Net& net_;
  Callback<std::shared_ptr<net::Security>()> security_;
  tree::LinkExpectation expectation_;
  DoorEvents& events_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::map<uint64_t, std::unique_ptr<tree::Link>> greeting_;  ///< by Link::tag, in order of arrival
  uint64_t last_tag_ = 0;
  std::map<std::string, std::unique_ptr<tree::Link>> links_;
};

}  // namespace drover::daemons
