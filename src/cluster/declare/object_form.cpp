// The way to a struct is the JSON that the struct describes, so that one description counts.
#include "cluster/declare/object_form.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

template <typename T>
Result<T> decoded(json::object object, const std::string& name) {
  object.insert_or_assign("name", name);
  return decode<T>(json::value(std::move(object)));
}

/// What a node's fields are in the store: role beside the spec.
struct NodeFields {
  NodeRole role = NodeRole::compute;
  NodeSpec spec;
};

Result<NodeFields> to_node_fields(const FieldSet& set) {
  json::object object = to_object(Section::nodes, set, false);
  NodeFields out;
  if (const auto* role = object.if_contains("role")) {
    const std::string text = role->is_string() ? std::string(role->get_string()) : "";
    const auto known = enum_from_name<NodeRole>(text);
    if (!known) {
      return fail(
          Code::invalid_argument,
          fmt::format("role: '{}' is not valid: expected compute or utility", printable(text)));
    }
    out.role = *known;
    object.erase("role");
  }
  DROVER_TRY(out.spec, decode<NodeSpec>(json::value(std::move(object))));
  return out;
}

template <typename T>
Result<FieldSet> canonical_of(const ObjectName& object, Result<T> value) {
  if (!value) return tl::unexpected<Error>(value.error());
  DROVER_CHECK_OK(normalise(*value));
  DROVER_TRY(const json::value body, parse_json(encode(*value)));
  return fields_of_object(object.section, body);
}

/// Decodes and normalises; gives the canonical fields.
Result<FieldSet> canonical(const ObjectName& object, const FieldSet& set) {
  switch (object.section) {
    case Section::settings:
      return set;
    case Section::networks:
      return canonical_of(object, to_network(object.name, set));
    case Section::profiles:
      return canonical_of(object, to_profile(object.name, set));
    case Section::groups:
      return canonical_of(object, to_group(object.name, set));
    case Section::nodes: {
      DROVER_TRY(NodeFields node, to_node_fields(set));
      DROVER_CHECK_OK(normalise(node.spec, object.name));
      DROVER_TRY(json::value body, parse_json(encode(node.spec)));
      body.get_object().emplace("role", enum_name(node.role));
      return read_object(object.section, body.get_object());
    }
    case Section::cloud_init:
      return canonical_of(object, to_cloud_init(object.name, set));
    case Section::steps:
      return canonical_of(object, to_steps(object.name, set));
    case Section::overlays:
      return canonical_of(object, to_overlay(object.name, set));
  }
  return set;
}

/// The part of the set that a rule looks at as a whole: one field, one interface, the BMC.
std::string part_of(std::string_view field) {
  const std::string_view container = container_of(field);
  return std::string(container.empty() ? field : container);
}

FieldSet only(const FieldSet& set, const std::string& part) {
  FieldSet out;
  for (const auto& [field, value] : set.fields) {
    if (is_within(field, part)) out.fields.emplace(field, value);
  }
  for (const std::string& name : set.interfaces) {
    if (out.fields.contains("interfaces/" + name + "/name")) out.interfaces.push_back(name);
  }
  return out;
}

/// "field: what is wrong" as a problem with its place.
Mistake problem_of(const Error& error, const FieldSet& set, const Entry& entry) {
  const std::string text = error.text();
  const size_t colon = text.find(": ");
  const std::string_view field = std::string_view(text).substr(0, colon);
  const bool is_field = colon != std::string::npos && field.find(' ') == std::string_view::npos;
  if (!is_field) return {entry.pointer, text};
  return {problem_pointer(field, set, entry), text.substr(colon + 2)};
}

}  // namespace

