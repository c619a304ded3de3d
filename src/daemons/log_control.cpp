#include "daemons/log_control.hpp"

#include "base/text.hpp"

#include <set>

namespace drover::daemons {
namespace {

constexpr const char* kOthers = "*";

std::string origin_of(const std::string& key, const cluster::Settings& in_force,
                      const cluster::Settings::Values& own) {
  if (own.contains(key)) return "host";
  return in_force.is_set(key) ? "cluster" : "default";
}

}  // namespace

void LogControl::configured(const cluster::Settings& in_force,
                            const cluster::Settings::Values& own) {
  configured_.standard = severity_from_name(in_force.text("log.level")).value_or(Severity::info);
  configured_.components = parse_log_levels(in_force.text("log.levels")).value_or(Components{});
  standard_origin_ = origin_of("log.level", in_force, own);
  components_origin_ = origin_of("log.levels", in_force, own);
  refresh();
}

Status LogControl::by_hand(const std::map<std::string, std::string>& levels) {
  Components fresh;
  std::string rest;
  for (const auto& [component, level] : levels) {
    if (component == kOthers) {
      const auto severity = severity_from_name(level);
      if (!severity) {
        return fail(Code::invalid_argument,
                    "*: expected one of debug, info, notice, warning, error, not \"" +
                        printable(level) + "\"");
      }
      fresh[kOthers] = *severity;
    } else {
      // A comma or '=' would read as more than was meant; no component has one.
      if (!rest.empty()) rest += ',';
      rest.append(component).append("=").append(level);
    }
  }
  DROVER_TRY(Components named, parse_log_levels(rest));
  if (named.size() + fresh.size() != levels.size()) {
    return fail(Code::invalid_argument, "a component's name holds no comma");
  }
  fresh.merge(named);
  by_hand_ = std::move(fresh);
  refresh();
  return {};
}

void LogControl::refresh() {
  LevelSet set = configured_;
  for (const auto& [component, level] : by_hand_) {
    if (component == kOthers) {
      set.standard = level;
    } else {
      set.components[component] = level;
    }
  }
  levels_.set(std::move(set));
}

api::LogLevelsView LogControl::view() const {
  const LevelSet set = levels_.get();
  api::LogLevelsView out;
  out.level = std::string(name(set.standard));
  out.origin = by_hand_.contains(kOthers) ? "by hand" : standard_origin_;
  std::set<std::string> names;
  for (const std::string& component : levels_.components()) names.insert(component);
  for (const auto& [component, level] : set.components) names.insert(component);
  for (const std::string& component : names) {
    const auto own = set.components.find(component);
    api::ComponentLevel row;
    row.component = component;
    row.level = std::string(name(own == set.components.end() ? set.standard : own->second));
    row.origin = by_hand_.contains(component)                 ? "by hand"
                 : configured_.components.contains(component) ? components_origin_
                                                              : out.origin;
    out.components.push_back(std::move(row));
  }
  for (const auto& [component, level] : by_hand_) out.by_hand[component] = std::string(name(level));
  return out;
}

}  // namespace drover::daemons
