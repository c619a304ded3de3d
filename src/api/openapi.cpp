// The OpenAPI 3.1 document, made from the route table and the described types.
#include "api/problem.hpp"
#include "api/router.hpp"
#include "base/json_values.hpp"
#include "base/yaml.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace drover::api {
namespace {

std::string_view privilege_text(auth::Privilege privilege) {
  switch (privilege) {
    case auth::Privilege::open:
      return "anyone";
    case auth::Privilege::self:
      return "a daemon, about itself";
    case auth::Privilege::view:
      return "viewer";
    case auth::Privilege::use:
      return "user, where the nodes' permissions allow it; operator";
    case auth::Privilege::operate:
      return "operator";
    case auth::Privilege::administer:
      return "admin";
  }
  return "";
}

json::object ref(std::string_view type) {
  return {{"$ref", fmt::format("#/components/schemas/{}", type)}};
}

json::object schema_of(const BodyType& body) {
  if (!body.list) return ref(body.name);
  return {{"type", "object"},
          {"properties",
           json::object{{"items", json::object{{"type", "array"}, {"items", ref(body.name)}}},
                        {"next_page", json::object{{"type", "string"},
                                                   {"description",
                                                    "Value of `page` for what follows; absent at "
                                                    "the end."}}}}},
          {"required", json::array{"items"}}};
}

json::object content(std::string_view type, json::object schema) {
  return {{type, json::object{{"schema", std::move(schema)}}}};
}

/// "GET /api/v1/nodes/{name}/inventory" to "getNodesNameInventory".
std::string operation_id(const Route& route) {
  constexpr std::string_view kPrefix = "/api/v1";
  std::string out;
  for (const char c : route.method) out.push_back(static_cast<char>(std::tolower(c)));
  bool capital = true;
  std::string_view path = route.path;
  if (path.starts_with(kPrefix)) path.remove_prefix(kPrefix.size());
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      capital = true;
      continue;
    }
    out.push_back(capital ? static_cast<char>(std::toupper(c)) : c);
    capital = false;
  }
  return out;
}

json::object parameter(std::string_view name, std::string_view in, std::string_view doc,
                       std::string_view type) {
  return {{"name", name},
          {"in", in},
          {"required", in == "path"},
          {"description", doc},
          {"schema", json::object{{"type", type}}}};
}

json::array parameters_of(const Route& route) {
  json::array out;
  for (size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    const size_t end = route.path.find('}', at);
    const std::string_view name = route.path.substr(at + 1, end - at - 1);
    out.emplace_back(parameter(name, "path", fmt::format("The {}.", name), "string"));
  }
  for (const QueryParameter& query : route.query) {
    out.emplace_back(
        parameter(query.name, "query", query.doc, query.number ? "integer" : "string"));
  }
  if (route.method != "GET" && route.privilege != auth::Privilege::open) {
    out.emplace_back(parameter(kIdempotencyHeader, "header",
                               "The same key with the same request gives the first answer again.",
                               "string"));
  }
  return out;
}

json::object operation_of(const Route& route) {
  json::object operation{
      {"operationId", operation_id(route)},
      {"summary", route.summary},
      {"description", fmt::format("Allowed for: {}.", privilege_text(route.privilege))}};
  if (json::array parameters = parameters_of(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (route.takes) {
    operation["requestBody"] = {{"required", true},
                                {"content", content("application/json", schema_of(*route.takes))}};
  }
  json::object success{{"description", route.gives ? "Done." : "Done; no body."}};
  if (route.gives) success["content"] = content(route.content_type, schema_of(*route.gives));
  operation["responses"] = {
      {route.gives ? std::to_string(route.status) : "204", std::move(success)},
      {"default", json::object{{"description", "A problem."},
                               {"content", content("application/problem+json",
                                                   ref(ProblemDocument::kTypeName))}}}};
  return operation;
}

}  // namespace

std::string Router::openapi(std::string_view version) const {
  SchemaSet schemas;
  schemas.add<ProblemDocument>();
  std::vector<const Route*> sorted;
  for (const Route& route : routes_) sorted.push_back(&route);
  std::ranges::sort(sorted, [](const Route* a, const Route* b) {
    return std::tie(a->path, a->method) < std::tie(b->path, b->method);
  });
  json::object paths;
  for (const Route* route : sorted) {
    for (const auto& body : {route->takes, route->gives}) {
      if (body) body->add(schemas);
    }
    json::value& path = paths[route->path];
    if (!path.is_object()) path = json::object{};
    std::string method(route->method);
    std::ranges::transform(method, method.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    path.as_object()[method] = operation_of(*route);
  }
  json::object components;
  for (const auto& [name, schema] : schemas.schemas()) {
    const auto value = parse_json(schema);
    if (value) components[name] = *value;
  }
  const json::object document{
      {"openapi", "3.1.0"},
      {"info", json::object{{"title", "Drover"},
                            {"version", version},
                            {"description",
                             "The HTTP contract of a Drover cluster. Made from the route table; "
                             "do not edit."}}},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", std::move(components)}}}};
  return to_yaml(document);
}

}  // namespace drover::api
