#include "cluster/settings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

[[noreturn]] void defect(std::string_view key) {
  fmt::print(stderr, "defect: the cluster setting \"{}\" is not in the catalogue\n", key);
  std::abort();
}

Result<Setting> read_setting(std::string_view key, std::string_view body) {
  auto setting = decode_text<Setting>(body, Unknown::ignore);
  if (setting) return setting;
  return fail(Code::corrupt, fmt::format("the stored setting '{}' cannot be read: {}", key,
                                         setting.error().message));
}

}  // namespace

void Setting::describe(Visitor& v) {
  v.field("value", value, "What it is set to, as text.");
}

const SettingRow* find_setting(std::string_view key) {
  const auto catalogue = setting_catalogue();
  const auto it = std::find_if(catalogue.begin(), catalogue.end(),
                               [&](const SettingRow& row) { return row.option.key == key; });
  return it == catalogue.end() ? nullptr : &*it;
}

Result<std::string> check_setting(std::string_view key, const std::string& value) {
  const SettingRow* row = find_setting(key);
  if (row == nullptr) {
    std::vector<std::string_view> keys;
    for (const SettingRow& known : setting_catalogue()) keys.push_back(known.option.key);
    const std::string_view best = nearest(key, keys);
    return fail(Code::not_found,
                fmt::format("there is no setting \"{}\"{}", printable(key),
                            best.empty() ? "" : fmt::format("; did you mean {}?", best)),
                "drover setting list");
  }
  auto checked = check_value(row->option, value);
  if (checked) return checked;
  return fail(checked.error().code, fmt::format("setting {}: {}", key, checked.error().message),
              fmt::format("drover setting get {}", key));
}

// --- values -----------------------------------------------------------------------------------

Settings::Settings(Values values) : values_(std::move(values)) {
  for (auto it = values_.begin(); it != values_.end();) {
    const SettingRow* row = find_setting(it->first);
    auto checked =
        row == nullptr ? Result<std::string>(it->second) : check_value(row->option, it->second);
    if (checked) {
      it->second = *std::move(checked);
      ++it;
    } else {
      it = values_.erase(it);
    }
  }
}

const std::string& Settings::text(std::string_view key) const {
  const SettingRow* row = find_setting(key);
  if (row == nullptr) defect(key);
  const auto it = values_.find(key);
  return it == values_.end() ? row->option.standard : it->second;
}

Duration Settings::duration(std::string_view key) const {
  const auto value = parse_duration(text(key));
  if (!value) defect(key);
  return *value;
}

int64_t Settings::integer(std::string_view key) const {
  const auto value = parse_integer(text(key));
  if (!value) defect(key);
  return *value;
}

bool Settings::flag(std::string_view key) const {
  return text(key) == "true";
}

std::vector<std::string> Settings::list(std::string_view key) const {
  return split_config_list(text(key));
}

Status check_together(const Settings& settings) {
  const Duration heartbeat = settings.duration("tree.heartbeat");
  const Duration silence = settings.duration("tree.silence");
  if (silence < 2 * heartbeat) {
    return fail(
        Code::invalid_argument,
        fmt::format("tree.silence ({}) must be at least twice tree.heartbeat ({}), or links "
                    "are lost between two heartbeats",
                    duration_text(silence), duration_text(heartbeat)),
        "drover setting set tree.silence=.. tree.heartbeat=.. sets both at once");
  }
  return {};
}

// --- the store --------------------------------------------------------------------------------

Result<Settings> read_settings(store::Transaction& tx) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kSettingKind)}));
  Settings::Values values;
  for (const store::Object& object : objects) {
    DROVER_TRY(Setting setting, read_setting(object.key, object.body));
    values[object.key] = std::move(setting.value);
  }
  return Settings(std::move(values));
}

Status set_setting(store::Transaction& tx, std::string_view key, const std::string& value) {
  DROVER_TRY(std::string checked, check_setting(key, value));
  DROVER_CHECK_OK(tx.put(kSettingKind, key, encode(Setting{std::move(checked)})));
  return {};
}

Result<bool> unset_setting(store::Transaction& tx, std::string_view key) {
  return tx.erase(kSettingKind, key);
}

Status SettingBook::load(store::Store& store) {
  DROVER_TRY(const auto objects, store.load(kSettingKind));
  stored_.clear();
  for (const store::Object& object : objects) {
    DROVER_TRY(Setting setting, read_setting(object.key, object.body));
    stored_[object.key] = {std::move(setting.value), object.revision};
  }
  // The newest change of a setting may have been the erasure of one, which left no object.
  version_ = store.head();
  rebuild();
  return {};
}

bool SettingBook::apply(std::span<const store::Change> changes) {
  bool changed = false;
  for (const store::Change& change : changes) {
    if (change.kind != kSettingKind) continue;
    changed = true;
    version_ = change.sequence;
    const auto setting = read_setting(change.key, change.after.value_or("{}"));
    if (change.operation == store::Operation::put && setting) {
      stored_[change.key] = {setting->value, change.sequence};
    } else {
      stored_.erase(change.key);
    }
  }
  if (changed) rebuild();
  return changed;
}

void SettingBook::rebuild() {
  Settings::Values values;
  for (const auto& [key, stored] : stored_) values[key] = stored.value;
  settings_ = Settings(std::move(values));
}

uint64_t SettingBook::revision(std::string_view key) const {
  const auto it = stored_.find(key);
  return it == stored_.end() ? 0 : it->second.revision;
}

std::string setting_table_markdown() {
  std::string out = "| setting | default | what it does | who acts on it |\n|---|---|---|---|\n";
  for (const SettingRow& row : setting_catalogue()) {
    const std::string standard =
        row.option.standard.empty() ? "none" : fmt::format("`{}`", row.option.standard);
    out += fmt::format("| `{}` | {} | {} | {}{} |\n", row.option.key, standard, row.option.help,
                       row.applies, row.live ? "" : ", at its next start");
  }
  return out;
}

}  // namespace drover::cluster
