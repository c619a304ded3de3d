#include "tree/link.hpp"

#include "base/text.hpp"
#include "proto/link.pb.h"

#include <algorithm>

#include <fmt/core.h>

namespace drover::tree {
namespace {

/// Bytes that a sender may have under way in a channel before the receiver grants more. With 1 ms
/// of round trip this is 256 MB/s, with 100 channels on a link 25 MiB of memory at most.
constexpr uint32_t kChannelWindow = 256U << 10;
/// Unsent bytes in the stream above which lower lanes wait: what a control frame can queue behind.
constexpr size_t kStreamWindow = size_t{64} << 10;
constexpr size_t kMaxChannels = 1024;

std::string encode_message(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

/// A peer's words as they may be logged, shown and passed on.
std::string short_text(std::string_view text) {
  constexpr size_t kLongest = 300;
  size_t size = std::min(text.size(), kLongest);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80)
    --size;  // not inside a character
  return printable(text.substr(0, size));
}

}  // namespace

// --- channels ---------------------------------------------------------------------------------

/// What link and handle share about one channel.
class Link::ChannelState {
 public:
  ChannelState(Link& link, uint32_t id) : link_(&link), id_(id) {}

  [[nodiscard]] bool wants_to_send() const {
    return (out_at_ < out_.size() && credit_ > 0) ||
           (ending_ && !end_sent_ && out_at_ == out_.size());
  }
  [[nodiscard]] bool finished() const { return end_sent_ && end_received_; }

  Link* link_;
  uint32_t id_;
  ChannelHandler* handler_ = nullptr;
  std::string out_;
  size_t out_at_ = 0;
  std::string early_;  ///< bytes that came before a handler was set
  uint32_t credit_ = kChannelWindow;
  uint32_t granted_ = kChannelWindow;  ///< what the peer may still send
  uint32_t unreturned_ = 0;            ///< consumed, credit not yet returned
  bool ending_ = false;
  bool end_sent_ = false;
  bool end_received_ = false;
  bool telling_ = false;  ///< on_channel_writable is on its way
};

class Link::ChannelHandle final : public Channel {
 public:
  explicit ChannelHandle(std::shared_ptr<ChannelState> state) : state_(std::move(state)) {}
  ChannelHandle(const ChannelHandle&) = delete;
  ChannelHandle& operator=(const ChannelHandle&) = delete;
  ~ChannelHandle() override {
    state_->handler_ = nullptr;
    if (state_->link_ != nullptr && !state_->finished() &&
        !(state_->ending_ && state_->end_received_)) {
      reset(Error{Code::cancelled, "dropped by its owner", {}, {}});
    }
  }

  void set_handler(ChannelHandler* handler) override {
    state_->handler_ = handler;
    if (handler == nullptr || (state_->early_.empty() && !state_->end_received_)) return;
    Link* link = state_->link_;
    if (link == nullptr) return;
    // What came before the handler is delivered after this call, as every event is.
    link->context_.executor.post([state = state_] {
      if (state->handler_ == nullptr) return;
      const std::string early = std::move(state->early_);
      state->early_.clear();
      if (!early.empty()) state->handler_->on_channel_data(early);
      if (state->end_received_ && state->handler_ != nullptr) state->handler_->on_channel_end();
    });
  }
  void write(std::string_view bytes) override {
    if (state_->link_ == nullptr || state_->ending_) return;
    if (state_->out_at_ > 0 && state_->out_at_ >= state_->out_.size() / 2) {
      state_->out_.erase(0, std::exchange(state_->out_at_, 0));
    }
    state_->out_.append(bytes);
    state_->link_->pump();
  }
  [[nodiscard]] size_t unsent() const override { return state_->out_.size() - state_->out_at_; }
  void end() override {
    if (state_->link_ == nullptr || state_->ending_) return;
    state_->ending_ = true;
    state_->link_->pump();
  }
  void reset(const Error& why) override {
    Link* link = std::exchange(state_->link_, nullptr);
    if (link == nullptr) return;
    proto::ChannelReset message;
    message.set_code(std::string(info(why.code).name));
    message.set_message(why.text());
    link->queue(MessageType::channel_reset, state_->id_, encode_message(message));
    link->forget_channel(state_->id_);
  }
  void consumed(size_t bytes) override {
    if (state_->link_ == nullptr) return;
    state_->unreturned_ += static_cast<uint32_t>(bytes);
    if (state_->unreturned_ < kChannelWindow / 4) return;
    proto::ChannelCredit message;
    message.set_bytes(state_->unreturned_);
    state_->granted_ += std::exchange(state_->unreturned_, 0);
    state_->link_->queue(MessageType::channel_credit, state_->id_, encode_message(message));
  }

