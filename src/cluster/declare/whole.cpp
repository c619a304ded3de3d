// The state after the plan is put together in memory; what must be unique is looked up in the
// claims that the writer of definitions keeps.
#include "cluster/declare/whole.hpp"

#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/yaml_read.hpp"
#include "cluster/attributes.hpp"
#include "cluster/claims.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/declare/object_form.hpp"
#include "cluster/group.hpp"
#include "cluster/settings.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

using State = std::map<ObjectName, const FieldSet*>;

std::vector<std::string> texts_of(const FieldSet& set, std::string_view field) {
  const auto it = set.fields.find(field);
  if (it == set.fields.end() || it->second == "[]") return {};
  std::vector<std::string> out;
  const auto value = parse_json(it->second);
  if (!value || !value->is_array()) return out;
  for (const json::value& each : value->get_array()) {
    if (each.is_string()) out.emplace_back(each.get_string());
  }
  return out;
}

/// Groups and profiles as they will be, for formulas that use attributes.
class PlannedDefinitions final : public Definitions {
 public:
  explicit PlannedDefinitions(const State& state) {
    for (const auto& [object, set] : state) {
      if (object.section == Section::profiles) {
        if (auto profile = to_profile(object.name, *set)) profiles_[object.name] = *profile;
      } else if (object.section == Section::groups) {
        if (auto group = to_group(object.name, *set)) groups_.push_back(*std::move(group));
      }
    }
    std::sort(groups_.begin(), groups_.end(), stronger_group);
    for (const Group& group : groups_) {
      if (group.nodes.empty()) continue;
      if (const auto names = expand_names(group.nodes)) {
        for (const std::string& name : *names) member_of_[name].push_back(&group);
      }
    }
  }
  [[nodiscard]] const Profile* profile(std::string_view name) const override {
    const auto it = profiles_.find(name);
    return it == profiles_.end() ? nullptr : &it->second;
  }
  [[nodiscard]] std::vector<const Group*> groups_of(const Node& node) const override {
    const auto it = member_of_.find(node.name);
    return it == member_of_.end() ? std::vector<const Group*>() : it->second;
  }

 private:
  std::map<std::string, Profile, std::less<>> profiles_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::vector<const Group*>> member_of_;  ///< lookup only
};

class Checker {
 public:
  Checker(store::Transaction& tx, const InForce& in_force, const Document& document, Plan& plan)
      : tx_(tx), document_(document), plan_(plan) {
    for (const auto& [object, set] : in_force) state_[object] = &set;
    for (const PlannedObject& planned : plan.objects) {
      if (planned.action == PlanAction::remove) {
        state_.erase(planned.object);
        removed_.insert(planned.object);
      } else {
        state_[planned.object] = &planned.result;
        touched_.insert(planned.object);
      }
    }
  }

  Status run() {
    settings_fit();
    const PlannedDefinitions definitions(state_);
    for (const auto& [object, set] : state_) {
      if (object.section == Section::settings) continue;
      if (object.section == Section::networks) {
        if (touched_.contains(object)) networks_apart(object, *set);
        continue;
      }
      if (is_content(object.section)) {
        if (touched_.contains(object)) owner_exists(object);
        continue;
      }
      profiles_exist(object, *set);
      if (!touched_.contains(object)) continue;
      if (object.section == Section::profiles) circle(object);
      if (object.section == Section::groups) members_exist(object, *set);
      if (object.section == Section::nodes) DROVER_CHECK_OK(unique(object, *set, definitions));
    }
    return {};
  }

 private:
  void wrong(const ObjectName& object, std::string_view field, std::string message) {
    const auto it = document_.objects.find(object);
    Entry elsewhere;
    elsewhere.pointer =
        fmt::format("/{}/{}", enum_name(object.section), pointer_token(object.name));
    const Entry& entry = it == document_.objects.end() ? elsewhere : *it->second;
    const auto set = state_.find(object);
    Mistake problem{field.empty() || set == state_.end()
                        ? entry.pointer
                        : problem_pointer(field, *set->second, entry),
                    std::move(message)};
    if (noted_.insert(problem.pointer + problem.message).second) {
      plan_.problems.push_back(std::move(problem));
    }
  }

  /// Rules between settings, on those that would be in force.
  void settings_fit() {
    Settings::Values values;
    std::vector<const ObjectName*> changed;
    for (const auto& [object, set] : state_) {
      if (object.section != Section::settings) break;
      values[object.name] = to_setting(*set);
      if (touched_.contains(object)) changed.push_back(&object);
    }
    for (const ObjectName& object : removed_) {
      if (object.section == Section::settings) changed.push_back(&object);
    }
    if (changed.empty()) return;
    const Status fit = check_together(Settings(std::move(values)));
    if (fit) return;
    const auto at = std::find_if(changed.begin(), changed.end(), [&](const ObjectName* object) {
      return fit.error().message.find(object->name) != std::string::npos;
    });
    if (at != changed.end()) wrong(**at, "", fit.error().message);
  }

  void profiles_exist(const ObjectName& object, const FieldSet& set) {
    const std::string_view field = object.section == Section::profiles ? "inherits" : "profiles";
    for (const std::string& name : texts_of(set, field)) {
      const ObjectName profile{Section::profiles, name};
      if (name == kDefaultProfile || state_.contains(profile)) continue;
      if (removed_.contains(profile)) {
        wrong(object, field,
              fmt::format("{} still takes the profile \"{}\", which would be removed",
                          object.text(), printable(name)));
      } else if (touched_.contains(object)) {
        wrong(object, field, fmt::format("there is no profile \"{}\"", printable(name)));
      }
    }
  }

