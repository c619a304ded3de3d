// Frames: how messages lie on a stream. Bytes in, frames out; no I/O.
//
//   0      4      5      6      8      12
//   | size | type | lane | zero | id   | payload of `size` bytes |     integers big-endian
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"
#include "tree/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::tree {

inline constexpr size_t kFrameHeaderBytes = 12;
/// Larger things travel as channels (design section 6).
inline constexpr size_t kMaxFramePayload = size_t{1} << 20;
/// Payload of one channel_data frame: small enough that a control frame never waits long behind it.
inline constexpr size_t kMaxChunk = size_t{16} << 10;

struct FrameHeader {
  MessageType type{};
  uint32_t stream_id = 0;  ///< channel id; 0 for messages
};

/// Appends one frame to `out`. The payload must be at most kMaxFramePayload.
void append_frame(std::string& out, MessageType type, uint32_t stream_id, std::string_view payload);

/// Cuts a byte stream into frames. Keeps at most one partial frame.
class FrameDecoder {
 public:
  /// Called for each whole frame; returns false to stop decoding (the link went away in the call).
  using Sink = Callback<bool(const FrameHeader&, std::string_view)>;
  /// Errors are final and name what was wrong: size over the limit, unknown type, wrong lane,
  /// reserved bits set. Unknown types are skipped when `skip_unknown` (after the hello, so that a
  /// newer peer may send what we do not know).
  Status feed(std::string_view bytes, Sink& sink);
  bool skip_unknown = false;

 private:
  Result<size_t> take(std::string_view bytes, Sink& sink, bool& stopped);
  std::string partial_;
};

}  // namespace drover::tree