std::string problem_pointer(std::string_view field, const FieldSet& set, const Entry& entry) {
  if (field.starts_with("spec.")) field.remove_prefix(5);
  std::string out = entry.pointer;
  const size_t end = std::min(field.find_first_of(".["), field.size());
  const std::string_view member = field.substr(0, end);
  out += "/" + pointer_token(member);
  field.remove_prefix(end);
  if (member == "attributes" && field.starts_with('.')) {
    return out + "/" + pointer_token(field.substr(1));
  }
  while (!field.empty()) {
    const size_t next = std::min(field.find_first_of(".[]", 1), field.size());
    const std::string_view token = field.substr(1, next - 1);
    size_t index = 0;
    std::from_chars(token.data(), token.data() + token.size(), index);
    const bool is_interface = member == "interfaces" && field.front() == '[' &&
                              out.ends_with("/interfaces") && index < set.interfaces.size();
    if (is_interface) {
      const auto& names = entry.set.interfaces;
      const auto it = std::find(names.begin(), names.end(), set.interfaces[index]);
      if (it == names.end()) return out;
      out += fmt::format("/{}", it - names.begin());
    } else if (!token.empty()) {
      out += "/" + pointer_token(token);
    }
    field.remove_prefix(next);
  }
  return out;
}

std::vector<Mistake> make_canonical(const ObjectName& object, FieldSet& set, const Entry& entry) {
  auto whole = canonical(object, set);
  if (whole) {
    set = *std::move(whole);
    return {};
  }
  std::vector<Mistake> out;
  std::set<std::string> parts;
  for (const auto& [field, value] : set.fields) parts.insert(part_of(field));
  for (const std::string& part : parts) {
    const FieldSet alone = only(set, part);
    const auto good = canonical(object, alone);
    if (good) continue;
    out.push_back(problem_of(good.error(), alone, entry));
    constexpr std::string_view kAttributes = "attributes/";
    if (part.starts_with(kAttributes)) {
      out.back().pointer = fmt::format("{}/{}{}", entry.pointer, kAttributes,
                                       pointer_token(part.substr(kAttributes.size())));
    }
  }
  // A rule between parts, such as an interface that comes twice.
  if (out.empty()) out.push_back(problem_of(whole.error(), set, entry));
  return out;
}

Result<Group> to_group(const std::string& name, const FieldSet& set) {
  return decoded<Group>(to_object(Section::groups, set, false), name);
}

Result<Profile> to_profile(const std::string& name, const FieldSet& set) {
  return decoded<Profile>(to_object(Section::profiles, set, false), name);
}

Result<Network> to_network(const std::string& name, const FieldSet& set) {
  return decoded<Network>(to_object(Section::networks, set, false), name);
}

Result<CloudInit> to_cloud_init(const std::string& owner, const FieldSet& set) {
  return decoded<CloudInit>(to_object(Section::cloud_init, set, false), owner);
}

Result<StepList> to_steps(const std::string& owner, const FieldSet& set) {
  return decoded<StepList>(to_object(Section::steps, set, false), owner);
}

Result<Overlay> to_overlay(const std::string& owner, const FieldSet& set) {
  return decoded<Overlay>(to_object(Section::overlays, set, false), owner);
}

Status put_into(Node& node, const FieldSet& set) {
  DROVER_TRY(NodeFields fields, to_node_fields(set));
  node.role = fields.role;
  node.spec = std::move(fields.spec);
  return {};
}

std::string to_setting(const FieldSet& set) {
  const auto it = set.fields.find("value");
  if (it == set.fields.end()) return {};
  const auto value = parse_json(it->second);
  return value && value->is_string() ? std::string(value->get_string()) : it->second;
}

FieldSet fields_of_node(const json::value& body) {
  static const json::object nothing;
  const auto* object = body.if_object();
  if (object == nullptr) return read_object(Section::nodes, nothing);
  const auto* spec = object->if_contains("spec");
  const bool has_spec = spec != nullptr && spec->is_object();
  FieldSet out = read_object(Section::nodes, has_spec ? spec->get_object() : nothing);
  const auto* role = object->if_contains("role");
  if (role != nullptr && role->is_string()) out.fields.insert_or_assign("role", to_text(*role));
  return out;
}

FieldSet fields_of_object(Section section, const json::value& body) {
  const auto* object = body.if_object();
  return read_object(section, object == nullptr ? json::object() : *object);
}

}  // namespace drover::cluster
