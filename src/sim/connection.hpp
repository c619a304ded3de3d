// One simulated connection: two ends, and the bytes under way between them. In order, with windows
// and back-pressure; what a path's faults do to it is decided here.
#pragma once

#include "net/net.hpp"
#include "sim/fabric.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace drover::sim {

/// 0: the side that connected, 1: the side that listened.
using Side = uint8_t;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `secure`: TLS, in which an end without close() is told from an orderly one.
  Connection(Fabric& fabric, std::string client_host, std::string server_host, bool secure);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void attach(Side side, SimProcess& process, net::Peer peer);
  /// The Stream of one end, once.
  std::unique_ptr<net::Stream> make_stream(Side side);

  // What a Stream asks of its end.
  void set_handler(Side side, net::StreamHandler* handler);
  void write(Side side, std::string_view bytes);
  [[nodiscard]] size_t unsent(Side side) const {
    return ends_[side].unsent.size() - ends_[side].unsent_head;
  }
  void close(Side side);
  void pause_reading(Side side, bool paused);
  [[nodiscard]] const net::Peer& peer(Side side) const { return ends_[side].peer; }

  /// The end is gone for good: destroyed by its owner or dead with its process. With `why` the
  /// other end sees that error instead of an orderly end.
  void abandon(Side side, std::optional<Error> why);
  void process_died(const SimProcess& process);
  /// A path between the two hosts has been blocked or opened.
  void path_changed();
  [[nodiscard]] bool between(const std::string& a, const std::string& b) const;
  [[nodiscard]] bool has_received(Side side) const { return !ends_[side].received.empty(); }
  [[nodiscard]] const std::string& host(Side side) const { return ends_[side].host; }
  [[nodiscard]] uint64_t id() const { return id_; }

 private:
  struct Chunk {
    Duration arrival;
    std::string bytes;
    std::optional<Error> end;  ///< set on the last chunk
  };
  struct Ack {
    Duration at;
    size_t bytes;
  };
  struct End {
    std::string host;
    SimProcess* process = nullptr;  ///< null before attach() and once gone
    net::Peer peer;
    net::StreamHandler* handler = nullptr;
    bool gone = false;
    bool finished = false;  ///< on_closed has been delivered
    // Towards the other end.
    std::string unsent;  ///< from unsent_head on; what lies before it has left
    size_t unsent_head = 0;
    bool closing = false;  ///< close() was called
    bool end_sent = false;
    bool flush_armed = false;
    std::deque<Chunk> flight;
    bool arrival_armed = false;
    Duration last_arrival{};
    Duration line_free{};  ///< when a slow line has passed on what it was given
    uint64_t taken = 0;    ///< bytes that have left `unsent` so far
    size_t window_used = 0;
    std::deque<Ack> acks;
    size_t held_acks = 0;  ///< consumed by the peer, but the way back is blocked
    // From the other end.
    std::string received;  ///< at most one window
    std::optional<Error> ended;
    bool hard_end = false;
    bool reading_paused = false;
    bool deliver_armed = false;
  };

  [[nodiscard]] bool path_open(Side from);
  void arm_flush(Side side, Duration delay);
  std::string take_unsent(End& end, size_t n);
  void drop_unsent(End& end);
  /// Gives the network what it takes now; returns how many bytes.
  size_t hand_over(Side side);
  void flush(Side side);
  void send(Side side, std::string bytes, std::optional<Error> end);
  void arm_arrival(Side side);
  void arrive(Side side);
  void receive(Side side, Chunk chunk);
  void arm_deliver(Side side);
  void deliver(Side side);
  bool deliver_data(Side side);
  void consumed(Side receiver, size_t bytes);
  void reclaim_acks(End& end);
  void send_end(Side side, Error why);
  void limit_close(Side side, Duration limit, uint64_t progress);
  void finish(Side side, const Error& why);
  void end_both(const Error& why);
  void judge_blocked(uint64_t epoch);

  Fabric& fabric_;
  World& world_;
  uint64_t id_;
  bool secure_;
  std::array<End, 2> ends_;
  std::array<Path*, 2> paths_;  ///< by sending side
  bool blocked_ = false;
  Duration blocked_since_{};
  uint64_t blocked_epoch_ = 0;
};

}  // namespace drover::sim
