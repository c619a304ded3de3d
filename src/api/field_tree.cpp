#include "api/field_tree.hpp"

#include "api/json_scan.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kDeepest = 8;  // no type of ours nests deeper
constexpr size_t kShown = 60;   // of a name that is not known

std::string_view first_of(std::string_view path) {
  return path.substr(0, path.find('.'));
}
std::string_view rest_of(std::string_view path) {
  const size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
}

FieldTree tree_of(const SchemaSet& schemas, const json::value& schema, size_t depth);

FieldTree tree_of_type(const SchemaSet& schemas, std::string_view name, size_t depth) {
  const auto it = schemas.schemas().find(std::string(name));
  if (it == schemas.schemas().end() || depth > kDeepest) return {};
  const auto schema = parse_json(it->second);
  return schema ? tree_of(schemas, *schema, depth) : FieldTree();
}

FieldTree tree_of(const SchemaSet& schemas, const json::value& schema, size_t depth) {
  FieldTree out;
  const json::object* object = schema.if_object();
  if (object == nullptr) return out;
  if (const auto* ref = object->if_contains("$ref"); ref != nullptr && ref->is_string()) {
    const std::string_view text(ref->get_string());
    return tree_of_type(schemas, text.substr(text.rfind('/') + 1), depth + 1);
  }
  if (const auto* one = object->if_contains("oneOf"); one != nullptr && one->is_array()) {
    return one->get_array().empty() ? out : tree_of(schemas, one->get_array().front(), depth + 1);
  }
  if (const auto* items = object->if_contains("items")) return tree_of(schemas, *items, depth + 1);
  const auto* additional = object->if_contains("additionalProperties");
  const json::object* values = additional == nullptr ? nullptr : additional->if_object();
  out.any = !object->contains("type") || values != nullptr;
  out.plain = values != nullptr && !tree_of(schemas, *additional, depth + 1).any &&
              !values->contains("$ref");
  if (const auto* fields = object->if_contains("properties");
      fields != nullptr && fields->is_object()) {
    for (const auto& field : fields->get_object()) {
      out.children.emplace(field.key(), tree_of(schemas, field.value(), depth + 1));
    }
  }
  return out;
}

/// The value whose name is `path` or begins it, and what is left of the path in that value. Names
/// of maps may have dots.
std::string_view map_value(std::string_view json, std::string_view path, std::string_view& rest) {
  JsonScan scan(json);
  if (!scan.take('{')) return {};
  while (!scan.at_end() && scan.peek() != '}') {
    const std::string_view name = scan.key();
    const std::string_view value = scan.value();
    const bool fits =
        path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '.');
    if (fits) {
      rest = path.size() == name.size() ? std::string_view() : path.substr(name.size() + 1);
      return value;
    }
    scan.take(',');
  }
  return {};
}

}  // namespace

FieldTree FieldTree::of(const SchemaSet& schemas, std::string_view name) {
  return tree_of_type(schemas, name, 0);
}

std::string FieldTree::names() const {
  std::string out;
  for (const auto& [name, child] : children) {
    out.append(out.empty() ? "" : ", ").append(name);
  }
  return out;
}

Status check_field(const FieldTree& known, std::string_view parameter, std::string_view path) {
  if (path.ends_with('.')) {
    return fail(Code::invalid_argument, fmt::format("query parameter {}: '{}' ends with a dot",
                                                    parameter, printable(path.substr(0, kShown))));
  }
  const FieldTree* at = &known;
  std::string_view left = path;
  std::string where;
  do {
    if (at->any) return {};
    const std::string_view name = first_of(left);
    const auto child = at->children.find(name);
    if (child == at->children.end()) {
      std::vector<std::string_view> names;
      for (const auto& [known_name, ignored] : at->children) names.push_back(known_name);
      const std::string_view near = nearest(name, names);
      const std::string shown = printable(path.substr(0, kShown));
      const std::string inside = where.empty() ? std::string() : fmt::format(" of {}", where);
      if (names.empty()) {
        return fail(Code::invalid_argument,
                    fmt::format("query parameter {}: '{}' is not known: {} has no fields",
                                parameter, shown, where.empty() ? "this" : where));
      }
      return fail(
          Code::invalid_argument,
          fmt::format("query parameter {}: '{}' is not known{}; the fields{} are {}", parameter,
                      shown, near.empty() ? "" : fmt::format(", did you mean '{}'?", near), inside,
                      at->names()));
    }
    where.append(where.empty() ? "" : ".").append(name);
    at = &child->second;
    left = rest_of(left);
  } while (!left.empty());
  return {};
}

Result<FieldChoice> FieldChoice::parse(std::string_view text, const FieldTree& known) {
  constexpr size_t kMost = 100;
  FieldChoice out;
  size_t count = 0;
  while (!text.empty()) {
    const std::string_view path = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), path.size() + 1));
    if (++count > kMost) {
      return fail(Code::invalid_argument,
                  fmt::format("query parameter fields: more than {} names", kMost));
    }
    DROVER_CHECK_OK(check_field(known, "fields", path));
    Branch* branch = &out.root_;
    bool whole = false;  // an ancestor was asked for as a whole
    const FieldTree* type = &known;
    for (std::string_view left = path; !left.empty() && !whole;) {
      const bool last = type != nullptr && type->plain;
      const std::string_view name = last ? left : first_of(left);
      left = last ? std::string_view() : rest_of(left);
      const auto [it, fresh] = branch->children.try_emplace(std::string(name));
      branch = &it->second;
      whole = !fresh && branch->children.empty();
      const auto child = type == nullptr ? known.children.end() : type->children.find(name);
      type = type == nullptr || child == type->children.end() ? nullptr : &child->second;
    }
    branch->children.clear();
  }
  if (count == 0) {
    return fail(Code::invalid_argument,
                "query parameter fields: is empty; the fields are " + known.names());
  }
  return out;
}

void FieldChoice::append(std::string& out, std::string_view json) const {
  append(out, json, root_);
}

void FieldChoice::append(std::string& out, std::string_view json, const Branch& branch) {
  JsonScan scan(json);
  if (branch.children.empty() || (scan.peek() != '{' && scan.peek() != '[')) {
    out.append(json);
    return;
  }
  const bool is_list = scan.take('[');
  if (!is_list) scan.take('{');
  out.push_back(is_list ? '[' : '{');
  bool first = true;
  while (!scan.at_end() && scan.peek() != (is_list ? ']' : '}')) {
    const std::string_view name = is_list ? std::string_view() : scan.key();
    const std::string_view value = scan.value();
    const bool more = scan.take(',');
    const auto child = is_list ? branch.children.end() : branch.children.find(name);
    if (is_list || child != branch.children.end()) {
      if (!first) out.push_back(',');
      first = false;
      if (!is_list) out.append("\"").append(name).append("\":");
      append(out, value, is_list ? branch : child->second);
    }
    if (!more) break;
  }
  out.push_back(is_list ? ']' : '}');
}

std::string_view value_at(std::string_view json, std::string_view path) {
  while (!path.empty()) {
    std::string_view rest;
    json = map_value(json, path, rest);
    if (json.empty()) return "null";
    path = rest;
  }
  return json;
}

}  // namespace drover::api
