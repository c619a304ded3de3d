// Reading a program's settings: flags, environment, file and defaults into one checked Config.
#include "base/config.hpp"
#include "base/config_file.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover {
namespace {

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

}  // namespace

/// Collects values from the weakest source to the strongest.
class ConfigLoader {
 public:
  ConfigLoader(const ConfigTable& table, const ConfigSources& sources)
      : options_(table.options()), sources_(sources) {}

  /// Goes on after a mistake, so that all of them are told at once.
  ConfigFindings examine(Disk& disk) {
    note(read_flags());
    if (out_.wants_help_ || out_.wants_version_) return {std::move(out_), {}};
    for (const ConfigOption& option : options_) {
      out_.values_.push_back({option.key, {}, ConfigOrigin::standard, {}});
      if (!option.standard.empty()) set(option, option.standard, ConfigOrigin::standard, {});
    }
    note(read_file(disk));
    read_environment();
    for (const auto& [option, text] : flags_) {
      set(*option, text, ConfigOrigin::flag, flag_of(option->key));
    }
    for (const ConfigOption& option : options_) {
      if (option.required && !out_.is_set(option.key) && !refused_.contains(option.key)) {
        note(fail(Code::invalid_argument, fmt::format("{} is not set: {}", option.key, option.help),
                  fmt::format("give {} or set {}", flag_of(option.key), variable_of(option.key))));
      }
    }
    return {std::move(out_), std::move(errors_)};
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

  void note(const Status& done) {
    if (!done) errors_.push_back(done.error());
  }

  void set(const ConfigOption& option, const std::string& text, ConfigOrigin origin,
           std::string where) {
    auto value = check_value(option, text);
    if (!value) {
      const std::string place = where.empty() ? "default" : where;
      refused_.insert(option.key);
      note(fail(Code::invalid_argument,
                fmt::format("{}: {}: {}", place, option.key, value.error().message)));
      return;
    }
    ConfigValue& slot = out_.values_.at(static_cast<size_t>(&option - options_.data()));
    slot.text = *std::move(value);
    slot.origin = origin;
    slot.where = std::move(where);
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
      if (flag == "--print-config" && !text) {
        out_.wants_print_ = true;
        continue;
      }
      DROVER_TRY(const bool negated, take_negation(flag, text));
      if (negated) continue;
      const ConfigOption* option = flag == "--config" ? nullptr : find_flag(flag);
      if (option == nullptr && flag != "--config") {
        note(unknown_flag(flag));
        // Most likely its value, not another mistake.
        const bool takes_next = !text && flag.starts_with("--") && i + 1 < arguments.size() &&
                                !arguments[i + 1].starts_with("-");
        if (takes_next) ++i;
        continue;
      }
      if (!text && option != nullptr && option->type == ConfigType::boolean) text = "true";
      if (!text) {
        if (i + 1 == arguments.size()) {
          if (option != nullptr) refused_.insert(option->key);
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
      note(take_setting(setting, fmt::format("{}:{}", path, setting.line)));
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
      refused_.insert(option->key);
      return fail(Code::invalid_argument,
                  fmt::format("{}: {}: expected {}, not {}", where, setting.key,
                              expectation(option->type), name(setting.kind)));
    }
    set(*option, setting.text, ConfigOrigin::file, where);
    return {};
  }

  void read_environment() {
    for (const auto& [variable, text] : sources_.environment) {
      if (variable == "DROVER_CONFIG") continue;
      const auto it = std::find_if(
          options_.begin(), options_.end(),
          [&, &named = variable](const auto& option) { return variable_of(option.key) == named; });
      if (it != options_.end()) {
        set(*it, text, ConfigOrigin::environment, variable);
      } else {
        // Not an error: another Drover program may read it.
        out_.warnings_.push_back(fmt::format("{} is not a setting of this program{}",
                                             printable(variable),
                                             did_you_mean(variable, options_, variable_of)));
      }
    }
  }

  const std::vector<ConfigOption>& options_;
  const ConfigSources& sources_;
  std::vector<std::pair<const ConfigOption*, std::string>> flags_;
  std::optional<std::string> config_flag_;
  std::vector<Error> errors_;
  std::set<std::string> refused_;  ///< keys whose value was wrong: not "not set" as well
  Config out_;
};

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
  ConfigFindings found = examine(sources, disk);
  if (found.errors.empty()) return std::move(found.config);
  if (found.errors.size() == 1) return tl::unexpected<Error>(std::move(found.errors.front()));
  Error all{Code::invalid_argument, fmt::format("{} mistakes", found.errors.size()), {}, {}};
  for (const Error& error : found.errors) {
    all.message += "\n  " + error.text();
    if (all.next.empty()) all.next = error.next;
  }
  return tl::unexpected<Error>(std::move(all));
}

ConfigFindings ConfigTable::examine(const ConfigSources& sources, Disk& disk) const {
  return ConfigLoader(*this, sources).examine(disk);
}

std::string config_text(const Config& config) {
  size_t longest = 0;
  for (const ConfigValue& value : config.values()) longest = std::max(longest, value.key.size());
  std::string out;
  for (const ConfigValue& value : config.values()) {
    std::string origin(name(value.origin));
    if (!value.where.empty()) origin += " " + value.where;
    out += fmt::format("{:<{}}  {}  # {}\n", value.key, longest,
                       value.text.empty() ? "(not set)" : printable(value.text), origin);
  }
  return out;
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
  line("--print-config", "show the settings in force and where each comes from, and end");
  line("--config=FILE", "read settings from this TOML file");
  line("--help", "show this text");
  line("--version", "show the version");
  return out;
}

}  // namespace drover
