// HTTP/1.1 parsers without I/O: bytes in, messages out. Boost.Beast inside, our types outside.
#pragma once

#include "net/http/http.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::net {

/// Why a message was refused, and the status that a server answers with.
struct HttpFault {
  int status = 400;
  std::string why;
};

/// Parses one request; make a new one for the next. Stricter than Beast where two parsers could
/// disagree about where a message ends (RFC 9112 section 11.2): any transfer coding but "chunked",
/// one in HTTP/1.0, and no or two Host fields are refused.
class HttpRequestParser {
 public:
  HttpRequestParser(size_t header_limit, size_t body_limit);
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;
  ~HttpRequestParser();

  /// Takes bytes from the front, never beyond the message's end, and returns how many. What it does
  /// not take must be given again, with more behind it.
  tl::expected<size_t, HttpFault> put(std::string_view bytes);
  [[nodiscard]] bool header_done() const;
  [[nodiscard]] bool done() const;
  /// Valid from header_done() on.
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http10() const;
  [[nodiscard]] bool expects_continue() const;
  /// The message; once, after done().
  HttpRequest take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Parses one answer, 1xx ones before it left out. The body comes in pieces.
class HttpResponseParser {
 public:
  /// `to_head`: the answer to a HEAD request, which has no body whatever its fields say.
  HttpResponseParser(size_t header_limit, bool to_head);
  HttpResponseParser(const HttpResponseParser&) = delete;
  HttpResponseParser& operator=(const HttpResponseParser&) = delete;
  ~HttpResponseParser();

  /// As in HttpRequestParser.
  tl::expected<size_t, HttpFault> put(std::string_view bytes);
  /// The connection ended: fine when that is how this body ends, else a fault.
  tl::expected<void, HttpFault> put_end();
  [[nodiscard]] bool header_done() const;
  [[nodiscard]] bool done() const;
  [[nodiscard]] HttpResponse head() const;  ///< body empty
  /// The part of the body that came since the last call.
  std::string take_body();

 private:
  class Impl;
  size_t header_limit_;
  bool to_head_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
