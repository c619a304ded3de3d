#include "cli/explain.hpp"

#include "base/text.hpp"
#include "cli/contract_kinds.hpp"
#include "cli/fields.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/settings.hpp"
#include "cluster/transitions.hpp"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

using Found = std::vector<Explanation>;

constexpr std::string_view kGrammar =
    "range  := term { (\",\" | \",-\" | \"!\" | \"^\") term }   union, difference (both "
    "spellings), "
    "one of both\n"
    "term   := atom { (\"@\" | \"&\") atom }               both; binds tighter\n"
    "atom   := ( range ) | NAME | n[1-8/2,20] | n01-n16 | n01:n16 | n01+15 | @GROUP | ~REGEX |\n"
    "          FIELD OP VALUE | *\n"
    "OP     := = != < <= > >= =~ !~\n"
    "From left to right; an unknown name refuses the whole, a defined but empty group is empty.";

constexpr std::string_view kFormulas =
    "A value may hold ${SUM} or ${SUM:FORMAT}, evaluated for each node; $${ stands for ${ itself.\n"
    "SUM: integers, variables, + - * / % ( ), min(..), max(..); / rounds down.\n"
    "variables: name, nid, number (the last in the name), number1, number2 .., any attribute\n"
    "FORMAT: as 03d, 2d, x, 04x\n"
    "r${(number-1)/32+1} is the rack of a node, 10.1.${rack}.${number} an address.";

struct ErrorAdvice {
  Code code;
  std::string_view text;
};
constexpr std::array<ErrorAdvice, 18> kErrors{
    {{Code::invalid_argument,
      "The request itself is wrong. The message names the field or place, the value and the rule; "
      "trying again without a change cannot help."},
     {Code::not_found, "What was named is not there. Nothing was changed."},
     {Code::too_old,
      "It was there once and is no longer kept, such as a place in the change log. Read the list "
      "again and go on from its sequence."},
     {Code::already_exists, "Something of this name is there already. Nothing was changed."},
     {Code::conflict,
      "Somebody else changed it first, or its state does not allow it. Read it again, then decide "
      "anew; drover history NAME says who did what."},
     {Code::stale,
      "It was changed since you read it: the revision that the request named (If-Match) is no "
      "longer "
      "the newest. Read it again, then decide anew."},
     {Code::precondition_required,
      "The change must name the revision that it is based on: send the ETag of what you read as "
      "If-Match."},
     {Code::unauthenticated,
      "Who is asking is not known: no valid certificate, token or local user."},
     {Code::denied,
      "Who is asking is known but may not do this. drover whoami shows what you may."},
     {Code::unreachable,
      "There is no path to the daemon now; it may heal by itself. drover health says what is "
      "missing."},
     {Code::timed_out,
      "The deadline passed. Whether it was done may be unknown; a change can be sent again with "
      "the "
      "same Idempotency-Key."},
     {Code::cancelled, "It was called off."},
     {Code::exhausted, "A limit was reached, such as requests a second. Wait, then try again."},
     {Code::too_large, "The input is over its size limit, which the message names."},
     {Code::corrupt, "Stored or received bytes are not what they must be."},
     {Code::unsupported, "The peer or this build cannot do that."},
     {Code::io, "The operating system refused; the message has its words."},
     {Code::internal, "A defect of Drover. The daemon's log has more, under the same trace id."}}};

void add_field(Found& out, const FieldKind& kind, const FieldInfo& field) {
  Explanation found{"field", kind.name + "." + field.path, field.doc, {{"type", field.type}}};
  const std::string inside = field.path + ".";
  for (const FieldInfo& inner : kind.fields) {
    if (!inner.path.starts_with(inside)) continue;
    found.facts.emplace_back(inner.path.substr(inside.size()), inner.doc);
  }
  out.push_back(std::move(found));
}

void add_kind(Found& out, const FieldKind& kind) {
  Explanation found{"kind", kind.name, "The fields of " + kind.help + ".", {}};
  for (const FieldInfo& field : kind.fields) found.facts.emplace_back(field.path, field.doc);
  out.push_back(std::move(found));
}

