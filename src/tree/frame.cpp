#include "tree/frame.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::tree {
namespace {

uint32_t read_u32(const char* at) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(at);
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         uint32_t{bytes[3]};
}

void append_u32(std::string& out, uint32_t value) {
  out.push_back(static_cast<char>(value >> 24));
  out.push_back(static_cast<char>(value >> 16));
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

}  // namespace

void append_frame(std::string& out, MessageType type, uint32_t stream_id,
                  std::string_view payload) {
  append_u32(out, static_cast<uint32_t>(payload.size()));
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(lane_of(type)));
  out.push_back('\0');
  out.push_back('\0');
  append_u32(out, stream_id);
  out.append(payload);
}

Result<size_t> FrameDecoder::take(std::string_view bytes, Sink& sink, bool& stopped) {
  size_t used = 0;
  while (!stopped && bytes.size() - used >= kFrameHeaderBytes) {
    const char* head = bytes.data() + used;
    const uint32_t size = read_u32(head);
    const auto type = static_cast<uint8_t>(head[4]);
    const auto lane = static_cast<uint8_t>(head[5]);
    if (size > kMaxFramePayload) {
      return fail(Code::too_large,
                  fmt::format("a frame of {} bytes; the limit is {}", size, kMaxFramePayload));
    }
    if (head[6] != 0 || head[7] != 0) {
      return fail(Code::corrupt,
                  "a frame with reserved bits set: the peer does not speak this protocol");
    }
    const bool known = is_known(type);
    if (!known && !skip_unknown) {
      return fail(Code::corrupt, fmt::format("a frame of unknown type {}", type));
    }
    if (lane > static_cast<uint8_t>(Lane::bulk) ||
        (known && lane != static_cast<uint8_t>(lane_of(static_cast<MessageType>(type))))) {
      return fail(Code::corrupt, fmt::format("a frame of type {} in lane {}", type, lane));
    }
    if (bytes.size() - used - kFrameHeaderBytes < size) break;
    const FrameHeader header{static_cast<MessageType>(type), read_u32(head + 8)};
    const std::string_view payload = bytes.substr(used + kFrameHeaderBytes, size);
    used += kFrameHeaderBytes + size;
    if (known && !sink(header, payload)) stopped = true;
  }
  return used;
}

Status FrameDecoder::feed(std::string_view bytes, Sink& sink) {
  bool stopped = false;
  // The sink may destroy this decoder: nothing of *this is touched once `stopped` is set.
  if (partial_.empty()) {
    DROVER_TRY(const size_t used, take(bytes, sink, stopped));
    if (!stopped) partial_.assign(bytes.substr(used));
    return {};
  }
  // Complete the partial frame alone first, so that a long run of bytes is not copied behind it.
  while (!partial_.empty() && !bytes.empty()) {
    size_t need = kFrameHeaderBytes;
    if (partial_.size() >= kFrameHeaderBytes) need += read_u32(partial_.data());
    const size_t more = std::min(bytes.size(), need - partial_.size());
    partial_.append(bytes.substr(0, more));
    bytes.remove_prefix(more);
    std::string whole = std::move(partial_);
    partial_.clear();
    DROVER_TRY(const size_t used, take(whole, sink, stopped));
    if (stopped) return {};
    if (used == 0) partial_ = std::move(whole);
  }
  DROVER_TRY(const size_t used, take(bytes, sink, stopped));
  if (!stopped && used < bytes.size()) partial_.assign(bytes.substr(used));
  if (!stopped && partial_.empty() && partial_.capacity() > 64) std::string().swap(partial_);
  return {};
}

}  // namespace drover::tree
