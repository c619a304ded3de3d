// Writing HTTP/1.1 messages as bytes.
#pragma once

#include "base/clock.hpp"
#include "net/http/http.hpp"

#include <string>
#include <string_view>

namespace drover::net {

/// Request line, fields and the empty line. The request's own Host, Connection, Content-Length and
/// Transfer-Encoding fields are replaced by ours. `last`: the connection ends with this request.
std::string request_head(const HttpRequest& request, std::string_view host, bool last = true);

/// How the body of an answer is framed (RFC 9112 section 6).
enum class Framing {
  none,    ///< no body and no length: 1xx, 204, 304
  length,  ///< Content-Length, given beside
  given,   ///< the fields hold a Content-Length already
  chunked,
  to_end,  ///< the connection's end is the body's end
};
struct ResponseFrame {
  Framing framing = Framing::none;
  size_t length = 0;
  bool keep_alive = true;
  std::string_view server;
  WallTime now;
};
/// Status line, fields and the empty line. Fields about framing are ours, see Framing.
std::string response_head(int status, const HttpHeaders& headers, const ResponseFrame& frame);

/// One chunk of a chunked body; `data` must not be empty, an empty chunk would end the body.
std::string chunk(std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// "Sat, 21 Nov 2026 21:33:17 GMT" (RFC 9110 section 5.6.7).
std::string http_date(WallTime time);
/// A method or field name: RFC 9110 section 5.6.2.
bool is_token(std::string_view text);
/// An origin-form target without control bytes or spaces.
bool is_target(std::string_view text);

}  // namespace drover::net
