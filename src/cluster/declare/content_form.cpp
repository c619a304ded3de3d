// The struct's own description fills in what a document leaves out.
#include "cluster/declare/content_form.hpp"

#include "base/json_values.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"

#include <string_view>

namespace drover::cluster {
namespace {

/// Any owner will do: it is not looked at.
constexpr std::string_view kAnyOwner = "node/n";

/// A member that YAML gave as a text is what JSON would read it as.
void retype(json::object& object, std::string_view name) {
  const auto* held = object.if_contains(name);
  if (held == nullptr || !held->is_string()) return;
  auto read = parse_json(std::string_view(held->get_string()));
  if (read && (read->is_number() || read->is_bool())) object[name] = *std::move(read);
}

/// Scalars of a map are texts.
json::value texts_of(const json::value& value) {
  const auto* map = value.if_object();
  if (map == nullptr) return value;
  json::object out;
  for (const auto& member : *map) {
    auto text = scalar_of(member.value());
    out.emplace(member.key(), text ? json::value(*text) : member.value());
  }
  return out;
}

json::value steps_of(json::value value) {
  auto* list = value.if_array();
  if (list == nullptr) return value;
  for (json::value& each : *list) {
    auto* step = each.if_object();
    if (step == nullptr) continue;
    retype(*step, "timeout_s");
    auto* words = step->if_contains("command");
    if (words == nullptr || !words->is_array()) continue;
    for (json::value& word : words->get_array()) {
      if (auto text = scalar_of(word)) word = *text;
    }
  }
  return value;
}

json::value files_of(json::value value) {
  auto* map = value.if_object();
  if (map == nullptr) return value;
  for (auto& member : *map) {
    if (auto* file = member.value().if_object()) retype(*file, "template");
  }
  return value;
}

template <Described T>
json::value filled(std::string_view field, json::value value) {
  json::object whole{{"name", kAnyOwner}};
  whole.emplace(field, value);
  auto read = decode<T>(json::value(std::move(whole)));
  if (!read || !normalise(*read)) return value;
  auto written = parse_json(encode(*read));
  if (!written) return value;
  return std::move(written->get_object()[field]);
}

}  // namespace

std::string canonical_content(Form form, const json::value& value) {
  switch (form) {
    case Form::steps:
      return json::serialize(filled<StepList>("steps", steps_of(value)));
    case Form::files:
      return json::serialize(filled<Overlay>("files", files_of(value)));
    default:
      return json::serialize(texts_of(value));
  }
}

}  // namespace drover::cluster
