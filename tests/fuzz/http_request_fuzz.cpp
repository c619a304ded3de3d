// HTTP requests in any pieces: the first byte of the input says how it is cut.
#include "fuzz.hpp"
#include "net/http/http_parser.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace {

/// Everything that a server would see of the first request in `bytes`; nothing if it is not whole.
std::optional<std::string> parse(std::string_view bytes, size_t piece) {
  drover::net::HttpRequestParser parser(2048, 4096);
  std::string in;
  size_t total = 0;
  while (!bytes.empty() && !parser.done()) {
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    const auto taken = parser.put(in);
    if (!taken) {
      drover::fuzz::require(!taken.error().why.empty(), "a refusal says why");
      return std::nullopt;
    }
    drover::fuzz::require(*taken <= in.size(), "no more is taken than there is");
    in.erase(0, *taken);
    total += *taken;
  }
  if (!parser.done()) return std::nullopt;
  const bool keep_alive = parser.keep_alive();
  const drover::net::HttpRequest request = parser.take();
  drover::fuzz::require(request.body.size() <= 4096, "the body is within its limit");
  (void)drover::net::Target::parse(request.target);
  std::string out = request.method + " " + request.target + " " + std::to_string(total);
  out += keep_alive ? " keep-alive\n" : " close\n";
  for (const auto& [name, value] : request.headers) out += name + "=" + value + "\n";
  return out + request.body;
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  if (input.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  drover::fuzz::require(parse(input, input.size() + 1) == parse(input, piece),
                        "pieces do not matter");
}
