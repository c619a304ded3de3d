#include "cli/network_settings.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cli {
namespace {

constexpr std::array<std::string_view, 15> kFields{
    "description", "prefix",        "prefix6",     "mode",         "pool",
    "gateway",     "nameservers",   "ntp_servers", "domain",       "search",
    "mtu",         "lease_seconds", "unknown",     "number_nodes", "number_by"};
constexpr std::array<std::string_view, 3> kLists{"nameservers", "ntp_servers", "search"};
constexpr std::array<std::string_view, 2> kNumbers{"mtu", "lease_seconds"};

template <typename List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

Status check_field(std::string_view name) {
  if (holds(kFields, name)) return {};
  const std::string_view near = nearest(name, kFields);
  return fail(Code::invalid_argument,
              fmt::format("{} is no field of a network{}", printable(name),
                          near.empty() ? "" : fmt::format("; did you mean {}?", near)),
              "drover explain network");
}

json::value value_of(std::string_view name, const std::string& text) {
  if (holds(kLists, name)) {
    json::array out;
    for (const std::string& each : split_list(text)) out.emplace_back(each);
    return out;
  }
  const auto number = holds(kNumbers, name) ? parse_json(text) : Result<json::value>(nullptr);
  return number && number->is_number() ? *number : json::value(text);
}

}  // namespace

Result<std::string> network_settings(const std::vector<std::string>& words) {
  json::object out;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" is not a setting: expected NAME=VALUE", printable(word)),
                  "drover network add boot prefix=10.77.0.0/24");
    }
    const std::string name = word.substr(0, equals);
    DROVER_CHECK_OK(check_field(name));
    out[name] = value_of(name, word.substr(equals + 1));
  }
  return to_text(out);
}

Result<std::string> network_unsettings(const std::vector<std::string>& names) {
  json::object out;
  for (const std::string& name : names) {
    DROVER_CHECK_OK(check_field(name));
    out[name] = nullptr;
  }
  return to_text(out);
}

}  // namespace drover::cli
