// A program's settings from flags, DROVER_* environment, one TOML file and defaults, in this order
// of strength, each value with its origin.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

enum class ConfigType {
  text,
  path,
  integer,
  boolean,   ///< flag form: --key, --no-key
  duration,  ///< with a unit: 500ms 3s 2m 1h 7d; a bare 0 too
  bytes,     ///< 4096, 64KiB, 1MiB, 2GiB
  choice,    ///< one of `choices`
  list,      ///< texts: comma-separated in flags and environment, an array in the file
};

/// What a value of this type looks like, for messages: "a duration such as 500ms, 3s, 2m, 1h".
std::string_view expectation(ConfigType type);
/// "text", "duration" ..
std::string_view name(ConfigType type);

/// One setting. Key "tree.heartbeat" is the flag --tree-heartbeat, the variable
/// DROVER_TREE_HEARTBEAT and heartbeat in the file's [tree]; '_' in keys is '-' in flags.
struct ConfigOption {
  std::string key;
  ConfigType type = ConfigType::text;
  std::string standard = {};  ///< default, as text; empty: unset
  std::string help = {};
  int64_t least = INT64_MIN;  ///< integer: itself; duration: milliseconds; bytes: bytes
  int64_t most = INT64_MAX;
  std::vector<std::string> choices = {};
  /// A rule past the type's, for values that are not empty; its error says what was expected.
  Status (*rule)(const std::string& text) = nullptr;
  bool required = false;  ///< an empty value is an error
  bool live = false;      ///< SIGHUP and `drover reload` apply a new value without a restart
};

enum class ConfigOrigin { standard, file, environment, flag };
std::string_view name(ConfigOrigin origin);

/// One setting's value, checked, and who said so.
struct ConfigValue {
  std::string key;
  std::string text;  ///< canonical; lists joined with commas
  ConfigOrigin origin = ConfigOrigin::standard;
  std::string where;  ///< "/etc/drover/master.toml:7", "DROVER_SOCKET", "--socket"; empty: default
};

/// Checked settings. Asking for a key or type that the table does not declare is a defect and
/// aborts with the key's name.
class Config {
 public:
  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] int64_t integer(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] Duration duration(std::string_view key) const;
  [[nodiscard]] uint64_t bytes(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  [[nodiscard]] bool is_set(std::string_view key) const;
  [[nodiscard]] const ConfigValue& value(std::string_view key) const;
  /// Every setting in the table's order, for `config show --origin`.
  [[nodiscard]] const std::vector<ConfigValue>& values() const { return values_; }
  /// What deserves a warning, such as a DROVER_* variable that nothing reads.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] bool wants_help() const { return wants_help_; }
  [[nodiscard]] bool wants_version() const { return wants_version_; }
  /// --print-config was given.
  [[nodiscard]] bool wants_print() const { return wants_print_; }
  /// The file that was read; empty when none was.
  [[nodiscard]] const std::string& file() const { return file_; }

  /// Takes one value over from another reading of the same table.
  void adopt(const ConfigValue& value);

 private:
  friend class ConfigLoader;
  std::vector<ConfigValue> values_;
  std::vector<std::string> warnings_;
  std::string file_;
  bool wants_help_ = false;
  bool wants_version_ = false;
  bool wants_print_ = false;
};

/// What was read and every mistake in it, in the order: flags' form, file, environment, flags,
/// what is missing. `config` counts only when there is no mistake.
struct ConfigFindings {
  Config config;
  std::vector<Error> errors;
};

/// Where settings come from. `environment` holds DROVER_* variables alone (drover_environment()).
struct ConfigSources {
  std::vector<std::string> arguments;  ///< without the program's name
  std::map<std::string, std::string> environment;
  std::string standard_file;  ///< read when there and neither --config nor DROVER_CONFIG is given
};

/// The DROVER_* variables of a null-terminated environment such as ::environ.
std::map<std::string, std::string> drover_environment(const char* const* environment);

/// A program's settings as data.
class ConfigTable {
 public:
  ConfigTable(std::string program, std::string summary, std::vector<ConfigOption> options)
      : program_(std::move(program)), summary_(std::move(summary)), options_(std::move(options)) {}

  /// Reads and checks everything. invalid_argument names the place (file:line, variable or flag),
  /// what was expected and, for an unknown name, the nearest known one. --config FILE, --help and
  /// --version are understood besides the table; with --help or --version nothing else is checked.
  /// Several mistakes are one error with a line for each.
  Result<Config> load(const ConfigSources& sources, Disk& disk) const;

  /// The same, but every mistake in one go.
  [[nodiscard]] ConfigFindings examine(const ConfigSources& sources, Disk& disk) const;

  /// Text of --help.
  [[nodiscard]] std::string usage() const;
  [[nodiscard]] const std::vector<ConfigOption>& options() const { return options_; }
  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] const std::string& summary() const { return summary_; }

 private:
  std::string program_;
  std::string summary_;
  std::vector<ConfigOption> options_;
};

/// One value as text, checked against its option; its canonical form ("1500ms", "true", "4096").
Result<std::string> check_value(const ConfigOption& option, const std::string& text);

/// A whole decimal number, all of `text`.
std::optional<int64_t> parse_integer(std::string_view text);
/// The parts of "a,b,c" that are not empty.
std::vector<std::string> split_config_list(std::string_view text);

/// "key  value  # origin place" lines, for --print-config.
std::string config_text(const Config& config);

/// "1500ms", "3s", "2m", "1h", "7d"; negative ones are refused.
Result<Duration> parse_duration(std::string_view text);
/// The shortest exact form: "1500ms", "3s".
std::string duration_text(Duration duration);
/// "4096", "64KiB", "1MiB", "2GiB" (also k, M, G, all powers of 1024).
Result<uint64_t> parse_bytes(std::string_view text);

}  // namespace drover
