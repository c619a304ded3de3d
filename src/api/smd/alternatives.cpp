#include "api/smd/alternatives.hpp"

#include "api/smd/words.hpp"
#include "base/text.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::api::smd {

Status Alternatives::take(const Query& query, std::string_view key, Read read,
                          std::string_view complaint) {
  const auto found = query.find(std::string(key));
  if (found == query.end()) return {};
  for (std::string_view text : found->second) {
    const bool negated = text.starts_with('!');
    auto value = read(negated ? text.substr(1) : text);
    if (value) {
      words_.push_back({*std::move(value), negated});
      continue;
    }
    constexpr size_t kShown = 80;
    if (!complaint.empty()) return bad(std::string(complaint));
    return bad(fmt::format("bad query param: {} '{}' is not valid", key,
                           printable(text.substr(0, kShown))));
  }
  return {};
}

bool Alternatives::fits(std::string_view value) const {
  return fits_when([&](const Word& word) { return word.text == value; });
}

std::optional<std::string> as_any(std::string_view text) {
  return std::string(text);
}

std::optional<std::string> as_lower(std::string_view text) {
  return lower(text);
}

std::optional<std::string> as_truth(std::string_view text) {
  constexpr std::array<std::string_view, 2> kTruths{"true", "false"};
  if (text == "1") return "true";
  if (text == "0") return "false";
  const auto word = word_of(kTruths, text);
  return word ? std::optional(std::string(*word)) : std::nullopt;
}

std::optional<std::string> as_xname(std::string_view text) {
  auto parsed = cluster::parse_xname(text);
  return parsed ? std::optional(std::move(parsed->text)) : std::nullopt;
}

std::optional<std::string> as_mac(std::string_view text) {
  return cluster::canonical_mac(text).value_or(std::string(text));
}

std::optional<std::string> as_address(std::string_view text) {
  return cluster::canonical_address(text).value_or(std::string(text));
}

std::optional<std::string> as_type(std::string_view text) {
  const auto type = cluster::xname_type_called(text);
  return type ? std::optional(std::string(enum_name(*type))) : std::nullopt;
}

}  // namespace drover::api::smd
