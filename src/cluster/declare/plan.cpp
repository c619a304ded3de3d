// Each object of the document merged and checked; then those that only the base knows.
#include "cluster/declare/plan.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "cluster/declare/object_form.hpp"

#include <array>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kActions{"create", "change", "remove"};

class Planner {
 public:
  Planner(const InForce& in_force, const Document* base, const Document& document,
          ApplyOptions options)
      : in_force_(in_force), base_(base), document_(document), options_(options) {}

  Plan run() {
    for (const auto& [object, entry] : document_.objects) plan_object(object, entry);
    if (base_ != nullptr) {
      for (const auto& [object, entry] : base_->objects) {
        if (!document_.objects.contains(object)) plan_dropped(object, entry);
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] const FieldSet* in_force(const ObjectName& object) const {
    const auto it = in_force_.find(object);
    return it == in_force_.end() ? nullptr : &it->second;
  }

  void plan_object(const ObjectName& object, const std::shared_ptr<const Entry>& entry) {
    out_.applied.objects.emplace(object, entry);
    const FieldSet* const now = in_force(object);
    if (entry->removed) {
      if (now != nullptr) remove(object, *now);
      return;
    }
    const Entry* before = nullptr;
    if (base_ != nullptr) {
      const auto it = base_->objects.find(object);
      if (it != base_->objects.end()) before = it->second.get();
    }
    Merged merged = merge(object.section, now, before, *entry, options_.force);
    for (auto& each : merged.conflicts) out_.conflicts.push_back({object, std::move(each)});
    for (auto& each : merged.kept) out_.kept.push_back({object, std::move(each)});
    if (now != nullptr && *now == merged.result) return;
    if (!settle(object, *entry, merged.result)) return;
    auto changes = changes_between(object.section, now, merged.result);
    if (now != nullptr && changes.empty()) return;
    out_.objects.push_back({object, now == nullptr ? PlanAction::create : PlanAction::change,
                            std::move(changes), std::move(merged.result)});
  }

  /// Makes the object canonical; what breaks a rule is noted, once for an entry of many nodes.
  bool settle(const ObjectName& object, const Entry& entry, FieldSet& set) {
    const auto problems = make_canonical(object, set, entry);
    for (const Mistake& problem : problems) {
      if (noted_.insert(problem.pointer + "\n" + problem.message).second) {
        out_.problems.push_back(problem);
      }
    }
    return problems.empty();
  }

  void remove(const ObjectName& object, const FieldSet& now) {
    // The order of removal is backwards, as groups hold nodes and nodes take profiles.
    out_.objects.push_back(
        {object, PlanAction::remove, changes_between(object.section, &now, FieldSet{}), {}});
  }

  void plan_dropped(const ObjectName& object, const std::shared_ptr<const Entry>& entry) {
    const FieldSet* const now = in_force(object);
    if (now == nullptr) return;
    if (!options_.prune) {
      out_.orphans.push_back(object);
      out_.applied.objects.emplace(object, entry);
      return;
    }
    const size_t conflicts = out_.conflicts.size();
    for (const auto& [field, before] : entry->set.fields) {
      const auto it = now->fields.find(field);
      const std::string held = it == now->fields.end() ? std::string() : it->second;
      const bool absent = before == kNoValue;
      if (options_.force || absent || held == before) continue;
      out_.conflicts.push_back({object, {field, before, "", held}});
    }
    if (out_.conflicts.size() == conflicts) remove(object, *now);
  }

  const InForce& in_force_;
  const Document* base_;
  const Document& document_;
  ApplyOptions options_;
  Plan out_;
  std::set<std::string> noted_;
};

}  // namespace

std::span<const std::string_view> enum_names(PlanAction) {
  return kActions;
}

Plan make_plan(const InForce& in_force, const Document* base, const Document& document,
               ApplyOptions options) {
  return Planner(in_force, base, document, options).run();
}

std::vector<FoldedChange> fold_plan(const std::vector<PlannedObject>& objects) {
  std::vector<FoldedChange> out;
  std::vector<std::vector<std::string>> names;
  std::map<std::string, size_t, std::less<>> index;
  for (const PlannedObject& each : objects) {
    std::string key =
        fmt::format("{}/{}", static_cast<int>(each.object.section), static_cast<int>(each.action));
    // Only nodes fold: other objects have names that do not count.
    if (each.object.section != Section::nodes) key += "/" + each.object.name;
    for (const FieldChange& change : each.changes) {
      key += fmt::format("\n{}\t{}\t{}", change.field, change.before, change.after);
    }
    const auto [it, fresh] = index.try_emplace(std::move(key), out.size());
    if (fresh) {
      out.push_back({each.object.section, {}, 0, each.action, each.changes});
      names.emplace_back();
    }
    names[it->second].push_back(each.object.name);
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].count = names[i].size();
    const bool nodes = out[i].section == Section::nodes;
    out[i].names = nodes ? fold_names(names[i]) : names[i].front();
  }
  return out;
}

}  // namespace drover::cluster
