#include "daemons/settings_board.hpp"

#include "proto/settings.pb.h"

#include <fmt/core.h>

namespace drover::daemons {
namespace {

/// Far above what the catalogue will ever hold.
constexpr int kMostEntries = 1000;

}  // namespace

SettingsBoard::SettingsBoard(const Log& log, Values own) : log_(log), own_(std::move(own)) {
  in_force_ = cluster::Settings(own_);
}

void SettingsBoard::on_change(Apply apply) {
  apply(in_force_);
  listeners_.push_back(std::move(apply));
}

bool SettingsBoard::take(std::string_view payload, bool from_way_up) {
  proto::Settings message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      message.entries_size() > kMostEntries) {
    log_.warning("settings that cannot be read were ignored");
    return false;
  }
  const SettingsVersion said{message.term(), message.version()};
  const bool decides = from_way_up && message.current() && said != version_;
  if (said <= version_ && !decides) return false;
  version_ = said;
  heard_.clear();
  for (const auto& entry : message.entries()) heard_[entry.key()] = entry.value();
  refresh();
  return true;
}

void SettingsBoard::put(SettingsVersion version, const cluster::Settings& settings) {
  version_ = version;
  heard_ = settings.values();
  refresh();
}

void SettingsBoard::set_own(Values own) {
  own_ = std::move(own);
  refresh();
}

void SettingsBoard::refresh() {
  Values values = heard_;
  for (const auto& [key, value] : own_) values[key] = value;
  cluster::Settings now(std::move(values));
  if (now == in_force_) return;
  for (const cluster::SettingRow& row : cluster::setting_catalogue()) {
    const std::string& key = row.option.key;
    if (in_force_.text(key) == now.text(key)) continue;
    log_.notice("a setting has changed",
                {{"setting", key}, {"from", in_force_.text(key)}, {"to", now.text(key)}});
  }
  in_force_ = std::move(now);
  if (const Status fits = cluster::check_together(in_force_); !fits) {
    log_.warning("settings of this host and of the cluster do not fit together",
                 {{"why", fits.error().text()}});
  }
  for (Apply& apply : listeners_) apply(in_force_);
}

std::string SettingsBoard::message(bool current) const {
  if (version_ == SettingsVersion{}) return {};
  proto::Settings message;
  message.set_term(version_.term);
  message.set_version(version_.version);
  message.set_current(current);
  for (const auto& [key, value] : heard_) {
    proto::Settings::Entry* entry = message.add_entries();
    entry->set_key(key);
    entry->set_value(value);
  }
  return message.SerializeAsString();
}

SettingsBoard::Values own_settings_of(const Timing& timing) {
  SettingsBoard::Values out;
  const auto note = [&out](const char* key, Duration value) {
    if (value != cluster::Settings().duration(key)) out[key] = duration_text(value);
  };
  note("tree.heartbeat", timing.heartbeat);
  note("tree.silence", timing.silence);
  note("tree.hold", timing.hold);
  note("tree.grace", timing.confirm_grace);
  return out;
}

Timing with_settings(Timing timing, const cluster::Settings& settings) {
  timing.heartbeat = settings.duration("tree.heartbeat");
  timing.silence = settings.duration("tree.silence");
  timing.hold = settings.duration("tree.hold");
  timing.confirm_grace = settings.duration("tree.grace");
  return timing;
}

}  // namespace drover::daemons