 private:
  std::shared_ptr<ChannelState> state_;
};

void decline(net::Stream& stream, const Error& why) {
  proto::Goodbye message;
  message.set_code(std::string(info(why.code).name));
  message.set_message(why.text());
  std::string frame;
  append_frame(frame, MessageType::goodbye, 0, encode_message(message));
  stream.write(frame);
  stream.close();
}

// --- opening and closing ----------------------------------------------------------------------

Link::Link(LinkContext& context, std::unique_ptr<net::Stream> stream, LinkSide side,
           LinkExpectation expectation, LinkEvents& events)
    : context_(context),
      stream_(std::move(stream)),
      events_(&events),
      side_(side),
      expectation_(std::move(expectation)),
      transport_peer_(stream_->peer()),
      next_channel_(side == LinkSide::dialler ? 1 : 2) {
  timer_.after(context_.executor, context_.hello_limit, [this] {
    lose(Error{
        Code::timed_out,
        fmt::format(
            "the peer did not say hello within {} ms",
            std::chrono::duration_cast<std::chrono::milliseconds>(context_.hello_limit).count()),
        {},
        {}});
  });
  stream_->set_handler(this);
  if (side_ == LinkSide::dialler) say_hello();
}

Link::~Link() {
  *alive_ = false;
  for (auto& [id, channel] : channels_) channel->link_ = nullptr;
}

void Link::say_hello() {
  proto::Hello hello;
  encode(context_.self, hello);
  queue(MessageType::hello, 0, encode_message(hello));
}

void Link::say_goodbye(MessageType type, const Error& why) {
  proto::Goodbye message;  // Refusal has the same two fields
  message.set_code(std::string(info(why.code).name));
  message.set_message(why.text());
  queue(type, 0, encode_message(message));
}

void Link::close(const Error& why) {
  if (closed_ || closing_) return;
  say_goodbye(MessageType::goodbye, why);
  closing_ = true;
  goodbye_ = why.text();
  stream_->close();
  timer_.after(context_.executor, context_.hello_limit,
               [this] { lose(Error{Code::cancelled, goodbye_, {}, {}}); });
}

bool Link::lose(const Error& why) {
  if (closed_) return false;
  closed_ = true;
  timer_.cancel();
  stream_.reset();
  const std::shared_ptr<bool> alive = alive_;
  const auto channels = std::move(channels_);
  channels_.clear();
  for (const auto& [id, channel] : channels) channel->link_ = nullptr;
  for (const auto& [id, channel] : channels) {
    if (channel->handler_ != nullptr) channel->handler_->on_channel_reset(why);
    if (!*alive) return false;
  }
  if (events_ != nullptr) events_->on_link_closed(*this, why);
  return false;
}

void Link::abandon() {
  events_ = nullptr;
  closing_ = true;  // what still comes is not looked at
}

void Link::on_closed(const Error& why) {
  if (!goodbye_.empty()) {
    lose(Error{Code::unreachable, goodbye_, {}, {}});
  } else if (!ready_ && side_ == LinkSide::acceptor) {
    lose(Error{why.code, why.text(), "before hello", {}});
  } else {
    lose(why);
  }
}

MonoTime Link::silent_since() const {
  return std::max(last_heard_, context_.awake.woke());
}

void Link::judge_anew() {
  if (!ready_ || closing_ || closed_) return;
  last_heard_ = context_.executor.now();
  if (context_.silence_limit > Duration::zero()) {
    arm_silence();
  } else {
    timer_.cancel();
  }
}

void Link::arm_silence() {
  timer_.after(context_.executor, silent_since() + context_.silence_limit - context_.executor.now(),
               [this] { judge_silence(); });
}

void Link::judge_silence() {
  const MonoTime now = context_.executor.now();
  // TLS looks at the dates once; whoever could not renew its certificate is out all the same.
  const auto& expiry = transport_peer_.certificate_expiry;
  if (expiry && context_.executor.wall() >= *expiry) {
    cut(Error{Code::unauthenticated,
              fmt::format("the certificate of {} expired at {}", peer_.name, to_rfc3339(*expiry)),
              {},
              {}});
    return;
  }
  // While this process itself was stopped frames came that may still be unread.
  if (now - silent_since() < context_.silence_limit) {
    arm_silence();
    return;
  }
  // A peer that was only stopped reads this when it wakes, and knows that we did not die.
  cut(Error{
      Code::timed_out,
      fmt::format("silent for {} ms",
                  std::chrono::duration_cast<std::chrono::milliseconds>(now - last_heard_).count()),
      {},
      {}});
}

void Link::cut(const Error& why) {
  say_goodbye(MessageType::goodbye, why);
  stream_->close();
  lose(why);
}

// --- sending ----------------------------------------------------------------------------------

std::string_view Link::LaneQueue::front_frame() const {
  const std::string_view rest = std::string_view(bytes).substr(at);
  const auto* head = reinterpret_cast<const unsigned char*>(rest.data());
  const size_t size =
      size_t{head[0]} << 24 | size_t{head[1]} << 16 | size_t{head[2]} << 8 | size_t{head[3]};
  return rest.substr(0, kFrameHeaderBytes + size);
}

void Link::LaneQueue::pop_front() {
  at += front_frame().size();
  if (at == bytes.size()) {
    at = 0;
    if (bytes.capacity() > 4096) std::string().swap(bytes);
    bytes.clear();
  } else if (at >= bytes.size() / 2 && at > 65536) {
    bytes.erase(0, std::exchange(at, 0));
  }
}

Status Link::send(MessageType type, const google::protobuf::MessageLite& message) {
  return send_encoded(type, encode_message(message));
}

Status Link::send_encoded(MessageType type, std::string_view payload) {
  if (payload.size() > kMaxFramePayload) {
    return fail(Code::too_large, fmt::format("a {} message of {} bytes; the limit is {}",
                                             name(type), payload.size(), kMaxFramePayload));
  }
  queue(type, 0, payload);
  return {};
}

void Link::queue(MessageType type, uint32_t stream_id, std::string_view payload) {
  if (closed_ || closing_ || overfull()) return;
  const auto lane = static_cast<size_t>(lane_of(type));
  // channel_end travels as bulk but is only made by pump_channels(), which writes it itself.
  append_frame(lanes_.at(std::min<size_t>(lane, 1)).bytes, type, stream_id, payload);
  pump();
}

bool Link::overfull() {
  const size_t waiting = queued_bytes();
  if (waiting <= context_.queue_limit) return false;
  closing_ = true;
  timer_.after(context_.executor, Duration::zero(), [this, waiting] {
    lose(Error{Code::exhausted,
               fmt::format("the peer does not read what it is sent: {} bytes wait", waiting),
               {},
               {}});
  });
  return true;
}

void Link::pump() {
  if (closed_ || closing_) return;
  while (!lanes_[0].empty()) {
    stream_->write(lanes_[0].front_frame());
    lanes_[0].pop_front();
  }
  while (stream_->unsent() < kStreamWindow) {
    if (!lanes_[1].empty()) {
      stream_->write(lanes_[1].front_frame());
      lanes_[1].pop_front();
    } else if (!ready_ || !pump_channels()) {
      break;
    }
  }
}

bool Link::pump_channels() {
  if (channels_.empty()) return false;
  auto it = channels_.upper_bound(last_pumped_);
  for (size_t looked = 0; looked < channels_.size(); ++looked) {
    if (it == channels_.end()) it = channels_.begin();
    if (it->second->wants_to_send()) break;
    ++it;
  }
  if (it == channels_.end() || !it->second->wants_to_send()) return false;
  ChannelState& channel = *it->second;
  last_pumped_ = channel.id_;
  std::string frame;
  const size_t waiting = channel.out_.size() - channel.out_at_;
  if (waiting > 0) {
    const size_t size = std::min({waiting, size_t{channel.credit_}, kMaxChunk});
    append_frame(frame, MessageType::channel_data, channel.id_,
                 std::string_view(channel.out_).substr(channel.out_at_, size));
    channel.out_at_ += size;
    channel.credit_ -= static_cast<uint32_t>(size);
    if (channel.out_at_ == channel.out_.size()) {
      std::string().swap(channel.out_);
      channel.out_at_ = 0;
    }
  } else {
    append_frame(frame, MessageType::channel_end, channel.id_, {});
    channel.end_sent_ = true;
    if (channel.finished()) {
      channel.link_ = nullptr;
      channels_.erase(it);
      it = channels_.end();
    }
  }
  stream_->write(frame);
  tell_writable(it == channels_.end() ? nullptr : it->second);
  return true;
}

// After the call that made room has returned: the handler is likely to write again.
void Link::tell_writable(const std::shared_ptr<ChannelState>& channel) {
  if (channel == nullptr || channel->handler_ == nullptr || channel->telling_) return;
  channel->telling_ = true;
  context_.executor.post([channel] {
    channel->telling_ = false;
    if (channel->handler_ != nullptr) channel->handler_->on_channel_writable();
  });
}

void Link::on_drained() {
  pump();
}

size_t Link::queued_bytes() const {
  size_t sum = stream_ ? stream_->unsent() : 0;
  for (const LaneQueue& lane : lanes_) sum += lane.bytes.size() - lane.at;
  return sum;
}

std::unique_ptr<Channel> Link::open_channel(const std::string& kind, std::string_view head) {
  auto state = std::make_shared<ChannelState>(*this, next_channel_);
  next_channel_ += 2;
  if (closed_ || closing_) {
    state->link_ = nullptr;
    return std::make_unique<ChannelHandle>(std::move(state));
  }
  proto::ChannelOpen message;
  message.set_kind(kind);
  message.set_head(std::string(head));
  channels_[state->id_] = state;
  queue(MessageType::channel_open, state->id_, encode_message(message));
  return std::make_unique<ChannelHandle>(std::move(state));
}

void Link::forget_channel(uint32_t id) {
  channels_.erase(id);
}

// --- receiving --------------------------------------------------------------------------------

void Link::on_data(std::string_view bytes) {
  const std::shared_ptr<bool> alive = alive_;
  last_heard_ = context_.executor.now();
  FrameDecoder::Sink sink = [this, &alive](const FrameHeader& header, std::string_view payload) {
    const bool more = on_frame(header, payload);
    return *alive && !closed_ && more;
  };
  const Status fed = decoder_.feed(bytes, sink);
  if (!*alive || closed_ || fed) return;
  context_.log.warning("closing a link whose bytes make no sense",
                       {{"peer", transport_peer_.address},
                        {"name", ready_ ? peer_.name : transport_peer_.certificate_uri},
                        {"why", fed.error().text()}});
  close(fed.error());
}

bool Link::on_frame(const FrameHeader& header, std::string_view payload) {
  if (closing_) return true;
  if (!ready_) return on_hello_frame(header, payload);
  switch (header.type) {
    case MessageType::goodbye:
      return on_goodbye(payload, "peer said");
    case MessageType::hello:
    case MessageType::refusal:
      return lose(Error{Code::corrupt, "a second hello on one link", {}, {}});
    case MessageType::channel_open:
    case MessageType::channel_data:
    case MessageType::channel_credit:
    case MessageType::channel_end:
    case MessageType::channel_reset:
      return on_channel_frame(header, payload);
    default:
      events_->on_link_message(*this, header.type, payload);
      return true;
  }
}

bool Link::on_goodbye(std::string_view payload, std::string_view verb) {
  proto::Goodbye message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return lose(Error{Code::corrupt, "a goodbye that cannot be read", {}, {}});
  }
  goodbye_ = fmt::format("{}: {}", verb, short_text(message.message()));
  goodbye_code_ = code_from_name(message.code());
  return lose(Error{code_from_name(message.code()), goodbye_, {}, {}});
}

