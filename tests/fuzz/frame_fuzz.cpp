// The frame decoder under any bytes in any pieces: the first byte of the input says how it is cut.
#include "fuzz.hpp"
#include "tree/frame.hpp"

#include <algorithm>
#include <string>

namespace {

/// What a decoder makes of `bytes` fed in pieces of `piece`: the frames encoded again, and the end.
std::string decode(std::string_view bytes, size_t piece, bool skip_unknown) {
  drover::tree::FrameDecoder decoder;
  decoder.skip_unknown = skip_unknown;
  std::string out;
  drover::tree::FrameDecoder::Sink sink = [&](const drover::tree::FrameHeader& header,
                                              std::string_view payload) {
    drover::tree::append_frame(out, header.type, header.stream_id, payload);
    return true;
  };
  while (!bytes.empty()) {
    const auto fed = decoder.feed(bytes.substr(0, piece), sink);
    if (!fed) return out + "error: " + fed.error().message;
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return out;
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  if (input.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  for (const bool skip : {false, true}) {
    const std::string whole = decode(input, input.size() + 1, skip);
    drover::fuzz::require(whole == decode(input, piece, skip), "pieces do not matter");
  }
}