/// By path, by kind and path, else by the last part of a path.
void fields_called(std::string_view word, Found& out) {
  for (const FieldKind& kind : explained_kinds()) {
    if (kind.name == word) add_kind(out, kind);
    std::string_view path = word;
    const bool named = path.starts_with(kind.name + ".");
    if (named) path.remove_prefix(kind.name.size() + 1);
    if (const FieldInfo* field = find_field(kind, path)) add_field(out, kind, *field);
  }
  if (!out.empty() || word.find('.') != std::string_view::npos) return;
  const std::string tail = "." + std::string(word);
  for (const FieldKind& kind : explained_kinds()) {
    for (const FieldInfo& field : kind.fields) {
      if (field.path.ends_with(tail)) add_field(out, kind, field);
    }
  }
}

std::span<const std::string_view> states_of(cluster::Axis axis) {
  switch (axis) {
    case cluster::Axis::power:
      return enum_names(cluster::PowerState{});
    case cluster::Axis::phase:
      return enum_names(cluster::PhaseState{});
    case cluster::Axis::service:
      break;
  }
  return enum_names(cluster::ServiceState{});
}

std::string set_text(uint32_t set, std::span<const std::string_view> names) {
  std::vector<std::string_view> out;
  for (size_t i = 0; i < names.size(); ++i) {
    if ((set >> i & 1U) != 0) out.push_back(names[i]);
  }
  if (out.size() == names.size()) return "any";
  return fmt::format("{}", fmt::join(out, ", "));
}

void state_called(cluster::Axis axis, std::string_view word, Found& out) {
  const auto states = states_of(axis);
  const auto it = std::find(states.begin(), states.end(), word);
  if (it == states.end()) return;
  const auto number = static_cast<size_t>(it - states.begin());
  const std::string_view axis_name = enum_name(axis);
  Explanation found{"state",
                    fmt::format("{}.{}", axis_name, word),
                    fmt::format("A state of a node's {}: {}.", axis_name, fmt::join(states, ", ")),
                    {}};
  const auto by = [](const cluster::TransitionRule& rule) {
    return set_text(rule.actors, enum_names(cluster::Actor{}));
  };
  for (const auto& rule : cluster::transition_rules()) {
    if (rule.axis != axis || rule.to != number) continue;
    found.facts.emplace_back(
        "reached",
        fmt::format("from {}, by {}: {}", set_text(rule.from, states), by(rule), rule.when));
  }
  for (const auto& rule : cluster::transition_rules()) {
    const bool leaves = (rule.from >> number & 1U) != 0 && rule.to != number;
    if (rule.axis != axis || !leaves) continue;
    found.facts.emplace_back("left",
                             fmt::format("to {}, by {}: {}", states[rule.to], by(rule), rule.when));
  }
  found.facts.emplace_back("nodes in it",
                           fmt::format("drover node list '{}.state={}'", axis_name, word));
  out.push_back(std::move(found));
}

/// "lost", "phase.lost" or "phase=lost".
void states_called(std::string_view word, Found& out) {
  for (const auto axis : {cluster::Axis::power, cluster::Axis::phase, cluster::Axis::service}) {
    std::string_view state = word;
    const std::string_view name = enum_name(axis);
    const bool named = state.starts_with(name) && state.size() > name.size() &&
                       (state[name.size()] == '.' || state[name.size()] == '=');
    if (named) state.remove_prefix(name.size() + 1);
    state_called(axis, state, out);
  }
}

void errors_called(std::string_view word, Found& out) {
  constexpr std::string_view kUrn = "urn:drover:problem:";
  if (word.starts_with(kUrn)) word.remove_prefix(kUrn.size());
  for (const ErrorAdvice& advice : kErrors) {
    const CodeInfo& code = info(advice.code);
    if (code.name != word) continue;
    out.push_back({"error",
                   std::string(code.name),
                   fmt::format("{}. {}", code.title, advice.text),
                   {{"problem type", fmt::format("{}{}", kUrn, code.name)},
                    {"HTTP status", std::to_string(code.http_status)},
                    {"exit code of drover", std::to_string(code.exit_code)}}});
  }
}

void metrics_called(std::string_view word, Found& out) {
  if (const auto* metric = telemetry::find_metric(word)) {
    out.push_back({"metric",
                   std::string(metric->name),
                   fmt::format("{}.", metric->help),
                   {{"unit", std::string(metric->unit)}}});
  }
}

