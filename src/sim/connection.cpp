#include "sim/connection.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::sim {
namespace {

/// The most that one on_data() carries, like a read buffer.
constexpr size_t kReadBytes = size_t{64} << 10;
/// After a path opens again, what was held comes at the next retransmission, up to this later.
constexpr Duration kLateRetransmit = std::chrono::seconds(3);
/// An orderly close waits this long for the peer's end, and gives up when the peer takes nothing
/// for that long (net/real_stream.cpp).
constexpr Duration kLinger = std::chrono::seconds(1);
constexpr Duration kCloseStall = std::chrono::seconds(10);

Side other(Side side) {
  return side ^ 1;
}

class SimStream final : public net::Stream {
 public:
  SimStream(std::shared_ptr<Connection> connection, Side side)
      : connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { connection_->abandon(side_, std::nullopt); }

  void set_handler(net::StreamHandler* handler) override {
    connection_->set_handler(side_, handler);
  }
  void write(std::string_view bytes) override { connection_->write(side_, bytes); }
  [[nodiscard]] size_t unsent() const override { return connection_->unsent(side_); }
  void close() override { connection_->close(side_); }
  void pause_reading(bool paused) override { connection_->pause_reading(side_, paused); }
  [[nodiscard]] const net::Peer& peer() const override { return connection_->peer(side_); }

 private:
  std::shared_ptr<Connection> connection_;
  Side side_;
};

Error closed_by_us() {
  return {Code::cancelled, "closed", {}, {}};
}
Error cut_by_peer() {
  return {Code::unreachable, "connection cut by the peer without a goodbye", {}, {}};
}
Error closed_by_peer() {
  return {Code::cancelled, "closed by peer", {}, {}};
}
Error reset_by_peer() {
  return {Code::unreachable, "connection reset by peer", {}, {}};
}

}  // namespace

Connection::Connection(Fabric& fabric, std::string client_host, std::string server_host,
                       bool secure)
    : fabric_(fabric),
      world_(fabric.world()),
      id_(fabric.add_connection(this)),
      secure_(secure),
      paths_{&fabric.path(client_host, server_host), &fabric.path(server_host, client_host)} {
  ends_[0].host = std::move(client_host);
  ends_[1].host = std::move(server_host);
  blocked_ = !path_open(0) || !path_open(1);
  blocked_since_ = world_.now();
}

Connection::~Connection() {
  fabric_.remove_connection(id_);
}

void Connection::attach(Side side, SimProcess& process, net::Peer peer) {
  ends_[side].process = &process;
  ends_[side].peer = std::move(peer);
}

std::unique_ptr<net::Stream> Connection::make_stream(Side side) {
  return std::make_unique<SimStream>(shared_from_this(), side);
}

bool Connection::path_open(Side from) {
  return fabric_.open(ends_[from].host, ends_[other(from)].host);
}

bool Connection::between(const std::string& a, const std::string& b) const {
  return (ends_[0].host == a && ends_[1].host == b) || (ends_[0].host == b && ends_[1].host == a);
}

void Connection::set_handler(Side side, net::StreamHandler* handler) {
  End& end = ends_[side];
  if (end.gone) return;
  end.handler = handler;
  if (handler != nullptr) arm_deliver(side);
}

void Connection::write(Side side, std::string_view bytes) {
  End& end = ends_[side];
  if (end.gone || end.finished || end.closing || bytes.empty()) return;
  end.unsent.append(bytes);
  arm_flush(side, Duration{});
}

void Connection::close(Side side) {
  End& end = ends_[side];
  if (end.gone || end.finished || end.closing) return;
  end.closing = true;
  limit_close(side, kCloseStall, end.taken);
  hand_over(side);  // at once: the owner may destroy the stream in this very event
  if (unsent(side) == 0) send_end(side, closed_by_peer());
  arm_flush(side, Duration{});
}

void Connection::limit_close(Side side, Duration limit, uint64_t progress) {
  ends_[side].process->after(limit, [weak = weak_from_this(), side, progress] {
    const auto self = weak.lock();
    if (self == nullptr || self->ends_[side].gone) return;
    const End& end = self->ends_[side];
    if (end.end_sent || end.taken == progress) {
      self->finish(side, closed_by_us());
    } else {
      self->limit_close(side, kCloseStall, end.taken);
    }
  });
}

void Connection::send_end(Side side, Error why) {
  if (std::exchange(ends_[side].end_sent, true)) return;
  send(side, {}, std::move(why));
}

void Connection::pause_reading(Side side, bool paused) {
  End& end = ends_[side];
  if (end.gone) return;
  end.reading_paused = paused;
  if (!paused) arm_deliver(side);
}

void Connection::arm_flush(Side side, Duration delay) {
  End& end = ends_[side];
  if (end.flush_armed || end.process == nullptr) return;
  end.flush_armed = true;
  end.process->after(delay, [weak = weak_from_this(), side] {
    if (const auto self = weak.lock()) self->flush(side);
  });
}

