#include "api/change_filter.hpp"

#include "auth/enrolment_records.hpp"
#include "base/noderange.hpp"

#include <algorithm>

namespace drover::api {
namespace {

/// The node that a thing belongs to; empty: to none.
std::string_view owner_of(std::string_view kind, std::string_view key) {
  const size_t slash = std::min(key.find('/'), key.size());
  if (kind == cluster::kNodeKind) return key;
  if (kind == cluster::kPartKind) return key.substr(0, slash);
  const bool of_daemon = kind == auth::kCredentialKind || kind == cluster::kDaemonKind;
  if (!of_daemon || slash == key.size()) return {};
  const std::string_view role = key.substr(0, slash);
  return role == "compute" || role == "utility" ? key.substr(slash + 1) : std::string_view();
}

bool glob_fits(std::string_view text, std::string_view pattern) {
  size_t t = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;
  size_t after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

}  // namespace

Result<std::shared_ptr<const NodeSet>> NodeSet::evaluate(std::string_view range,
                                                         const cluster::Model& model) {
  DROVER_TRY(const auto names, drover::evaluate(range, cluster::ModelNames(model)));
  auto set = std::make_shared<NodeSet>();
  set->names_.reserve(names.size());
  set->ids_.reserve(names.size());
  for (const std::string& name : names) {
    if (const auto* entry = model.find(name)) set->ids_.insert(entry->node().id);
    set->names_.insert(name);
  }
  return set;
}

bool NodeSet::has(const store::Change& change) const {
  if (change.kind == cluster::kNodeKind && !change.id.empty()) return ids_.contains(change.id);
  const std::string_view owner = owner_of(change.kind, change.key);
  return !owner.empty() && names_.contains(owner);
}

bool actor_fits(std::string_view actor, std::string_view wanted) {
  if (wanted.find_first_of(":*") != std::string_view::npos) return glob_fits(actor, wanted);
  if (actor == wanted) return true;
  const size_t colon = actor.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = actor.substr(colon + 1);
  return name == wanted || name.substr(0, name.find('@')) == wanted;
}

bool ChangeConditions::accepts(const store::Change& change) const {
  if (!kinds.empty() && std::ranges::find(kinds, change.kind) == kinds.end()) return false;
  if (!key.empty() && change.key != key) return false;
  if (change.time_ms < from_ms || change.time_ms >= until_ms) return false;
  if (!actor.empty() && !actor_fits(change.actor, actor)) return false;
  return nodes == nullptr || nodes->has(change);
}

}  // namespace drover::api