void topics_called(std::string_view word, Found& out) {
  if (word == "noderange" || word == "noderanges") {
    out.push_back({"topic", "noderange", std::string(kGrammar), {}});
  }
  if (word == "formula" || word == "formulas") {
    out.push_back({"topic", "formula", std::string(kFormulas), {}});
  }
  if (word == "attributes" || word == "attribute") {
    Explanation found{"topic",
                      "attributes",
                      "What nodes, groups and profiles may set; a site's own are called x.NAME. "
                      "Values may hold formulas.",
                      {}};
    for (const auto& row : cluster::attribute_catalogue()) {
      found.facts.emplace_back(row.name, row.help);
    }
    out.push_back(std::move(found));
  }
  if (word == "settings" || word == "setting") {
    Explanation found{"topic",
                      "settings",
                      "What is set once for the whole cluster and holds on every daemon.",
                      {}};
    for (const auto& row : cluster::setting_catalogue()) {
      found.facts.emplace_back(row.option.key, row.option.help);
    }
    out.push_back(std::move(found));
  }
}

void attributes_called(std::string_view word, Found& out) {
  if (word.starts_with("attr.")) word.remove_prefix(5);
  const auto* row = cluster::find_attribute_row(word);
  if (row == nullptr) return;
  out.push_back(
      {"attribute",
       std::string(row->name),
       std::string(row->help),
       {{"rule", cluster::attribute_rule(*row)},
        {"set it", fmt::format("drover node|group|profile set .. {}=VALUE", row->name)},
        {"see it", fmt::format("drover node attributes NODES --attribute {} --blame", row->name)},
        {"nodes by it", fmt::format("drover node list '{}=VALUE'", row->name)}}});
}

void settings_called(std::string_view word, Found& out) {
  const cluster::SettingRow* row = cluster::find_setting(word);
  if (row == nullptr) return;
  const ConfigOption& option = row->option;
  out.push_back({"setting",
                 option.key,
                 option.help,
                 {{"rule", cluster::setting_rule(*row)},
                  {"default", option.standard.empty() ? "none" : option.standard},
                  {"acts on it", fmt::format("{}{}", row->applies,
                                             row->live ? ", at once" : ", at its next start")},
                  {"set it", fmt::format("drover setting set {}=VALUE", option.key)},
                  {"see it", fmt::format("drover setting get {}", option.key)}}});
}

std::vector<std::string> known_words() {
  std::vector<std::string> out{"noderange", "formula", "attributes", "settings"};
  for (const auto& row : cluster::setting_catalogue()) out.push_back(row.option.key);
  for (const auto& row : cluster::attribute_catalogue()) out.emplace_back(row.name);
  for (const FieldKind& kind : explained_kinds()) {
    out.push_back(kind.name);
    for (const FieldInfo& field : kind.fields) out.push_back(field.path);
  }
  for (const auto axis : {cluster::Axis::power, cluster::Axis::phase, cluster::Axis::service}) {
    for (const std::string_view state : states_of(axis)) out.emplace_back(state);
  }
  for (const ErrorAdvice& advice : kErrors) out.emplace_back(info(advice.code).name);
  for (const auto& metric : telemetry::metrics()) out.emplace_back(metric.name);
  return out;
}

}  // namespace

Result<std::vector<Explanation>> explain(std::string_view word) {
  Found out;
  for (auto* look : {topics_called, fields_called, attributes_called, settings_called,
                     states_called, errors_called, metrics_called}) {
    look(word, out);
  }
  if (!out.empty()) return out;
  const std::vector<std::string> known = known_words();
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view best = nearest(word, views);
  return fail(Code::not_found,
              fmt::format("nothing is called \"{}\"{}", printable(word),
                          best.empty() ? "" : fmt::format("; did you mean {}?", best)),
              "drover explain   lists what can be explained");
}

std::string explanation_text(const Explanation& explanation) {
  std::string out = fmt::format("{} ({})\n", explanation.name, explanation.what);
  std::string_view text = explanation.text;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("  {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  size_t width = 0;
  for (const auto& [title, fact] : explanation.facts) width = std::max(width, title.size());
  for (const auto& [title, fact] : explanation.facts) {
    out += fmt::format("  {:<{}}  {}\n", title, width, fact);
  }
  return out;
}

}  // namespace drover::cli