void Connection::reclaim_acks(End& end) {
  while (!end.acks.empty() && end.acks.front().at <= world_.now()) {
    end.window_used -= end.acks.front().bytes;
    end.acks.pop_front();
  }
}

std::string Connection::take_unsent(End& end, size_t n) {
  if (end.unsent_head == 0 && n == end.unsent.size()) return std::exchange(end.unsent, {});
  std::string bytes = end.unsent.substr(end.unsent_head, n);
  end.unsent_head += n;
  if (end.unsent_head == end.unsent.size()) drop_unsent(end);
  return bytes;
}

void Connection::drop_unsent(End& end) {
  end.unsent.clear();
  end.unsent_head = 0;
}

size_t Connection::hand_over(Side side) {
  End& end = ends_[side];
  reclaim_acks(end);
  const size_t room = fabric_.options().window - end.window_used;
  const size_t n = std::min(room, unsent(side));
  if (n == 0) return 0;
  std::string bytes = take_unsent(end, n);
  end.window_used += n;
  end.taken += n;
  send(side, std::move(bytes), std::nullopt);
  return n;
}

void Connection::flush(Side side) {
  End& end = ends_[side];
  end.flush_armed = false;
  if (end.gone || end.finished) return;
  const size_t n = hand_over(side);
  if (unsent(side) > 0) {
    // The peer's consumption arms the next try; when its acknowledgement is under way, wait for it.
    if (!end.acks.empty()) arm_flush(side, end.acks.front().at - world_.now());
    return;
  }
  if (end.closing) {
    send_end(side, closed_by_peer());
    limit_close(side, kLinger, end.taken);
  } else if (n > 0 && end.handler != nullptr) {
    end.handler->on_drained();
  }
}

void Connection::send(Side side, std::string bytes, std::optional<Error> end) {
  End& from = ends_[side];
  Path& path = *paths_[side];
  // A message cut in two finds out readers that take one read for one message.
  if (bytes.size() > 1 && path.random.chance(fabric_.options().split)) {
    const size_t cut = 1 + path.random.below(bytes.size() - 1);
    std::string tail = bytes.substr(cut);
    bytes.resize(cut);
    send(side, std::move(bytes), std::nullopt);
    bytes = std::move(tail);
  }
  Duration leaves = world_.now();
  if (path.bandwidth > 0) {
    const auto takes = static_cast<int64_t>(static_cast<double>(bytes.size()) * 1e9 /
                                            static_cast<double>(path.bandwidth));
    leaves = std::max(leaves, from.line_free) + Duration(takes);
    from.line_free = leaves;
  }
  from.last_arrival = std::max(from.last_arrival, leaves + fabric_.draw_delay(path));
  from.flight.push_back({from.last_arrival, std::move(bytes), std::move(end)});
  arm_arrival(side);
}

void Connection::arm_arrival(Side side) {
  End& from = ends_[side];
  if (from.arrival_armed || from.flight.empty()) return;
  from.arrival_armed = true;
  world_.after(from.flight.front().arrival - world_.now(), [weak = weak_from_this(), side] {
    if (const auto self = weak.lock()) self->arrive(side);
  });
}

void Connection::arrive(Side side) {
  End& from = ends_[side];
  from.arrival_armed = false;
  if (from.flight.empty() || !path_open(side)) return;  // path_changed() arms it again
  if (from.flight.front().arrival <= world_.now()) {
    Chunk chunk = std::move(from.flight.front());
    from.flight.pop_front();
    receive(other(side), std::move(chunk));
  }
  arm_arrival(side);
}

void Connection::receive(Side side, Chunk chunk) {
  End& end = ends_[side];
  world_.note("net",
              fmt::format("#{} {} > {} {} B {:08x}{}", id_, ends_[other(side)].host, end.host,
                          chunk.bytes.size(), static_cast<uint32_t>(fnv1a(chunk.bytes)),
                          chunk.end ? " end: " + chunk.end->message : ""));
  fabric_.count_delivered(chunk.bytes.size());
  if (end.gone || end.finished) return;
  end.received += chunk.bytes;
  if (chunk.end) {
    end.hard_end = chunk.end->code != Code::cancelled;
    end.ended = std::move(chunk.end);
  }
  const bool running = end.process != nullptr && end.process->alive() && !end.process->paused();
  if (running && !end.deliver_armed) {
    deliver(side);
  } else {
    arm_deliver(side);
  }
}

void Connection::arm_deliver(Side side) {
  End& end = ends_[side];
  if (end.deliver_armed || end.gone || end.finished || end.process == nullptr) return;
  if (end.received.empty() && !end.ended) return;
  end.deliver_armed = true;
  end.process->after(Duration{}, [weak = weak_from_this(), side] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->ends_[side].deliver_armed = false;
    self->deliver(side);
  });
}

