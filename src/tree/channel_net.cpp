#include "tree/channel_net.hpp"

namespace drover::tree {
namespace {

/// Stream events may come only from the executor, and never inside a call into the stream; the
/// channel's own events already are, so they are passed straight on.
class ChannelStream final : public net::Stream, private ChannelHandler {
 public:
  ChannelStream(Executor& executor, std::unique_ptr<Channel> channel, net::Peer peer)
      : executor_(executor), channel_(std::move(channel)), peer_(std::move(peer)) {}
  ChannelStream(const ChannelStream&) = delete;
  ChannelStream& operator=(const ChannelStream&) = delete;
  ~ChannelStream() override { *alive_ = false; }

  void set_handler(net::StreamHandler* handler) override {
    const bool first = handler_ == nullptr;
    handler_ = handler;
    if (first && handler != nullptr) channel_->set_handler(this);
  }
  void write(std::string_view bytes) override {
    if (closing_) return;
    wrote_ = true;
    channel_->write(bytes);
  }
  [[nodiscard]] size_t unsent() const override { return channel_->unsent(); }
  void close() override {
    if (closing_) return;
    closing_ = true;
    channel_->end();
    finish_if_done();
  }
  void pause_reading(bool paused) override {
    paused_ = paused;
    if (paused || held_.empty()) return;
    executor_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.expired() || paused_ || held_.empty()) return;
      const std::string bytes = std::move(held_);
      held_.clear();
      deliver(bytes);
    });
  }
  [[nodiscard]] const net::Peer& peer() const override { return peer_; }

 private:
  void deliver(std::string_view bytes) {
    const std::weak_ptr<bool> alive = alive_;
    const size_t size = bytes.size();
    handler_->on_data(bytes);
    if (!alive.expired()) channel_->consumed(size);
    if (!alive.expired() && ended_ && held_.empty())
      closed({Code::cancelled, "closed by peer", {}, {}});
  }
  void on_channel_data(std::string_view bytes) override {
    if (handler_ == nullptr) return;
    if (paused_ || !held_.empty()) {
      held_.append(bytes);  // bounded by the channel's window: no credit goes back meanwhile
    } else {
      deliver(bytes);
    }
  }
  void on_channel_end() override {
    ended_ = true;
    if (held_.empty()) closed({Code::cancelled, "closed by peer", {}, {}});
  }
  void on_channel_reset(const Error& why) override { closed(why); }
  void on_channel_writable() override {
    if (wrote_ && handler_ != nullptr && channel_->unsent() == 0) {
      wrote_ = false;
      handler_->on_drained();
    }
  }
  void finish_if_done() {
    if (!ended_) return;
    executor_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) closed({Code::cancelled, "closed by peer", {}, {}});
    });
  }
  void closed(const Error& why) {
    if (told_closed_ || handler_ == nullptr) return;
    told_closed_ = true;
    handler_->on_closed(why);
  }

  Executor& executor_;
  std::unique_ptr<Channel> channel_;
  net::Peer peer_;
  net::StreamHandler* handler_ = nullptr;
  std::string held_;
  bool paused_ = false;
  bool closing_ = false;
  bool ended_ = false;
  bool wrote_ = false;
  bool told_closed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<net::Stream> make_channel_stream(Executor& executor,
                                                 std::unique_ptr<Channel> channel, net::Peer peer) {
  return std::make_unique<ChannelStream>(executor, std::move(channel), std::move(peer));
}

class ChannelNet::ChannelListener final : public net::Listener {
 public:
  ChannelListener(ChannelNet& net, net::AcceptCallback accepted)
      : net_(net), accepted_(std::move(accepted)) {
    net_.listener_ = this;
  }
  ChannelListener(const ChannelListener&) = delete;
  ChannelListener& operator=(const ChannelListener&) = delete;
  ~ChannelListener() override {
    if (net_.listener_ == this) net_.listener_ = nullptr;
  }
  [[nodiscard]] net::Endpoint endpoint() const override { return {"tree", 0, {}}; }
  void deliver(std::unique_ptr<net::Stream> stream) { accepted_(std::move(stream)); }