  void owner_exists(const ObjectName& object) {
    const auto owner = parse_owner("name", object.name);
    if (!owner) return;
    const Section section = owner->kind == AttributeSource::node      ? Section::nodes
                            : owner->kind == AttributeSource::profile ? Section::profiles
                                                                      : Section::groups;
    if (section == Section::groups && is_built_in_group(owner->name)) return;
    if (state_.contains({section, owner->name})) return;
    wrong(object, "",
          fmt::format("there is no {} \"{}\"", enum_name(owner->kind), printable(owner->name)));
  }

  void networks_apart(const ObjectName& object, const FieldSet& set) {
    const auto network = to_network(object.name, set);
    if (!network) return;
    for (const auto& [other, fields] : state_) {
      if (other.section != Section::networks || other == object) continue;
      const auto second = to_network(other.name, *fields);
      const Status apart = second ? check_apart(*network, *second) : Status();
      if (apart) continue;
      const std::string& text = apart.error().message;
      const size_t colon = text.find(": ");
      wrong(object, text.substr(0, colon), text.substr(colon + 2));
    }
  }

  void circle(const ObjectName& object) {
    std::set<std::string> seen;
    std::vector<std::string> open{object.name};
    while (!open.empty()) {
      const std::string name = std::move(open.back());
      open.pop_back();
      const auto it = state_.find({Section::profiles, name});
      if (it == state_.end()) continue;
      for (const std::string& inner : texts_of(*it->second, "inherits")) {
        if (inner == object.name) {
          return wrong(
              object, "inherits",
              fmt::format("the profile inherits from itself through \"{}\"", printable(name)));
        }
        if (seen.insert(inner).second) open.push_back(inner);
      }
    }
  }

  void members_exist(const ObjectName& object, const FieldSet& set) {
    const auto group = to_group(object.name, set);
    if (!group || group->nodes.empty()) return;
    const auto names = expand_names(group->nodes);
    if (!names) return;
    std::vector<std::string> unknown;
    for (const std::string& name : *names) {
      if (!state_.contains({Section::nodes, name})) unknown.push_back(name);
    }
    if (!unknown.empty()) {
      wrong(object, "nodes", fmt::format("there is no node {}", fold_names(unknown)));
    }
  }

  Status unique(const ObjectName& object, const FieldSet& set, const Definitions& definitions) {
    Node node;
    node.name = object.name;
    if (!put_into(node, set)) return {};
    const auto claims = claims_of(node, definitions);
    if (!claims) {
      const std::string text = claims.error().text();
      const size_t colon = text.find(": ");
      const bool named = text.starts_with("spec.") && colon != std::string::npos;
      wrong(object, named ? text.substr(0, colon) : "", named ? text.substr(colon + 2) : text);
      return {};
    }
    for (const auto& [claim, field] : *claims) {
      DROVER_TRY(const std::string other, holder(object.name, claim));
      if (other.empty()) continue;
      wrong(object, field,
            fmt::format("{} of {} is taken by {}", claim_text(claim), object.name, other));
    }
    return {};
  }

  /// Who else has or will have it; empty: nobody.
  Result<std::string> holder(const std::string& node, const std::string& claim) {
    const ClaimBook::Holder own{node, claim};
    const auto [it, fresh] = owners_.try_emplace(std::string(what_of(claim)), own);
    const auto& [owner, owned] = it->second;
    if (!fresh && owner != node && !may_share(claim, owned)) return owner;
    constexpr std::string_view kAlias = "alias/";
    if (claim.starts_with(kAlias) &&
        state_.contains({Section::nodes, claim.substr(kAlias.size())})) {
      return claim.substr(kAlias.size());
    }
    DROVER_TRY(const auto all, ClaimBook(tx_).holders(what_of(claim)));
    for (const ClaimBook::Holder& each : all) {
      const ObjectName other{Section::nodes, each.node};
      // Those that the plan touches hold what they will have, which the map knows.
      const bool counts = each.node != node && !touched_.contains(other) &&
                          !removed_.contains(other) && !may_share(claim, each.claim);
      if (counts) return each.node;
    }
    return std::string();
  }

  static std::string claim_text(const std::string& claim) {
    const std::string_view what = what_of(claim);
    const size_t slash = what.find('/');
    const std::string_view kind = what.substr(0, slash);
    const std::string_view value = what.substr(slash + 1);
    if (kind == "ip") return fmt::format("the address {}", value);
    if (kind == "mac") return fmt::format("the MAC {}", value);
    if (kind == "nid") return fmt::format("the NID {}", value);
    return fmt::format("the alias {}", value);
  }

  store::Transaction& tx_;
  const Document& document_;
  Plan& plan_;
  State state_;
  std::set<ObjectName> touched_;
  std::set<ObjectName> removed_;
  std::unordered_map<std::string, ClaimBook::Holder> owners_;  ///< of what is claimed; lookup only
  std::set<std::string> noted_;
};

}  // namespace

Status check_whole(store::Transaction& tx, const InForce& in_force, const Document& document,
                   Plan& plan) {
  return Checker(tx, in_force, document, plan).run();
}

}  // namespace drover::cluster
