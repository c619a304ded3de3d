// HTTP requests in any pieces: the first byte of the input says how it is cut.
#include "fuzz.hpp"
#include "net/http/http_parser.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <string>

namespace {

/// The first request in `bytes` and what the parser says of it, fed `piece` more bytes at a time.
std::string read(std::string_view bytes, size_t piece) {
  drover::net::HttpRequestParser parser(4096, 8192);
  std::string waiting;
  while (!bytes.empty() && !parser.done()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    size_t took = 1;
    while (took > 0 && !waiting.empty() && !parser.done()) {
      const auto put = parser.put(waiting);
      if (!put) return "fault " + std::to_string(put.error().status);
      took = *put;
      drover::fuzz::require(took <= waiting.size(), "takes no more than there is");
      waiting.erase(0, took);
    }
  }
  if (!parser.done()) return "unfinished";
  const drover::net::HttpRequest request = parser.take();
  drover::fuzz::require(request.body.size() <= 8192, "the body limit");
  (void)drover::net::Target::parse(request.target);
  return request.method + " " + request.target + "\n" + request.body;
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  if (input.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const std::string whole = read(input, input.size() + 1);
  const std::string pieces = read(input, piece);
  // When a bad message is refused, and why, may depend on the pieces; whether there is a message
  // may not.
  const auto none = [](const std::string& text) {
    return text.starts_with("fault") || text == "unfinished";
  };
  if (none(whole) && none(pieces)) return;
  drover::fuzz::require(whole == pieces, "pieces do not matter");
}
