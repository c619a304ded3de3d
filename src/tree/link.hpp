// A link: one verified stream between two daemons, after hello, carrying messages in three lanes
// and channels under credit. Knows nothing of what the messages mean.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/net.hpp"
#include "tree/frame.hpp"
#include "tree/hello.hpp"
#include "tree/message.hpp"
#include "tree/wakefulness.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class MessageLite;
}

namespace drover::tree {

class Link;

/// Receives a channel's events on the link's executor.
class ChannelHandler {
 public:
  ChannelHandler() = default;
  ChannelHandler(const ChannelHandler&) = delete;
  ChannelHandler& operator=(const ChannelHandler&) = delete;
  virtual ~ChannelHandler() = default;
  /// Bytes of the peer. Credit for them returns to the peer when Channel::consumed() is called.
  virtual void on_channel_data(std::string_view bytes) = 0;
  /// The peer will send no more; our direction stays open.
  virtual void on_channel_end() = 0;
  /// The channel is gone (reset by the peer or link lost); the last event.
  virtual void on_channel_reset(const Error& why) = 0;
  /// Some of the bytes handed to write() have left; unsent() says how many have not.
  virtual void on_channel_writable() {}
};

/// A two-way byte stream inside a link. Destroying it resets it unless both directions have ended.
/// It may outlive its link: it is then reset and inert.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;
  virtual void set_handler(ChannelHandler* handler) = 0;
  /// Queues bytes; they leave as the peer grants credit. Look at unsent() to push back.
  virtual void write(std::string_view bytes) = 0;
  [[nodiscard]] virtual size_t unsent() const = 0;
  virtual void end() = 0;
  virtual void reset(const Error& why) = 0;
  /// Returns `bytes` of credit to the peer: they have been dealt with.
  virtual void consumed(size_t bytes) = 0;
};

/// What the owner of links hears. All calls on the executor; the link may be destroyed in any of
/// them.
class LinkEvents {
 public:
  LinkEvents() = default;
  LinkEvents(const LinkEvents&) = delete;
  LinkEvents& operator=(const LinkEvents&) = delete;
  virtual ~LinkEvents() = default;
  /// Hellos are exchanged; link.peer() is valid.
  virtual void on_link_ready(Link& link) = 0;
  /// A message other than the link's own. `payload` lives only for this call.
  virtual void on_link_message(Link& link, MessageType type, std::string_view payload) = 0;
  /// The peer opened a channel. Drop it to refuse it.
  virtual void on_link_channel(Link& link, const std::string& kind, const std::string& head,
                               std::unique_ptr<Channel> channel) = 0;
  /// The last event. Before on_link_ready: the hello failed, `why` says how.
  virtual void on_link_closed(Link& link, const Error& why) = 0;
};

/// What every link of a daemon needs; outlives its links.
struct LinkContext {
  Executor& executor;
  Log log;
  /// How we introduce ourselves; copied at the start of each link, so it may change between links.
  Introduction self;
  /// Time without a frame from the peer after which the link is lost. 0: do not judge here.
  Duration silence_limit = std::chrono::seconds(3);
  /// Time for the hellos, and for the peer to take our last bytes after close().
  Duration hello_limit = std::chrono::seconds(5);
  /// Bytes that may wait for one peer before the link is lost: what a peer that sends but never
  /// reads can cost. Far above the largest burst, the membership of 100,000 nodes.
  size_t queue_limit = size_t{32} << 20;
  /// Silence counts from the end of our own last gap at the earliest.
  Wakefulness awake{executor, silence_limit};
};

enum class LinkSide { dialler, acceptor };

/// Ends a connection on which no hello was said, with a goodbye in place of it.
void decline(net::Stream& stream, const Error& why);

/// Owns its stream. Destroying it closes the stream without an event. Executor's thread only.
class Link final : private net::StreamHandler {
 public:
  Link(LinkContext& context, std::unique_ptr<net::Stream> stream, LinkSide side,
       LinkExpectation expectation, LinkEvents& events);
  ~Link() override;

