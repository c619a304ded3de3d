// Channels as net streams, so that HTTP runs over the tree with the same server and client that it
// runs over sockets: the caller's daemon is the client, the master the server.
#pragma once

#include "net/net.hpp"
#include "tree/link.hpp"

#include <memory>
#include <string>

namespace drover::tree {

/// The kind of channels that carry one HTTP/1.1 connection each.
inline constexpr const char* kHttpChannel = "http";

/// A stream over `channel`; `peer` is what it answers as its peer.
std::unique_ptr<net::Stream> make_channel_stream(Executor& executor,
                                                 std::unique_ptr<Channel> channel, net::Peer peer);

/// A Net whose connect() opens a channel on the link that `link` gives at that moment (nullptr:
/// none, the connection fails as unreachable with `why_not`), and whose listen() takes channels
/// that were handed to accept(). Endpoints and security are not looked at: the link has both.
class ChannelNet final : public net::Net {
 public:
  ChannelNet(Executor& executor, Callback<Link*()> link, Callback<std::string()> why_not);

  Result<std::shared_ptr<net::Security>> make_security(const net::SecurityConfig& config) override;
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint& at,
                                                Callback<std::shared_ptr<net::Security>()> security,
                                                net::AcceptCallback accepted) override;
  std::unique_ptr<net::Connecting> connect(const net::Endpoint& to,
                                           std::shared_ptr<net::Security> security,
                                           Duration timeout,
                                           net::ConnectCallback connected) override;

  /// Hands a channel that a peer opened to the listener, with the link's verified identity.
  void accept(Link& link, std::unique_ptr<Channel> channel);

 private:
  class ChannelListener;
  class ChannelConnecting;
  Executor& executor_;
  Callback<Link*()> link_;
  Callback<std::string()> why_not_;
  ChannelListener* listener_ = nullptr;
};

/// Joins two channels: what one receives the other sends, under the credit of both. Lives until
/// both are done; `done` is then called once (never inside the constructor).
class ChannelSplice {
 public:
  ChannelSplice(Executor& executor, std::unique_ptr<Channel> a, std::unique_ptr<Channel> b,
                Callback<void()> done);
  ~ChannelSplice();
  ChannelSplice(const ChannelSplice&) = delete;
  ChannelSplice& operator=(const ChannelSplice&) = delete;

 private:
  class End;
  void finish();
  Executor& executor_;
  std::unique_ptr<End> a_;
  std::unique_ptr<End> b_;
  Callback<void()> done_;
  bool finished_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::tree
