#include "base/config.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr std::array<Unit, 7> kDurations{{{"d", 86'400'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"s", 1'000'000'000},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};
constexpr std::array<Unit, 9> kBytes{{{"", 1},
                                      {"B", 1},
                                      {"k", 1 << 10},
                                      {"KiB", 1 << 10},
                                      {"M", 1 << 20},
                                      {"MiB", 1 << 20},
                                      {"G", 1 << 30},
                                      {"GiB", 1 << 30},
                                      {"TiB", int64_t{1} << 40}}};

/// A number and its unit; nothing when either is not known or the product does not fit.
std::optional<int64_t> parse_scaled(std::string_view text, std::span<const Unit> units) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : units) {
    int64_t product = 0;
    if (unit != known.name) continue;
    if (__builtin_mul_overflow(value, known.factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

Status in_range(const ConfigOption& option, int64_t value, std::string_view unit) {
  if (value >= option.least && value <= option.most) return {};
  const std::string low = option.least == INT64_MIN ? "" : fmt::format("{}{}", option.least, unit);
  const std::string high = option.most == INT64_MAX ? "" : fmt::format("{}{}", option.most, unit);
  const std::string rule = low.empty()    ? fmt::format("must be at most {}", high)
                           : high.empty() ? fmt::format("must be at least {}", low)
                                          : fmt::format("must lie in {} to {}", low, high);
  return fail(Code::invalid_argument, fmt::format("{}, not {}{}", rule, value, unit));
}

[[noreturn]] void defect(std::string_view key) {
  fmt::print(stderr, "defect: the setting \"{}\" is not in this program's table\n", key);
  std::abort();
}

}  // namespace

namespace {

Result<std::string> check_type(const ConfigOption& option, const std::string& text) {
  const auto unexpected = [&] {
    return fail(Code::invalid_argument,
                fmt::format("expected {}, not \"{}\"", expectation(option.type), printable(text)));
  };
  switch (option.type) {
    case ConfigType::integer: {
      const auto value = parse_integer(text);
      if (!value) return unexpected();
      DROVER_CHECK_OK(in_range(option, *value, ""));
      return std::to_string(*value);
    }
    case ConfigType::boolean:
      if (text == "true" || text == "yes" || text == "on" || text == "1") return "true";
      if (text == "false" || text == "no" || text == "off" || text == "0") return "false";
      return unexpected();
    case ConfigType::duration: {
      const auto value = parse_duration(text);
      if (!value) return unexpected();
      DROVER_CHECK_OK(in_range(option, *value / std::chrono::milliseconds(1), " ms"));
      return duration_text(*value);
    }
    case ConfigType::bytes: {
      const auto value = parse_bytes(text);
      if (!value) return unexpected();
      DROVER_CHECK_OK(in_range(option, static_cast<int64_t>(*value), " bytes"));
      return std::to_string(*value);
    }
    case ConfigType::choice:
      if (std::find(option.choices.begin(), option.choices.end(), text) == option.choices.end()) {
        return fail(Code::invalid_argument,
                    fmt::format("expected one of {}, not \"{}\"", fmt::join(option.choices, ", "),
                                printable(text)));
      }
      return text;
    default:
      break;
  }
  return text;
}

}  // namespace

Result<std::string> check_value(const ConfigOption& option, const std::string& text) {
  DROVER_TRY(std::string checked, check_type(option, text));
  if (option.rule != nullptr && !checked.empty()) DROVER_CHECK_OK(option.rule(checked));
  return checked;
}

std::string_view expectation(ConfigType type) {
  switch (type) {
    case ConfigType::text:
      return "a text";
    case ConfigType::path:
      return "a path";
    case ConfigType::integer:
      return "an integer";
    case ConfigType::boolean:
      return "true or false";
    case ConfigType::duration:
      return "a duration such as 500ms, 3s, 2m, 1h";
    case ConfigType::bytes:
      return "a size such as 4096, 64KiB, 1GiB";
    case ConfigType::choice:
      return "one of its choices";
    case ConfigType::list:
      return "a list of texts";
  }
  return "";
}

std::string_view name(ConfigType type) {
  constexpr std::array<std::string_view, 8> kNames{"text",     "path",  "integer", "boolean",
                                                   "duration", "bytes", "choice",  "list"};
  return kNames.at(static_cast<size_t>(type));
}

std::string_view name(ConfigOrigin origin) {
  switch (origin) {
    case ConfigOrigin::standard:
      return "default";
    case ConfigOrigin::file:
      return "file";
    case ConfigOrigin::environment:
      return "environment";
    case ConfigOrigin::flag:
      return "flag";
  }
  return "";
}

const ConfigValue& Config::value(std::string_view key) const {
  const auto it = std::find_if(values_.begin(), values_.end(),
                               [&](const auto& value) { return value.key == key; });
  if (it == values_.end()) defect(key);
  return *it;
}

void Config::adopt(const ConfigValue& value) {
  for (ConfigValue& own : values_) {
    if (own.key == value.key) own = value;
  }
}

const std::string& Config::text(std::string_view key) const {
  return value(key).text;
}
bool Config::is_set(std::string_view key) const {
  return !value(key).text.empty();
}
bool Config::flag(std::string_view key) const {
  return value(key).text == "true";
}

int64_t Config::integer(std::string_view key) const {
  return parse_integer(value(key).text).value_or(0);
}

Duration Config::duration(std::string_view key) const {
  return parse_duration(value(key).text).value_or(Duration::zero());
}

uint64_t Config::bytes(std::string_view key) const {
  return parse_bytes(value(key).text).value_or(0);
}

std::vector<std::string> Config::list(std::string_view key) const {
  return split_config_list(value(key).text);
}

std::vector<std::string> split_config_list(std::string_view rest) {
  std::vector<std::string> out;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) out.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return out;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (const auto value = parse_scaled(text, kDurations)) return Duration(*value);
  return fail(Code::invalid_argument,
              fmt::format("\"{}\" is not a duration such as 500ms, 3s, 2m, 1h", printable(text)));
}

std::string duration_text(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  for (const Unit& unit : kDurations) {
    if (duration.count() % unit.factor == 0) {
      return fmt::format("{}{}", duration.count() / unit.factor, unit.name);
    }
  }
  return fmt::format("{}ns", duration.count());
}

Result<uint64_t> parse_bytes(std::string_view text) {
  if (const auto value = parse_scaled(text, kBytes)) return static_cast<uint64_t>(*value);
  return fail(Code::invalid_argument,
              fmt::format("\"{}\" is not a size such as 4096, 64KiB, 1GiB", printable(text)));
}

}  // namespace drover
