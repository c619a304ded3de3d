#include "auth/jws.hpp"

#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"ES256", "RS256"};
constexpr size_t kLongestKeyId = 256;

tl::unexpected<Error> not_a_token(std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("not a bearer token: {}", why));
}

std::string_view text_of(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

Status check_type(const json::object& header) {
  for (const std::string_view refused : {"crit", "b64", "cty"}) {
    if (header.contains(refused)) {
      return not_a_token(fmt::format("its header has '{}', which is not supported", refused));
    }
  }
  const json::value* type = header.if_contains("typ");
  if (type == nullptr) return {};
  std::string lower(text_of(*type));
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (lower == "jwt" || lower == "at+jwt") return {};
  return not_a_token("its type is not JWT");
}

Result<JwsAlgorithm> algorithm_of(const json::object& header) {
  const json::value* algorithm = header.if_contains("alg");
  const std::string_view text = algorithm == nullptr ? std::string_view() : text_of(*algorithm);
  const auto* known = std::ranges::find(kNames, text);
  if (known == kNames.end()) {
    return not_a_token(fmt::format("its algorithm is '{}'; ES256 and RS256 are taken",
                                   printable(text.substr(0, 32))));
  }
  return static_cast<JwsAlgorithm>(known - kNames.begin());
}

Result<std::string> key_id_of(const json::object& header) {
  const json::value* id = header.if_contains("kid");
  if (id == nullptr) return std::string();
  const std::string_view text = text_of(*id);
  const bool visible = std::ranges::all_of(
      text, [](char c) { return c >= ' ' && static_cast<unsigned char>(c) < 0x7F; });
  if (text.empty() || text.size() > kLongestKeyId || !visible) {
    return not_a_token("its key id is no text of 1 to 256 ASCII characters");
  }
  return std::string(text);
}

}  // namespace

std::string_view name(JwsAlgorithm algorithm) {
  return kNames.at(static_cast<size_t>(algorithm));
}

Result<Jws> parse_jws(std::string_view text) {
  if (text.size() > kMaxBearer) {
    return fail(Code::too_large,
                fmt::format("a bearer token of {} bytes; at most {}", text.size(), kMaxBearer));
  }
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return not_a_token("it has three parts with dots between them");
  }
  const auto header_text = from_base64url(text.substr(0, first));
  auto payload = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!header_text || !payload || !signature) return not_a_token("a part is not base64url");
  const auto header = parse_json(*header_text);
  if (!header || !header->is_object()) return not_a_token("its header is not a JSON object");
  Jws out;
  DROVER_CHECK_OK(check_type(header->get_object()));
  DROVER_TRY(out.algorithm, algorithm_of(header->get_object()));
  DROVER_TRY(out.key_id, key_id_of(header->get_object()));
  out.payload = *std::move(payload);
  out.signing_input = text.substr(0, second);
  out.signature = *std::move(signature);
  return out;
}

std::string signing_input(std::string_view key_id, std::string_view payload) {
  const json::object header{{"alg", kNames.front()}, {"typ", "JWT"}, {"kid", key_id}};
  return to_base64url(to_text(header)) + "." + to_base64url(payload);
}

}  // namespace drover::auth