bool Link::on_hello_frame(const FrameHeader& header, std::string_view payload) {
  if (header.type == MessageType::refusal) {
    context_.log.warning("the peer refused the link", {{"peer", transport_peer_.address}});
    return on_goodbye(payload, "refused by the peer");
  }
  if (header.type == MessageType::goodbye) return on_goodbye(payload, "peer said");
  if (header.type != MessageType::hello) {
    return lose(Error{
        Code::corrupt, fmt::format("a {} message before any hello", name(header.type)), {}, {}});
  }
  return on_hello(payload);
}

bool Link::on_hello(std::string_view payload) {
  proto::Hello message;
  Result<Introduction> peer = fail(Code::corrupt, "a hello that cannot be read");
  if (message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    peer = decode(message);
  }
  Result<Terms> terms = tl::unexpected<Error>(Error{});
  if (peer) {
    terms = agree(context_.self, *peer, transport_peer_.certificate_uri, expectation_);
  } else {
    terms = tl::unexpected<Error>(peer.error());
  }
  if (!terms) {
    context_.log.warning("refused a link", {{"peer", transport_peer_.address},
                                            {"certificate", transport_peer_.certificate_uri},
                                            {"why", terms.error().text()}});
    say_goodbye(side_ == LinkSide::acceptor ? MessageType::refusal : MessageType::goodbye,
                terms.error());
    closing_ = true;
    goodbye_ = terms.error().text();
    stream_->close();
    timer_.after(context_.executor, context_.hello_limit,
                 [this] { lose(Error{Code::denied, goodbye_, {}, {}}); });
    return false;
  }
  if (side_ == LinkSide::acceptor) say_hello();
  peer_ = std::move(*peer);
  protocol_ = terms->protocol;
  features_ = terms->features;
  ready_ = true;
  decoder_.skip_unknown = true;
  ready_since_ = context_.executor.now();
  ready_since_wall_ = context_.executor.wall();
  last_heard_ = ready_since_;
  timer_.cancel();
  if (context_.silence_limit > Duration::zero()) arm_silence();
  events_->on_link_ready(*this);
  return true;
}