 private:
  ChannelNet& net_;
  net::AcceptCallback accepted_;
};

class ChannelNet::ChannelConnecting final : public net::Connecting {
 public:
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

ChannelNet::ChannelNet(Executor& executor, Callback<Link*()> link, Callback<std::string()> why_not)
    : executor_(executor), link_(std::move(link)), why_not_(std::move(why_not)) {}

Result<std::shared_ptr<net::Security>> ChannelNet::make_security(const net::SecurityConfig&) {
  return fail(Code::unsupported, "a channel has the security of its link");
}

Result<std::unique_ptr<net::Listener>> ChannelNet::listen(
    const net::Endpoint&, Callback<std::shared_ptr<net::Security>()>,
    net::AcceptCallback accepted) {
  if (listener_ != nullptr)
    return fail(Code::already_exists, "channels are being accepted already");
  return std::make_unique<ChannelListener>(*this, std::move(accepted));
}

std::unique_ptr<net::Connecting> ChannelNet::connect(const net::Endpoint&,
                                                     std::shared_ptr<net::Security>, Duration,
                                                     net::ConnectCallback connected) {
  auto connecting = std::make_unique<ChannelConnecting>();
  executor_.post([this, alive = std::weak_ptr<bool>(connecting->alive),
                  connected = std::move(connected)]() mutable {
    if (alive.expired()) return;
    Link* link = link_();
    if (link == nullptr) {
      connected(fail(Code::unreachable, why_not_(), "drover local"));
      return;
    }
    net::Peer peer = link->transport_peer();
    peer.address = "tree:" + link->peer().name;
    connected(
        make_channel_stream(executor_, link->open_channel(kHttpChannel, {}), std::move(peer)));
  });
  return connecting;
}

void ChannelNet::accept(Link& link, std::unique_ptr<Channel> channel) {
  if (listener_ == nullptr) return;  // dropping the channel refuses it
  net::Peer peer = link.transport_peer();
  peer.address = "tree:" + link.peer().name;
  listener_->deliver(make_channel_stream(executor_, std::move(channel), std::move(peer)));
}

// --- splice -----------------------------------------------------------------------------------

class ChannelSplice::End final : public ChannelHandler {
 public:
  End(ChannelSplice& splice, std::unique_ptr<Channel> channel)
      : splice_(splice), channel_(std::move(channel)) {}

  void join(End& other) {
    other_ = &other;
    channel_->set_handler(this);
  }
  void on_channel_data(std::string_view bytes) override {
    other_->channel_->write(bytes);
    pending_ += bytes.size();
    return_credit();
  }
  void on_channel_end() override {
    ended_ = true;
    other_->channel_->end();
    if (other_->ended_) splice_.finish();
  }
  void on_channel_reset(const Error& why) override {
    other_->channel_->reset(why);
    splice_.finish();
  }
  void on_channel_writable() override { other_->return_credit(); }

 private:
  // Credit goes back only for what the other side has taken: a slow reader slows the writer, and an
  // aggregator in between holds one window at most.
  void return_credit() {
    const size_t waiting = other_->channel_->unsent();
    if (waiting >= pending_) return;
    const size_t taken = pending_ - waiting;
    pending_ = waiting;
    channel_->consumed(taken);
  }

  ChannelSplice& splice_;
  std::unique_ptr<Channel> channel_;
  End* other_ = nullptr;
  size_t pending_ = 0;  ///< received, not yet taken by the other side
  bool ended_ = false;
};

ChannelSplice::ChannelSplice(Executor& executor, std::unique_ptr<Channel> a,
                             std::unique_ptr<Channel> b, Callback<void()> done)
    : executor_(executor),
      a_(std::make_unique<End>(*this, std::move(a))),
      b_(std::make_unique<End>(*this, std::move(b))),
      done_(std::move(done)) {
  a_->join(*b_);
  b_->join(*a_);
}

ChannelSplice::~ChannelSplice() {
  *alive_ = false;
}

void ChannelSplice::finish() {
  if (finished_) return;
  finished_ = true;
  executor_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) done_();
  });
}

}  // namespace drover::tree
