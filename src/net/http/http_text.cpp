// HTTP/1.1 messages as bytes. Field values come from everywhere: none can add a line of its own.
#include "net/http/http_text.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/core.h>

namespace drover::net {
namespace {

bool is_framing(std::string_view name) {
  return equal_ignoring_case(name, "content-length") ||
         equal_ignoring_case(name, "transfer-encoding") || equal_ignoring_case(name, "connection");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name)) return;
  out += name;
  out += ": ";
  for (const char c : value) out += (c >= ' ' && c != '\x7f') || c < 0 || c == '\t' ? c : ' ';
  out += "\r\n";
}

}  // namespace

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_target(std::string_view text) {
  return text.starts_with('/') &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

std::string http_date(WallTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<time_t>(
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays.at(static_cast<size_t>(parts.tm_wday)), parts.tm_mday,
                     kMonths.at(static_cast<size_t>(parts.tm_mon)), parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string request_head(const HttpRequest& request, std::string_view host, bool last) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  append_field(out, "Host", host);
  if (last) append_field(out, "Connection", "close");
  for (const auto& [name, value] : request.headers) {
    if (!is_framing(name) && !equal_ignoring_case(name, "host")) append_field(out, name, value);
  }
  // A length also for an empty body where one would be expected (RFC 9110 section 8.6).
  const bool expected =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (!request.body.empty() || expected) {
    append_field(out, "Content-Length", std::to_string(request.body.size()));
  }
  out += "\r\n";
  return out;
}

std::string response_head(int status, const HttpHeaders& headers, const ResponseFrame& frame) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  append_field(out, "Server", frame.server);
  append_field(out, "Date", http_date(frame.now));
  for (const auto& [name, value] : headers) {
    const bool is_given =
        frame.framing == Framing::given && equal_ignoring_case(name, "content-length");
    if (is_given || !is_framing(name)) append_field(out, name, value);
  }
  if (frame.framing == Framing::length) {
    append_field(out, "Content-Length", std::to_string(frame.length));
  }
  if (frame.framing == Framing::chunked) append_field(out, "Transfer-Encoding", "chunked");
  append_field(out, "Connection", frame.keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

std::string chunk(std::string_view data) {
  std::string out = fmt::format("{:x}\r\n", data.size());
  out += data;
  out += "\r\n";
  return out;
}

}  // namespace drover::net
