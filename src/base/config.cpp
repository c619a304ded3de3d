#include "base/config.hpp"

#include "base/config_file.hpp"
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

std::string flag_of(std::string_view key) {
  std::string out = "--";
  for (const char c : key) out.push_back(c == '.' || c == '_' ? '-' : c);
  return out;
}

std::string variable_of(std::string_view key) {
  std::string out = "DROVER_";
  for (const char c : key) {
    const bool parts = c == '.' || c == '-';
    out.push_back(parts ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return out;
}

template <typename Form>
std::string did_you_mean(std::string_view word, const std::vector<ConfigOption>& options,
                         Form form) {
  std::vector<std::string> names;
  for (const auto& option : options) names.push_back(form(option.key));
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view best = nearest(word, views);
  return best.empty() ? std::string() : fmt::format("; did you mean {}?", best);
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

bool kind_fits(ConfigType type, FileKind kind) {
  switch (type) {
    case ConfigType::integer:
      return kind == FileKind::integer;
    case ConfigType::boolean:
      return kind == FileKind::boolean;
    case ConfigType::bytes:
      return kind == FileKind::integer || kind == FileKind::text;
    case ConfigType::list:
      return kind == FileKind::list;
    default:
      return kind == FileKind::text;
  }
}

Status in_range(const ConfigOption& option, int64_t value, std::string_view unit) {
  if (value >= option.least && value <= option.most) return {};
  const std::string low = option.least == INT64_MIN ? "" : fmt::format("{}{}", option.least, unit);
  const std::string high = option.most == INT64_MAX ? "" : fmt::format("{}{}", option.most, unit);
  return fail(Code::invalid_argument, low.empty() ? fmt::format("must be at most {}", high)
                                      : high.empty()
                                          ? fmt::format("must be at least {}", low)
                                          : fmt::format("must lie in {} to {}", low, high));
}

/// Checks one value and gives its canonical text.
Result<std::string> canonical(const ConfigOption& option, const std::string& text) {
  const auto unexpected = [&] {
    return fail(Code::invalid_argument,
                fmt::format("expected {}, not \"{}\"", expectation(option.type), printable(text)));
  };
  switch (option.type) {
    case ConfigType::integer: {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc{} || end != text.data() + text.size()) return unexpected();
      DROVER_CHECK_OK(in_range(option, value, ""));
      return text;
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

[[noreturn]] void defect(std::string_view key) {
  fmt::print(stderr, "defect: the setting \"{}\" is not in this program's table\n", key);
  std::abort();
}

}  // namespace

/// Collects values from the weakest source to the strongest.
class ConfigLoader {
 public:
  ConfigLoader(const ConfigTable& table, const ConfigSources& sources)
      : options_(table.options()), sources_(sources) {}

  Result<Config> load(Disk& disk) {
    DROVER_CHECK_OK(read_flags());
    if (out_.wants_help_ || out_.wants_version_) return std::move(out_);
    for (const ConfigOption& option : options_) {
      out_.values_.push_back({option.key, {}, ConfigOrigin::standard, {}});
      if (!option.standard.empty()) {
        DROVER_CHECK_OK(set(option, option.standard, ConfigOrigin::standard, {}));
      }
    }
    DROVER_CHECK_OK(read_file(disk));
    DROVER_CHECK_OK(read_environment());
    for (const auto& [option, text] : flags_) {
      DROVER_CHECK_OK(set(*option, text, ConfigOrigin::flag, flag_of(option->key)));
    }
    for (const ConfigOption& option : options_) {
      if (option.required && !out_.is_set(option.key)) {
        return fail(Code::invalid_argument,
                    fmt::format("{} is not set: {}", option.key, option.help),
                    fmt::format("give {} or set {}", flag_of(option.key), variable_of(option.key)));
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] const ConfigOption* find(std::string_view key) const {
    const auto it = std::find_if(options_.begin(), options_.end(),
                                 [&](const auto& option) { return option.key == key; });
    return it == options_.end() ? nullptr : &*it;
  }
  [[nodiscard]] const ConfigOption* find_flag(std::string_view flag) const {
    const auto it = std::find_if(options_.begin(), options_.end(),
                                 [&](const auto& option) { return flag_of(option.key) == flag; });
    return it == options_.end() ? nullptr : &*it;
  }

  Status set(const ConfigOption& option, const std::string& text, ConfigOrigin origin,
             std::string where) {
    auto value = canonical(option, text);
    if (!value) {
      const std::string place = where.empty() ? "default" : where;
      return fail(Code::invalid_argument,
                  fmt::format("{}: {}: {}", place, option.key, value.error().message));
    }
    ConfigValue& slot = out_.values_.at(static_cast<size_t>(&option - options_.data()));
    slot.text = *std::move(value);
    slot.origin = origin;
    slot.where = std::move(where);
    return {};
  }

  Status read_flags() {
    const auto& arguments = sources_.arguments;
    for (size_t i = 0; i < arguments.size(); ++i) {
      std::string_view flag = arguments[i];
      std::optional<std::string> text;
      if (const size_t equals = flag.find('='); equals != std::string_view::npos) {
        text = flag.substr(equals + 1);
        flag = flag.substr(0, equals);
      }
      if (flag == "--help" || flag == "-h") out_.wants_help_ = true;
      if (flag == "--version") out_.wants_version_ = true;
      if (out_.wants_help_ || out_.wants_version_) return {};
      DROVER_TRY(const bool negated, take_negation(flag, text));
      if (negated) continue;
      const ConfigOption* option = flag == "--config" ? nullptr : find_flag(flag);
      if (option == nullptr && flag != "--config") return unknown_flag(flag);
      if (!text && option != nullptr && option->type == ConfigType::boolean) text = "true";
      if (!text) {
        if (i + 1 == arguments.size()) {
          return fail(Code::invalid_argument, fmt::format("{} needs a value", flag));
        }
        text = arguments[++i];
      }
      take_flag(option, *std::move(text));
    }
    return {};
  }

  Result<bool> take_negation(std::string_view flag, const std::optional<std::string>& text) {
    if (!flag.starts_with("--no-")) return false;
    const ConfigOption* option = find_flag("--" + std::string(flag.substr(5)));
    if (option == nullptr || option->type != ConfigType::boolean) return false;
    if (text) return fail(Code::invalid_argument, fmt::format("{} takes no value", flag));
    flags_.emplace_back(option, "false");
    return true;
  }

  void take_flag(const ConfigOption* option, std::string text) {
    if (option == nullptr) {
      config_flag_ = std::move(text);
      return;
    }
    // A list flag that is given again adds to the list.
    const auto given = std::find_if(flags_.begin(), flags_.end(),
                                    [&](const auto& flag) { return flag.first == option; });
    if (option->type == ConfigType::list && given != flags_.end()) {
      given->second += "," + text;
    } else {
      flags_.emplace_back(option, std::move(text));
    }
  }

  [[nodiscard]] tl::unexpected<Error> unknown_flag(std::string_view flag) const {
    return fail(Code::invalid_argument,
                fmt::format("unknown argument {}{}", printable(flag),
                            did_you_mean(flag, options_, flag_of)),
                "--help lists the arguments");
  }

  Status read_file(Disk& disk) {
    std::string path = sources_.standard_file;
    bool demanded = false;
    if (const auto it = sources_.environment.find("DROVER_CONFIG");
        it != sources_.environment.end()) {
      path = it->second;
      demanded = true;
    }
    if (config_flag_) {
      path = *config_flag_;
      demanded = true;
    }
    if (path.empty()) return {};
    if (!demanded) {
      DROVER_TRY(const bool there, disk.exists(path));
      if (!there) return {};
    }
    auto text = disk.read_all(path, size_t{1} << 20);
    if (!text) return fail_in("reading the configuration file " + path, text.error());
    DROVER_TRY(const auto settings, read_toml(*text, path));
    out_.file_ = path;
    for (const FileSetting& setting : settings) {
      DROVER_CHECK_OK(take_setting(setting, fmt::format("{}:{}", path, setting.line)));
    }
    return {};
  }

  Status take_setting(const FileSetting& setting, const std::string& where) {
    const ConfigOption* option = find(setting.key);
    if (option == nullptr) {
      const auto same = [](const std::string& key) { return key; };
      return fail(Code::invalid_argument,
                  fmt::format("{}: unknown setting \"{}\"{}", where, printable(setting.key),
                              did_you_mean(setting.key, options_, same)));
    }
    if (!kind_fits(option->type, setting.kind)) {
      return fail(Code::invalid_argument,
                  fmt::format("{}: {}: expected {}, not {}", where, setting.key,
                              expectation(option->type), name(setting.kind)));
    }
    return set(*option, setting.text, ConfigOrigin::file, where);
  }

  Status read_environment() {
    for (const auto& [variable, text] : sources_.environment) {
      if (variable == "DROVER_CONFIG") continue;
      const auto it = std::find_if(
          options_.begin(), options_.end(),
          [&, &named = variable](const auto& option) { return variable_of(option.key) == named; });
      if (it != options_.end()) {
        DROVER_CHECK_OK(set(*it, text, ConfigOrigin::environment, variable));
      } else {
        // Not an error: another Drover program may read it.
        out_.warnings_.push_back(fmt::format("{} is not a setting of this program{}",
                                             printable(variable),
                                             did_you_mean(variable, options_, variable_of)));
      }
    }
    return {};
  }

  const std::vector<ConfigOption>& options_;
  const ConfigSources& sources_;
  std::vector<std::pair<const ConfigOption*, std::string>> flags_;
  std::optional<std::string> config_flag_;
  Config out_;
};

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
  const std::string& text = value(key).text;
  int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Duration Config::duration(std::string_view key) const {
  return parse_duration(value(key).text).value_or(Duration::zero());
}

uint64_t Config::bytes(std::string_view key) const {
  return parse_bytes(value(key).text).value_or(0);
}

std::vector<std::string> Config::list(std::string_view key) const {
  std::vector<std::string> out;
  std::string_view rest = value(key).text;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) out.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return out;
}

std::map<std::string, std::string> drover_environment(const char* const* environment) {
  std::map<std::string, std::string> out;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const size_t equals = entry.find('=');
    if (entry.starts_with("DROVER_") && equals != std::string_view::npos) {
      out.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  return out;
}

Result<Config> ConfigTable::load(const ConfigSources& sources, Disk& disk) const {
  return ConfigLoader(*this, sources).load(disk);
}

std::string ConfigTable::usage() const {
  std::string out = fmt::format(
      "{} - {}\n\nUsage: {} [OPTION]..\n\nOptions (each also in the file, "
      "and in the environment as DROVER_NAME):\n",
      program_, summary_, program_);
  const auto line = [&](const std::string& flag, const std::string& help) {
    out += fmt::format("  {:<28} {}\n", flag, help);
  };
  for (const ConfigOption& option : options_) {
    std::string help = option.help;
    if (!option.choices.empty()) help += fmt::format(" ({})", fmt::join(option.choices, ", "));
    if (!option.standard.empty()) help += fmt::format(" [{}]", option.standard);
    const bool boolean = option.type == ConfigType::boolean;
    line(flag_of(option.key) + (boolean ? "" : "=VALUE"), help);
  }
  line("--config=FILE", "read settings from this TOML file");
  line("--help", "show this text");
  line("--version", "show the version");
  return out;
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
