// A program's settings from flags, DROVER_* environment, one TOML file and defaults, in this order
// of strength, each value with its origin.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
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
  bool required = false;  ///< an empty value is an error
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
  /// The file that was read; empty when none was.
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  friend class ConfigLoader;
  std::vector<ConfigValue> values_;
  std::vector<std::string> warnings_;
  std::string file_;
  bool wants_help_ = false;
  bool wants_version_ = false;
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
  Result<Config> load(const ConfigSources& sources, Disk& disk) const;

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

/// "1500ms", "3s", "2m", "1h", "7d"; negative ones are refused.
Result<Duration> parse_duration(std::string_view text);
/// The shortest exact form: "1500ms", "3s".
std::string duration_text(Duration duration);
/// "4096", "64KiB", "1MiB", "2GiB" (also k, M, G, all powers of 1024).
Result<uint64_t> parse_bytes(std::string_view text);

}  // namespace drover
