#include "auth/jwt.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::auth {
namespace {

constexpr size_t kLongestClaim = 512;
constexpr size_t kMostAudiences = 32;
constexpr size_t kMostTexts = 1000;
constexpr double kLatest = 9'000'000'000;  // in 2255; WallTime ends in 2262

tl::unexpected<Error> bad_claim(std::string_view name, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("the token's claim '{}' {}", name, why));
}

Result<std::string> text_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string() || value->get_string().size() > kLongestClaim) {
    return bad_claim(name, "is no text of at most 512 bytes");
  }
  return std::string(value->get_string());
}

/// A NumericDate (RFC 7519 section 2): seconds since the epoch, fractions allowed.
Result<WallTime> time_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr) return WallTime{};
  boost::system::error_code error;
  const double seconds = value->to_number<double>(error);
  if (error || !std::isfinite(seconds) || seconds < 0 || seconds > kLatest) {
    return bad_claim(name, "is no time");
  }
  return WallTime(std::chrono::milliseconds(std::llround(seconds * 1000)));
}

Result<std::vector<std::string>> audience_claim(const json::object& claims) {
  const json::value* value = claims.if_contains("aud");
  if (value == nullptr) return std::vector<std::string>();
  if (value->is_string()) {
    DROVER_TRY(std::string text, text_claim(claims, "aud"));
    return std::vector<std::string>{std::move(text)};
  }
  const json::array* list = value->if_array();
  if (list == nullptr || list->size() > kMostAudiences) {
    return bad_claim("aud", "is no text and no list of at most 32");
  }
  std::vector<std::string> out;
  for (const json::value& item : *list) {
    if (!item.is_string() || item.get_string().size() > kLongestClaim) {
      return bad_claim("aud", "holds something else than texts of at most 512 bytes");
    }
    out.emplace_back(item.get_string());
  }
  return out;
}

tl::unexpected<Error> refused(std::string why, std::string next = {}) {
  return fail(Code::unauthenticated, std::move(why), std::move(next));
}

}  // namespace

Result<Claims> read_claims(std::string_view payload) {
  const auto document = parse_json(payload);
  if (!document || !document->is_object()) {
    return fail(Code::invalid_argument, "the token's payload is not a JSON object");
  }
  const json::object& claims = document->get_object();
  Claims out;
  DROVER_TRY(out.issuer, text_claim(claims, "iss"));
  DROVER_TRY(out.subject, text_claim(claims, "sub"));
  DROVER_TRY(out.id, text_claim(claims, "jti"));
  DROVER_TRY(out.audience, audience_claim(claims));
  DROVER_TRY(out.expires, time_claim(claims, "exp"));
  DROVER_TRY(out.not_before, time_claim(claims, "nbf"));
  DROVER_TRY(out.issued, time_claim(claims, "iat"));
  if (out.issuer.empty()) return bad_claim("iss", "is missing");
  if (!claims.contains("exp")) return bad_claim("exp", "is missing");
  return out;
}

Status check_claims(const Claims& claims, std::string_view issuer, std::string_view audience,
                    WallTime now) {
  if (claims.issuer != issuer) {
    return refused(fmt::format("the token is of issuer '{}', not '{}'", printable(claims.issuer),
                               printable(issuer)));
  }
  if (std::ranges::find(claims.audience, audience) == claims.audience.end()) {
    return refused(fmt::format("the token is for '{}', this is '{}'",
                               printable(fmt::format("{}", fmt::join(claims.audience, "', '"))),
                               printable(audience)));
  }
  if (now >= claims.expires + kTokenSkew) {
    return refused(fmt::format("the token expired at {} and it is {} here",
                               to_rfc3339(claims.expires), to_rfc3339(now)),
                   "get a new one: drover credential create, or log in again at its issuer");
  }
  const WallTime from = std::max(claims.not_before, claims.issued);
  if (now + kTokenSkew < from) {
    return refused(fmt::format("the token is not valid before {} and it is {} here",
                               to_rfc3339(from), to_rfc3339(now)),
                   "set the clocks of both hosts");
  }
  return {};
}

std::vector<std::string> claim_texts(std::string_view payload, std::string_view path) {
  const auto document = parse_json(payload);
  if (!document || !document->is_object() || path.empty()) return {};
  const json::value* at = document->get_object().if_contains(path);
  if (at == nullptr) {
    at = &*document;
    for (std::string_view rest = path; at != nullptr && !rest.empty();) {
      const size_t dot = std::min(rest.find('.'), rest.size());
      const json::object* object = at->if_object();
      at = object == nullptr ? nullptr : object->if_contains(rest.substr(0, dot));
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
  }
  std::vector<std::string> out;
  const auto take = [&out](const json::value& value) {
    if (value.is_string() && value.get_string().size() <= kLongestClaim &&
        out.size() < kMostTexts) {
      out.emplace_back(value.get_string());
    }
  };
  if (at == nullptr) return out;
  if (const json::array* list = at->if_array()) {
    for (const json::value& item : *list) take(item);
  } else {
    take(*at);
  }
  return out;
}

std::string write_claims(const Claims& claims) {
  const auto seconds = [](WallTime time) { return to_unix_ms(time) / 1000; };
  json::array audience;
  for (const std::string& one : claims.audience) audience.emplace_back(one);
  return to_text(json::object{{"iss", claims.issuer},
                              {"sub", claims.subject},
                              {"aud", std::move(audience)},
                              {"exp", seconds(claims.expires)},
                              {"nbf", seconds(claims.not_before)},
                              {"iat", seconds(claims.issued)},
                              {"jti", claims.id}});
}

}  // namespace drover::auth
