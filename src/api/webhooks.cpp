#include "api/webhooks.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {

Result<WebhookUrl> parse_webhook_url(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  constexpr size_t kShown = 80;
  WebhookUrl out;
  out.secure = url.starts_with(kSecure);
  if (!out.secure && !url.starts_with(kPlain)) {
    return fail(Code::invalid_argument,
                fmt::format("'{}' is not http://HOST[:PORT]/PATH or https://..",
                            printable(url.substr(0, kShown))));
  }
  const bool fits = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!fits) return fail(Code::invalid_argument, "the URL holds blanks or control characters");
  const std::string_view rest = url.substr(out.secure ? kSecure.size() : kPlain.size());
  const size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  DROVER_TRY(out.endpoint, net::Endpoint::parse(fmt::format("{}{}", authority,
                                                            has_port     ? ""
                                                            : out.secure ? ":443"
                                                                         : ":80")));
  if (out.endpoint.host.empty()) return fail(Code::invalid_argument, "the URL names no host");
  const std::string_view path = rest.substr(slash);
  out.path = fmt::format("{}{}", path.starts_with('/') ? "" : "/", path);
  return out;
}

}  // namespace drover::api
