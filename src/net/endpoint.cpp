// Endpoint's text form, both ways.
#include "net/net.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/core.h>

namespace drover::net {
namespace {

constexpr size_t kMaxName = 253;      // RFC 1035 section 2.3.4, in text form
constexpr size_t kMaxUnixPath = 107;  // sun_path of <sys/un.h> less its terminating zero
constexpr std::string_view kForms = "write host:port, [ipv6]:port or unix:/path";

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("endpoint \"{}\": {}", text, why),
              std::string(kForms));
}

Result<uint16_t> parse_port(std::string_view text, std::string_view port) {
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return bad(text, fmt::format("\"{}\" is not a port from 0 to 65535", port));
  }
  return value;
}

Result<Endpoint> parse_unix(std::string_view text, std::string_view path) {
  if (path.empty() || path.front() != '/') return bad(text, "a Unix socket needs an absolute path");
  if (path.size() > kMaxUnixPath) {
    return bad(text,
               fmt::format("the path is {} bytes, at most {} fit", path.size(), kMaxUnixPath));
  }
  if (path.find('\0') != std::string_view::npos) return bad(text, "the path holds a zero byte");
  Endpoint endpoint;
  endpoint.unix_path = path;
  return endpoint;
}

bool is_ipv6(std::string host) {
  if (const size_t zone = host.find('%'); zone != std::string::npos) host.resize(zone);
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return parse_unix(text, text.substr(kUnix.size()));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "no port");
  Endpoint endpoint;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return bad(text, "\"[\" without \"]\"");
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(std::string(host))) return bad(text, fmt::format("\"{}\" is not IPv6", host));
  } else {
    if (host.empty()) return bad(text, "no host");
    if (host.find(':') != std::string_view::npos) return bad(text, "IPv6 goes in brackets");
    if (host.size() > kMaxName) return bad(text, "the name is too long");
    if (!std::ranges::all_of(host, is_name_char)) {
      return bad(text, "the host holds a character that no name has");
    }
  }
  endpoint.host = host;
  DROVER_TRY(endpoint.port, parse_port(text, text.substr(colon + 1)));
  return endpoint;
}

std::string Endpoint::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

}  // namespace drover::net
