// An uplink: keeps one link to a parent alive, dialling its endpoints in turn with jittered
// back-off.
#pragma once

#include "base/random.hpp"
#include "net/net.hpp"
#include "tree/link.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::tree {

/// What an uplink shows about itself for `drover health`.
struct UplinkStatus {
  std::string target;  ///< endpoint in use or last tried
  bool up = false;
  WallTime since{};  ///< of the last change between up and down
  std::string why;   ///< down: the last failure
  uint32_t attempts = 0;
};

class Uplink;

class UplinkEvents {
 public:
  UplinkEvents() = default;
  UplinkEvents(const UplinkEvents&) = delete;
  UplinkEvents& operator=(const UplinkEvents&) = delete;
  virtual ~UplinkEvents() = default;
  /// The peer's certificate is verified and no hello has been said. An error declines the peer: the
  /// uplink then does nothing more, and its owner lets go of it.
  virtual Status on_uplink_connected(Uplink& uplink, const net::Peer& peer);
  virtual void on_uplink_ready(Link& link) = 0;
  virtual void on_uplink_message(Link& link, MessageType type, std::string_view payload) = 0;
  /// Channels that parents open toward us; none is the default.
  virtual void on_uplink_channel(Link& link, const std::string& kind, const std::string& head,
                                 std::unique_ptr<Channel> channel);
  /// Called once after each on_uplink_ready; the uplink dials again by itself.
  virtual void on_uplink_lost(Link& link, const Error& why) = 0;
  /// refresh() has put `fresh` in place of `old`, which is gone after this call.
  virtual void on_uplink_replaced(Link& old, Link& fresh) = 0;
};

/// What all uplinks of a daemon share; outlives them.
struct UplinkContext {
  LinkContext& links;
  net::Net& net;
  Random& random;
  /// The current identity, asked for at each attempt, so that certificates rotate without a
  /// restart.
  Callback<std::shared_ptr<net::Security>()> security;
  Duration connect_limit = std::chrono::seconds(5);
  Duration backoff_base = std::chrono::milliseconds(100);
  Duration backoff_cap = std::chrono::seconds(5);
};

/// Executor's thread only. Destroying it closes the link without an event.
class Uplink final : public LinkEvents {
 public:
  Uplink(UplinkContext& context, LinkExpectation expectation, UplinkEvents& events);
  ~Uplink() override;

  /// Dials these from now on, in this order. A link to an endpoint that is still listed is kept,
  /// and with `keep_link` any ready link (its peer is the right one under another address).
  void set_targets(std::vector<net::Endpoint> targets, bool keep_link);
  /// The ready link, or nullptr.
  [[nodiscard]] Link* link() { return link_ && link_->ready() ? link_.get() : nullptr; }
  [[nodiscard]] const UplinkStatus& status() const { return status_; }
  /// Says goodbye with `why` and dials no more until set_targets().
  void close(const Error& why);
  /// Replaces the link by a new one without a gap: used after a certificate rotation. The peer
  /// accepts the newer link of the same incarnation in place of the old.
  void refresh();
  /// See Link::judge_anew().
  void judge_anew() {
    if (link_) link_->judge_anew();
  }
  /// The index the owner gave; never read here.
  size_t tag = 0;

 private:
  void on_link_ready(Link& link) override;
  void on_link_message(Link& link, MessageType type, std::string_view payload) override;
  void on_link_channel(Link& link, const std::string& kind, const std::string& head,
                       std::unique_ptr<Channel> channel) override;
  void on_link_closed(Link& link, const Error& why) override;
  void dial();
  void on_connected(Result<std::unique_ptr<net::Stream>> stream);
  void fail_attempt(const Error& why);
  void lose(const Error& why);
  /// Renews the link in time before the certificate that the parent showed on it expires.
  void arm_refresh();
  void dispose(std::unique_ptr<Link> link);

  UplinkContext& context_;
  LinkExpectation expectation_;
  UplinkEvents& events_;
  std::vector<net::Endpoint> targets_;
  size_t next_target_ = 0;
  net::Endpoint current_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<Link> link_;         ///< in use, or in its hello when nothing else is
  std::unique_ptr<Link> replacement_;  ///< refresh(): in its hello while link_ still serves
  bool refreshing_ = false;
  std::optional<Error> handing_over_;  ///< why link_ ended while replacement_ was in its hello
  Backoff backoff_;
  Timer redial_;
  Timer refresh_timer_;
  UplinkStatus status_;
};

}  // namespace drover::tree
