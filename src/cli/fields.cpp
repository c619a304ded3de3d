#include "cli/fields.hpp"

#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "cluster/group.hpp"
#include "cluster/health.hpp"
#include "cluster/image.hpp"
#include "cluster/inventory.hpp"
#include "cluster/mutations.hpp"
#include "cluster/network.hpp"
#include "cluster/node.hpp"
#include "cluster/operation.hpp"
#include "cluster/profile.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

/// Deeper than any description; a struct that holds itself would have no end.
constexpr size_t kMostDepth = 8;

class Flattener {
 public:
  explicit Flattener(const std::map<std::string, std::string>& schemas) : schemas_(schemas) {}

  std::vector<FieldInfo> fields_of(std::string_view type) {
    walk_properties(schema_called(type), {}, 0);
    return std::move(out_);
  }

 private:
  json::value schema_called(std::string_view type) const {
    const auto it = schemas_.find(std::string(type));
    if (it == schemas_.end()) return nullptr;
    auto parsed = parse_json(it->second);
    return parsed ? *std::move(parsed) : json::value(nullptr);
  }

  static std::string text_of(const json::value& schema, std::string_view key) {
    const auto* object = schema.if_object();
    const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr) return {};
    if (value->is_array() && !value->get_array().empty()) value = &value->get_array().front();
    return value->is_string() ? std::string(value->get_string()) : std::string();
  }

  static const json::value* member(const json::value& schema, std::string_view key) {
    const auto* object = schema.if_object();
    return object == nullptr ? nullptr : object->if_contains(key);
  }

  /// Past "$ref" and "or null".
  json::value resolved(const json::value& schema) const {
    if (const auto* either = member(schema, "oneOf"); either != nullptr && either->is_array()) {
      return resolved(either->get_array().front());
    }
    const std::string ref = text_of(schema, "$ref");
    return ref.empty() ? schema : schema_called(ref.substr(ref.rfind('/') + 1));
  }

  static std::vector<std::string> choices_of(const json::value& schema) {
    std::vector<std::string> out;
    if (const auto* names = member(schema, "enum"); names != nullptr && names->is_array()) {
      for (const json::value& name : names->get_array()) {
        if (name.is_string()) out.emplace_back(name.get_string());
      }
    }
    return out;
  }

  std::string type_of(const json::value& schema) const {
    if (const auto choices = choices_of(schema); !choices.empty()) {
      return fmt::format("one of {}", fmt::join(choices, ", "));
    }
    const std::string type = text_of(schema, "type");
    if (type == "string") return text_of(schema, "format") == "date-time" ? "time" : "text";
    if (type == "boolean") return "true or false";
    if (type == "integer") return "whole number";
    if (type == "number") return "number";
    if (type == "array") {
      const auto* items = member(schema, "items");
      return "list of " + (items == nullptr ? "anything" : type_of(resolved(*items)));
    }
    if (type == "object") {
      const auto* values = member(schema, "additionalProperties");
      const bool map = values != nullptr && values->is_object();
      return map ? "names, each with: " + type_of(resolved(*values)) : "fields";
    }
    return "any JSON";
  }

  /// The properties inside a field's value: its own, of a list's elements or of a map's values.
  void walk_inside(const json::value& schema, const std::string& path, size_t depth) {
    const auto* items = member(schema, "items");
    const auto* values = member(schema, "additionalProperties");
    if (items != nullptr) {
      walk_inside(resolved(*items), path, depth + 1);
    } else if (values != nullptr && values->is_object()) {
      walk_inside(resolved(*values), path + ".NAME", depth + 1);
    } else {
      walk_properties(schema, path, depth + 1);
    }
  }

  void walk_properties(const json::value& schema, const std::string& path, size_t depth) {
    const auto* properties = member(schema, "properties");
    if (properties == nullptr || !properties->is_object() || depth > kMostDepth) return;
    for (const auto& [key, field] : properties->get_object()) {
      const json::value inner = resolved(field);
      FieldInfo info;
      info.path = path.empty() ? std::string(key) : path + "." + std::string(key);
      info.doc = text_of(field, "description");
      info.type = type_of(inner);
      info.choices = choices_of(inner);
      const std::string own = info.path;
      const size_t place = out_.size();
      out_.push_back(std::move(info));
      walk_inside(inner, own, depth);
      out_[place].holds_fields = out_.size() > place + 1;
    }
  }

  const std::map<std::string, std::string>& schemas_;
  std::vector<FieldInfo> out_;
};

template <Described T>
FieldKind kind(std::string name, std::string help) {
  SchemaSet set;
  set.add<T>();
  return {std::move(name), std::move(help), Flattener(set.schemas()).fields_of(T::kTypeName)};
}

/// Its `spec` is a patch of the node's; those fields are explained there.
FieldKind node_change_kind() {
  auto out = kind<cluster::NodePatch>("node-change",
                                      "what drover node set may change beside the "
                                      "spec and attributes");
  std::erase_if(out.fields, [](const FieldInfo& field) { return field.path == "spec"; });
  return out;
}

}  // namespace

std::vector<FieldInfo> flattened(const std::map<std::string, std::string>& schemas,
                                 std::string_view type) {
  return Flattener(schemas).fields_of(type);
}

const std::vector<FieldKind>& field_kinds() {
  static const std::vector<FieldKind> all{
      kind<cluster::NodeView>("node", "a node, as drover node show -o json gives it"),
      node_change_kind(),
      kind<cluster::Group>("group", "a group, as drover group show -o json gives it"),
      kind<cluster::Profile>("profile", "a profile, as drover profile show -o json gives it"),
      kind<cluster::Network>("network", "a network, as drover network show -o json gives it"),
      kind<cluster::Image>("image", "an image, as drover image show -o json gives it"),
      kind<cluster::Part>("part", "a part of a node: drover node show NODE --inventory"),
      kind<cluster::Operation>("operation",
                               "a long-running request: drover operation show -o json"),
      kind<cluster::Health>("health", "the cluster's health: drover health -o json")};
  return all;
}

const FieldKind* find_field_kind(std::string_view name) {
  const auto& all = field_kinds();
  const auto it = std::find_if(all.begin(), all.end(),
                               [&](const FieldKind& known) { return known.name == name; });
  return it == all.end() ? nullptr : &*it;
}

const FieldInfo* find_field(const FieldKind& kind, std::string_view path) {
  const auto it = std::find_if(kind.fields.begin(), kind.fields.end(),
                               [&](const FieldInfo& field) { return field.path == path; });
  return it == kind.fields.end() ? nullptr : &*it;
}

}  // namespace drover::cli
