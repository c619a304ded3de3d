#include "net/http/serve_body.hpp"

#include "net/http/http_range.hpp"

namespace drover::net {
namespace {

/// Whether a list of tags (RFC 9110 section 8.8.3) holds this strong one; `weak` compares without
/// regard to W/, as If-None-Match does.
bool lists_tag(std::string_view field, std::string_view etag, bool weak) {
  while (!field.empty()) {
    const size_t begin = field.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) return false;
    field.remove_prefix(begin);
    if (field.front() == '*') return true;
    const bool is_weak = field.starts_with("W/");
    if (is_weak) field.remove_prefix(2);
    const size_t end = field.starts_with('"') ? field.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    if (field.substr(0, end + 1) == etag && (weak || !is_weak)) return true;
    field.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

void serve_body(const HttpRequest& request, HttpExchange& exchange, ServedBody served) {
  const uint64_t size = served.body->size();
  HttpHeaders headers{{"Content-Type", served.content_type}, {"Accept-Ranges", "bytes"}};
  if (!served.etag.empty()) headers.add("ETag", served.etag);
  if (!served.cache_control.empty()) headers.add("Cache-Control", served.cache_control);

  const auto must_match = request.headers.get("If-Match");
  if (must_match && !served.etag.empty() && !lists_tag(*must_match, served.etag, false)) {
    exchange.respond({412, std::move(headers), {}});
    return;
  }
  const auto none_match = request.headers.get("If-None-Match");
  if (none_match && !served.etag.empty() && lists_tag(*none_match, served.etag, true)) {
    exchange.respond({304, std::move(headers), {}});
    return;
  }
  RangeRequest range;
  const auto field = request.headers.get("Range");
  // If-Range holds one tag or a date; dates are not given out here, so none can match.
  const auto only_if = request.headers.get("If-Range");
  if (field && request.method == "GET" && (!only_if || *only_if == served.etag)) {
    range = parse_range(*field, size);
  }
  if (range.kind == RangeRequest::Kind::unsatisfiable) {
    headers.add("Content-Range", content_range(range, size));
    exchange.respond({416, std::move(headers), {}});
    return;
  }
  const bool part = range.kind == RangeRequest::Kind::part;
  if (part) headers.add("Content-Range", content_range(range, size));
  const uint64_t length = range.length(size);
  if (request.method == "HEAD") {
    served.sent = nullptr;
  } else if (served.begun) {
    served.begun(range.first, length);
  }
  exchange.send_body(part ? 206 : 200, std::move(headers), std::move(served.body), range.first,
                     length, std::move(served.sent));
}

}  // namespace drover::net
