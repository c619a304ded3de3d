// HTTP answers whole and in pieces, ended by the connection's end.
#include "fuzz.hpp"
#include "net/http/http_parser.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace {

/// What a client would see of the answer in `bytes`, after which the connection ends.
std::optional<std::string> parse(std::string_view bytes, size_t piece, bool to_head) {
  drover::net::HttpResponseParser parser(2048, to_head);
  const size_t given = bytes.size();
  std::string in;
  std::string body;
  while (!bytes.empty() && !parser.done()) {
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    const auto taken = parser.put(in);
    if (!taken) return std::nullopt;
    drover::fuzz::require(*taken <= in.size(), "no more is taken than there is");
    in.erase(0, *taken);
    body += parser.take_body();
  }
  if (!parser.done() && !parser.put_end()) return std::nullopt;
  const int status = parser.head().status;
  drover::fuzz::require(status >= 100 && status <= 999, "a status has three digits");
  drover::fuzz::require(body.size() <= given, "no byte of the body is made up");
  std::string out = std::to_string(status) + "\n";
  for (const auto& [name, value] : parser.head().headers) out += name + "=" + value + "\n";
  return out + body;
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  for (const bool to_head : {false, true}) {
    const auto whole = parse(input, input.size() + 1, to_head);
    drover::fuzz::require(whole == parse(input, 1, to_head), "pieces do not matter");
    drover::fuzz::require(whole == parse(input, 7, to_head), "pieces do not matter");
  }
}