bool Link::on_channel_frame(const FrameHeader& header, std::string_view payload) {
  if (header.type == MessageType::channel_open) return on_channel_open(header.stream_id, payload);
  const auto it = channels_.find(header.stream_id);
  if (it == channels_.end()) return true;  // reset by us while the peer was still sending
  const std::shared_ptr<ChannelState> channel = it->second;
  switch (header.type) {
    case MessageType::channel_data:
      return on_channel_bytes(*channel, payload);
    case MessageType::channel_credit: {
      proto::ChannelCredit message;
      if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
          message.bytes() > kChannelWindow || channel->credit_ + message.bytes() > kChannelWindow) {
        return lose(Error{Code::corrupt, "credit beyond a channel's window", {}, {}});
      }
      channel->credit_ += message.bytes();
      pump();
      return true;
    }
    case MessageType::channel_end:
      channel->end_received_ = true;
      if (channel->finished()) {
        channel->link_ = nullptr;
        channels_.erase(header.stream_id);
      }
      if (channel->handler_ != nullptr && channel->early_.empty())
        channel->handler_->on_channel_end();
      return true;
    default: {
      proto::ChannelReset message;
      const bool read = message.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
      channel->link_ = nullptr;
      channels_.erase(header.stream_id);
      if (channel->handler_ != nullptr) {
        channel->handler_->on_channel_reset(
            Error{read ? code_from_name(message.code()) : Code::corrupt,
                  short_text(message.message()),
                  {},
                  {}});
      }
      return true;
    }
  }
}

