// HTTP answers, whole and ended by the connection's end.
#include "fuzz.hpp"
#include "net/http/http_parser.hpp"

#include <string>

DROVER_FUZZ_TARGET(input) {
  for (const bool to_head : {false, true}) {
    drover::net::HttpResponseParser parser(4096, to_head);
    std::string_view left = input;
    size_t body = 0;
    while (!left.empty() && !parser.done()) {
      const auto put = parser.put(left);
      if (!put) break;
      body += parser.take_body().size();
      if (*put == 0) break;
      left.remove_prefix(*put);
    }
    if (!parser.done()) (void)parser.put_end();
    if (parser.header_done()) {
      const int status = parser.head().status;
      drover::fuzz::require(status >= 100 && status <= 999, "a status has three digits");
    }
    drover::fuzz::require(body <= input.size(), "no byte of the body is made up");
  }
}
