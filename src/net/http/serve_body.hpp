// Answers GET and HEAD with a body: ranges, conditions and validators (RFC 9110 sections 13, 14).
#pragma once

#include "net/http/http_body.hpp"
#include "net/http/http_server.hpp"

#include <memory>
#include <string>

namespace drover::net {

/// How a body is described.
struct ServedBody {
  std::shared_ptr<const HttpBody> body;
  std::string content_type = "application/octet-stream";
  std::string etag = {};           ///< with its quotes, strong; empty: none
  std::string cache_control = {};  ///< empty: none
  /// Hears once, before anything is sent, which part of the body goes out, if any does.
  Callback<void(uint64_t first, uint64_t length)> begun = {};
  /// Hears once, after `begun`, how much of it was given to the network (HttpExchange::send_body).
  Callback<void(uint64_t)> sent = {};
};

/// 200, 206, 304, 412 or 416 to `request`, which is a GET or a HEAD; Accept-Ranges always.
void serve_body(const HttpRequest& request, HttpExchange& exchange, ServedBody served);

}  // namespace drover::net