bool Connection::deliver_data(Side side) {
  End& end = ends_[side];
  const std::string bytes = end.received.substr(0, kReadBytes);
  end.received.erase(0, bytes.size());
  consumed(side, bytes.size());
  if (end.closing) return true;  // nobody wants it any more
  end.handler->on_data(bytes);
  return !end.gone && end.handler != nullptr;
}

void Connection::deliver(Side side) {
  const auto self = shared_from_this();
  End& end = ends_[side];
  if (end.gone || end.finished || end.handler == nullptr) return;
  while (!end.received.empty() && !end.reading_paused) {
    if (!deliver_data(side)) return;
    // A handler that kills or pauses its own process stops here too.
    if (end.process == nullptr || end.process->paused()) return arm_deliver(side);
  }
  if (end.ended && !end.finished && (end.received.empty() || end.hard_end)) {
    if (end.reading_paused && !end.hard_end) return;
    // A copy: the handler may destroy this connection's last stream.
    const Error why = end.end_sent ? closed_by_us() : *end.ended;
    finish(side, why);
  }
}

void Connection::finish(Side side, const Error& why) {
  End& end = ends_[side];
  if (end.gone || end.finished) return;
  end.finished = true;
  if (!end.hard_end) send_end(side, unsent(side) > 0 ? reset_by_peer() : closed_by_peer());
  drop_unsent(end);
  end.received.clear();
  if (end.handler != nullptr) end.handler->on_closed(why);
}

void Connection::consumed(Side receiver, size_t bytes) {
  End& sender = ends_[other(receiver)];
  if (sender.gone) return;
  if (!path_open(receiver)) {
    sender.held_acks += bytes;
    return;
  }
  const Duration at = world_.now() + paths_[receiver]->latency;
  sender.acks.push_back({std::max(at, sender.acks.empty() ? at : sender.acks.back().at), bytes});
  if (unsent(other(receiver)) > 0)
    arm_flush(other(receiver), sender.acks.front().at - world_.now());
}

void Connection::abandon(Side side, std::optional<Error> why) {
  End& end = ends_[side];
  if (end.gone) return;
  const bool finished = end.finished;
  const bool unread = !end.received.empty();
  end.gone = true;
  end.handler = nullptr;
  end.process = nullptr;
  drop_unsent(end);
  end.received.clear();
  if (finished) return;
  // Closing with unread bytes resets (RFC 2525 section 2.17); without close(), TLS misses the
  // goodbye.
  if (!why) why = unread ? reset_by_peer() : secure_ ? cut_by_peer() : closed_by_peer();
  send_end(side, *std::move(why));
}

void Connection::process_died(const SimProcess& process) {
  for (Side side = 0; side < 2; ++side) {
    if (ends_[side].process != &process) continue;
    // The kernel closes a dead process's sockets; a host without power says nothing, and when it is
    // back it knows nothing of them.
    std::optional<Error> why;
    if (fabric_.host_down(process.host())) why = reset_by_peer();
    abandon(side, std::move(why));
  }
}

void Connection::path_changed() {
  const bool blocked_now = !path_open(0) || !path_open(1);
  if (blocked_now && !blocked_) {
    blocked_since_ = world_.now();
    const uint64_t epoch = ++blocked_epoch_;
    world_.after(fabric_.options().dead_after, [weak = weak_from_this(), epoch] {
      if (const auto self = weak.lock()) self->judge_blocked(epoch);
    });
  }
  const Duration outage = world_.now() - blocked_since_;
  blocked_ = blocked_now;
  if (!blocked_now) ++blocked_epoch_;
  for (Side side = 0; side < 2; ++side) {
    if (!path_open(side)) continue;
    End& from = ends_[side];
    // Back-off may make a retransmission as late as the outage was long.
    const Duration late =
        paths_[side]->random.between(Duration{}, std::min(outage, kLateRetransmit));
    Duration least = world_.now() + late;
    for (Chunk& chunk : from.flight) {
      chunk.arrival = std::max(chunk.arrival, least);
      least = chunk.arrival;
      from.last_arrival = std::max(from.last_arrival, least);
    }
    arm_arrival(side);
    End& peer = ends_[other(side)];
    if (peer.held_acks > 0) consumed(side, std::exchange(peer.held_acks, 0));
  }
}

void Connection::judge_blocked(uint64_t epoch) {
  if (!blocked_ || epoch != blocked_epoch_) return;
  end_both({Code::timed_out, "connection timed out", {}, {}});
}

void Connection::end_both(const Error& why) {
  world_.note("net", fmt::format("#{} {} - {} {}", id_, ends_[0].host, ends_[1].host, why.message));
  for (End& end : ends_) {
    end.flight.clear();
    drop_unsent(end);
    if (end.gone || end.finished) continue;
    end.ended = why;
    end.hard_end = true;
  }
  arm_deliver(0);
  arm_deliver(1);
}

}  // namespace drover::sim
