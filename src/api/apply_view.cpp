#include "api/apply_view.hpp"

#include "base/noderange.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace drover::api {
namespace {

RawJson raw(const std::string& value) {
  return {value.empty() ? "null" : value};
}

/// "interfaces/eth0/mac" as people write it.
std::string shown_field(std::string field) {
  std::replace(field.begin(), field.end(), '/', '.');
  return field;
}

ApplyDispute dispute_of(const cluster::Disputed& disputed) {
  ApplyDispute out;
  out.kind = kind_of(disputed.object.section);
  out.names = disputed.object.name;
  out.field = shown_field(disputed.difference.field);
  out.base = raw(disputed.difference.base);
  out.document = raw(disputed.difference.document);
  out.in_force = raw(disputed.difference.in_force);
  return out;
}

}  // namespace

void ApplyBody::describe(Visitor& v) {
  v.field("document", document,
          "The document: kind, version, settings, networks, profiles, groups, nodes.");
  v.field("base", base,
          "The document as it was when it was read, in place of the one remembered; then nothing "
          "is remembered.",
          Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

void ApplyField::describe(Visitor& v) {
  v.field("field", field, "Path of the field: description, interfaces.eth0.mac.");
  v.field("before", before, "Its value now; null: none.");
  v.field("after", after, "Its value then; null: none.");
}

void ApplyChange::describe(Visitor& v) {
  v.field("kind", kind, "node, group, profile, network or setting.");
  v.field("names", names, "Whom it is about; nodes with equal changes folded.");
  v.field("count", count, "How many they are.");
  v.field("action", action, "What happens to them.");
  v.field("fields", fields, "The fields that change.");
}

void ApplyDispute::describe(Visitor& v) {
  v.field("kind", kind, "node, group, profile, network or setting.");
  v.field("names", names, "Whom it is about; nodes folded.");
  v.field("field", field, "Path of the field.");
  v.field("base", base, "Its value in the document as applied last; null: none.");
  v.field("document", document, "Its value in this document; null: none.");
  v.field("in_force", in_force, "Its value in the cluster; null: none.");
  v.field("who", who, "Who changed it since; empty: not known.");
  v.field("when", when, "When; null: not known.");
  v.field("why", why, "The reason that was given.");
}

void ApplyProblem::describe(Visitor& v) {
  v.field("pointer", pointer, "Where in the document, as a JSON pointer.");
  v.field("message", message, "The value and the rule.");
}

void ApplyOrphan::describe(Visitor& v) {
  v.field("kind", kind, "node, group, profile, network or setting.");
  v.field("names", names, "Whom it is about; nodes folded.");
  v.field("count", count, "How many they are.");
}

void ApplyPlan::describe(Visitor& v) {
  v.field("applied", applied, "Whether it was carried out.");
  v.field("remembers", remembers, "Whether what is remembered of the document changes.");
  v.field("created", created, "How many objects are made.");
  v.field("changed", changed, "How many are changed.");
  v.field("removed", removed, "How many are removed.");
  v.field("first", first, "Sequence of the first change; 0: none.");
  v.field("last", last, "Sequence of the last change; 0: none.");
  v.field("changes", changes, "The changes, folded.");
  v.field("conflicts", conflicts, "Fields that the document and somebody else changed.");
  v.field("kept", kept, "Fields that somebody else alone changed: they stay.");
  v.field("orphans", orphans, "What was in the document before and is not now: prune removes it.");
  v.field("problems", problems, "Rules that the document breaks.");
}

std::vector<ApplyDispute> fold_disputes(std::vector<ApplyDispute> disputes) {
  std::vector<ApplyDispute> out;
  std::vector<std::vector<std::string>> names;
  std::map<std::string, size_t, std::less<>> index;
  for (ApplyDispute& each : disputes) {
    const std::string key = fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", each.kind, each.kind == "node" ? "" : each.names,
        each.field, each.base.text, each.document.text, each.in_force.text, each.who, each.why);
    const auto [it, fresh] = index.try_emplace(key, out.size());
    if (fresh) names.emplace_back();
    names[it->second].push_back(each.names);
    if (fresh) out.push_back(std::move(each));
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i].kind == "node") out[i].names = fold_names(names[i]);
  }
  return out;
}

ApplyPlan view_of(const cluster::Plan& plan) {
  ApplyPlan out;
  for (const cluster::FoldedChange& each : fold_plan(plan.objects)) {
    ApplyChange change;
    change.kind = kind_of(each.section);
    change.names = each.names;
    change.count = each.count;
    change.action = each.action;
    for (const cluster::FieldChange& field : each.changes) {
      change.fields.push_back({shown_field(field.field), raw(field.before), raw(field.after)});
    }
    uint64_t& sum = each.action == cluster::PlanAction::create   ? out.created
                    : each.action == cluster::PlanAction::change ? out.changed
                                                                 : out.removed;
    sum += each.count;
    out.changes.push_back(std::move(change));
  }
  for (const auto& each : plan.conflicts) out.conflicts.push_back(dispute_of(each));
  for (const auto& each : plan.kept) out.kept.push_back(dispute_of(each));
  std::map<cluster::Section, std::vector<std::string>> orphans;
  for (const auto& each : plan.orphans) orphans[each.section].push_back(each.name);
  for (const auto& [section, names] : orphans) {
    if (section == cluster::Section::nodes) {
      out.orphans.push_back({std::string(kind_of(section)), fold_names(names), names.size()});
    } else {
      for (const auto& name : names) {
        out.orphans.push_back({std::string(kind_of(section)), name, 1});
      }
    }
  }
  for (const auto& each : plan.problems) out.problems.push_back({each.pointer, each.message});
  return out;
}

std::string dispute_text(const ApplyDispute& dispute, bool against_base) {
  std::string out = fmt::format("{} {}: {} is {} now", dispute.kind, dispute.names, dispute.field,
                                dispute.in_force.text);
  if (!dispute.who.empty()) {
    out += fmt::format(" (by {} at {}{})", dispute.who, to_rfc3339(dispute.when),
                       dispute.why.empty() ? "" : ": " + dispute.why);
  }
  out += fmt::format(", was {} when the document was {}, and the document ", dispute.base.text,
                     against_base ? "read" : "applied last");
  out += dispute.document.text == "null" ? "no longer has it"
                                         : fmt::format("says {}", dispute.document.text);
  return out;
}

}  // namespace drover::api
