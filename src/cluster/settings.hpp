// Cluster settings: what an administrator sets once for the whole cluster. A catalogue says what
// there is; the store holds what was set (kind `setting`); every daemon acts on it within a second.
#pragma once

#include "base/clock.hpp"
#include "base/config.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::cluster {

inline constexpr std::string_view kSettingKind = "setting";

/// One row of the catalogue. A setting whose key a daemon also has as an option of its own is
/// overridden there by a flag, variable or file: for the one host that needs another value.
struct SettingRow {
  ConfigOption option;       ///< key, type, default, bounds, help
  std::string_view applies;  ///< who acts on it: "every daemon", "master", "nodes", "clients"
  bool live = true;          ///< false: read at the daemon's next start
};

/// Every setting there is, in the order of lists and of the manual.
std::span<const SettingRow> setting_catalogue();
/// The row of a key, or nullptr.
const SettingRow* find_setting(std::string_view key);
/// What its value must be: "a duration such as .., from 50ms to 1m", "one of debug, info".
std::string setting_rule(const SettingRow& row);
/// Checks a key and a value by the catalogue and gives the value's canonical form. not_found names
/// the nearest key, invalid_argument the key, the value and the rule.
Result<std::string> check_setting(std::string_view key, const std::string& value);

/// The body of a stored setting.
struct Setting {
  static constexpr std::string_view kTypeName = "Setting";
  std::string value;
  void describe(Visitor& v);
};

/// Values in force: what is set, over the catalogue's defaults. A value. Asking for a key that the
/// catalogue does not have, or as another type, is a defect and aborts with the key's name.
class Settings {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;

  Settings() = default;
  /// Keys that the catalogue does not know (from a newer version) are kept and never used; a value
  /// that breaks its rule counts as not set.
  explicit Settings(Values values);

  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] Duration duration(std::string_view key) const;
  [[nodiscard]] int64_t integer(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  [[nodiscard]] bool is_set(std::string_view key) const { return values_.contains(key); }
  /// What is set, by key.
  [[nodiscard]] const Values& values() const { return values_; }
  bool operator==(const Settings&) const = default;

 private:
  Values values_;
};

/// Rules between settings, such as that silence takes at least two heartbeats.
Status check_together(const Settings& settings);

/// Sets one setting in the store. `value` in any form that check_setting() takes.
Status set_setting(store::Transaction& tx, std::string_view key, const std::string& value);
/// Back to the default; returns whether it was set.
Result<bool> unset_setting(store::Transaction& tx, std::string_view key);
/// What is in force inside a mutation.
Result<Settings> read_settings(store::Transaction& tx);

/// The master's settings: loaded from the store at start and fed by committed changes alone.
/// Executor's thread only.
class SettingBook {
 public:
  Status load(store::Store& store);
  /// The changes of one commit; returns whether a setting was among them.
  bool apply(std::span<const store::Change> changes);

  [[nodiscard]] const Settings& settings() const { return settings_; }
  /// Sequence of the newest change that they include: the version under which they go down the
  /// tree.
  [[nodiscard]] uint64_t version() const { return version_; }
  /// Revision of one stored setting; 0 when it is not set.
  [[nodiscard]] uint64_t revision(std::string_view key) const;

 private:
  struct Stored {
    std::string value;
    uint64_t revision = 0;
  };
  void rebuild();

  std::map<std::string, Stored, std::less<>> stored_;
  Settings settings_;
  uint64_t version_ = 0;
};

/// The catalogue as a table in Markdown, for docs/operating.md.
std::string setting_table_markdown();

}  // namespace drover::cluster