  /// Queues one message; too_large over kMaxFramePayload. Silently nothing after close.
  Status send(MessageType type, const google::protobuf::MessageLite& message);
  /// The same for bytes that were encoded once for many links.
  Status send_encoded(MessageType type, std::string_view payload);
  std::unique_ptr<Channel> open_channel(const std::string& kind, std::string_view head);
  /// Tells the peer why, flushes, closes; on_link_closed follows.
  void close(const Error& why);
  /// The context's silence limit has changed. The wait begins anew, so that a peer that still beats
  /// by the old rule is not called dead by the new one.
  void judge_anew();
  /// No event comes any more: for an owner that lets go of a link inside one of its events and
  /// destroys it a little later, perhaps after itself.
  void abandon();

  /// The peer as its hello and certificate say. Valid from on_link_ready on.
  [[nodiscard]] const Introduction& peer() const { return peer_; }
  [[nodiscard]] const net::Peer& transport_peer() const { return transport_peer_; }
  [[nodiscard]] uint32_t protocol() const { return protocol_; }
  [[nodiscard]] uint64_t features() const { return features_; }
  [[nodiscard]] MonoTime ready_since() const { return ready_since_; }
  [[nodiscard]] WallTime ready_since_wall() const { return ready_since_wall_; }
  [[nodiscard]] MonoTime last_heard() const { return last_heard_; }
  [[nodiscard]] bool ready() const { return ready_; }
  /// The peer ended the link because it did not hear us: it was alive, and may be so still.
  [[nodiscard]] bool peer_missed_us() const { return goodbye_code_ == Code::timed_out; }
  /// The code of the goodbye that the peer sent, if it sent one.
  [[nodiscard]] std::optional<Code> peer_goodbye() const { return goodbye_code_; }
  [[nodiscard]] size_t queued_bytes() const;
  /// A tag for the owner, never read by the link.
  uint64_t tag = 0;

 private:
  class ChannelState;
  class ChannelHandle;
  /// Encoded frames in order; `at` is where the unsent ones begin.
  struct LaneQueue {
    std::string bytes;
    size_t at = 0;
    [[nodiscard]] bool empty() const { return at == bytes.size(); }
    std::string_view front_frame() const;
    void pop_front();
  };

  void on_data(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(const Error& why) override;

  bool on_frame(const FrameHeader& header, std::string_view payload);
  bool on_hello_frame(const FrameHeader& header, std::string_view payload);
  bool on_hello(std::string_view payload);
  bool on_goodbye(std::string_view payload, std::string_view verb);
  bool on_channel_frame(const FrameHeader& header, std::string_view payload);
  bool on_channel_open(uint32_t id, std::string_view payload);
  bool on_channel_bytes(ChannelState& channel, std::string_view payload);
  void say_hello();
  void say_goodbye(MessageType type, const Error& why);
  /// Ends the link; returns false so that frame handlers can `return lose(..)`.
  bool lose(const Error& why);
  void judge_silence();
  /// Says goodbye with `why` without waiting for the peer, and ends the link.
  void cut(const Error& why);
  /// From when on silence counts.
  [[nodiscard]] MonoTime silent_since() const;
  void arm_silence();
  /// Ends the link, after the call in hand, if too much waits for the peer.
  bool overfull();
  void queue(MessageType type, uint32_t stream_id, std::string_view payload);
  void pump();
  /// Writes one chunk of one channel; false when no channel has bytes and credit.
  bool pump_channels();
  void tell_writable(const std::shared_ptr<ChannelState>& channel);
  void forget_channel(uint32_t id);

  LinkContext& context_;
  std::unique_ptr<net::Stream> stream_;
  LinkEvents* events_;  ///< null once abandoned
  LinkSide side_;
  LinkExpectation expectation_;
  net::Peer transport_peer_;
  Introduction peer_;
  FrameDecoder decoder_;
  std::array<LaneQueue, 2> lanes_;  ///< encoded frames waiting: control, request
  std::map<uint32_t, std::shared_ptr<ChannelState>> channels_;
  uint32_t next_channel_;
  uint32_t last_pumped_ = 0;
  Timer timer_;
  MonoTime ready_since_{};
  WallTime ready_since_wall_{};
  MonoTime last_heard_{};
  uint32_t protocol_ = 0;
  uint64_t features_ = 0;
  bool ready_ = false;
  bool closing_ = false;
  bool closed_ = false;
  std::optional<Code> goodbye_code_;
  std::string goodbye_;  ///< why the peer said it would close
  /// Seen by code that calls out, to learn whether the link was destroyed in the call.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::tree