bool Link::on_channel_open(uint32_t id, std::string_view payload) {
  proto::ChannelOpen message;
  const uint32_t peers_parity = side_ == LinkSide::dialler ? 0 : 1;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) || id == 0 ||
      id % 2 != peers_parity || channels_.contains(id)) {
    return lose(Error{Code::corrupt, fmt::format("a channel opened wrongly (id {})", id), {}, {}});
  }
  if (channels_.size() >= kMaxChannels) {
    proto::ChannelReset refusal;
    refusal.set_code(std::string(info(Code::exhausted).name));
    refusal.set_message(fmt::format("over {} channels on one link", kMaxChannels));
    queue(MessageType::channel_reset, id, encode_message(refusal));
    return true;
  }
  auto state = std::make_shared<ChannelState>(*this, id);
  channels_[id] = state;
  events_->on_link_channel(*this, message.kind(), message.head(),
                           std::make_unique<ChannelHandle>(std::move(state)));
  return true;
}

bool Link::on_channel_bytes(ChannelState& channel, std::string_view payload) {
  if (payload.size() > channel.granted_ || channel.end_received_) {
    return lose(Error{Code::corrupt, "channel bytes beyond the credit given", {}, {}});
  }
  channel.granted_ -= static_cast<uint32_t>(payload.size());
  if (channel.handler_ != nullptr && channel.early_.empty()) {
    channel.handler_->on_channel_data(payload);
  } else {
    channel.early_.append(payload);
  }
  return true;
}

}  // namespace drover::tree
