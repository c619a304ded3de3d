// The OpenAPI 3.1 document, made from the route table and the described types.
#include "api/examples.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "base/json_values.hpp"
#include "base/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr std::string_view kAbout =
    "The HTTP contract of a Drover cluster. Made from the route table; do not edit. Every path "
    "answers OPTIONS with its methods, every GET that is not a stream also HEAD, and 405 with "
    "Allow to what it does not know.";

std::string_view privilege_text(auth::Privilege privilege) {
  switch (privilege) {
    case auth::Privilege::open:
      return "anyone";
    case auth::Privilege::self:
      return "a daemon, about itself";
    case auth::Privilege::boot:
      return "a boot daemon";
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
  if (body.array && body.name.empty()) {
    return {{"type", "array"}, {"items", json::object{{"type", "string"}}}};
  }
  if (body.name.empty()) return {{"type", "string"}};
  if (body.map) return {{"type", "object"}, {"additionalProperties", ref(body.name)}};
  if (body.array) return {{"type", "array"}, {"items", ref(body.name)}};
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

json::object content(std::string_view type, json::object schema, std::string_view example) {
  json::object entry{{"schema", std::move(schema)}};
  if (!example.empty()) {
    const auto value = parse_json(example);
    if (value) entry["example"] = *value;
  }
  return {{type, std::move(entry)}};
}

/// The example of a body: of its type, or a list of that one.
json::object content(std::string_view type, const BodyType& body) {
  std::string example(example_of(body.name));
  const bool is_json = type == "application/json" || !body.list;
  if (body.map || body.array) example.clear();
  if (!example.empty() && body.list) example = fmt::format(R"({{"items":[{}]}})", example);
  return content(type, schema_of(body), is_json ? example : std::string());
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

json::object component(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

json::value example_value(std::string_view text, bool number) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (number && error == std::errc() && end == text.data() + text.size()) return value;
  return json::string(text);
}

json::object query_parameter(const QueryParameter& query) {
  json::object schema{{"type", query.number ? "integer" : "string"}};
  if (query.number) schema["minimum"] = query.least;
  if (query.number && query.most != 0) schema["maximum"] = query.most;
  if (!query.choices.empty()) {
    schema["enum"] = json::array(query.choices.begin(), query.choices.end());
  }
  json::object out{{"name", query.name},
                   {"in", "query"},
                   {"required", false},
                   {"description", query.doc},
                   {"schema", std::move(schema)}};
  if (!query.example.empty()) out["example"] = example_value(query.example, query.number);
  return out;
}

/// Variables of paths: what they are and how they look, by the segment before them.
struct Variable {
  std::string_view after;
  std::string_view doc;
  std::string_view pattern;
  std::string_view example;
};
constexpr std::string_view kNamePattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";
constexpr std::string_view kIdPattern = "^[0-9a-f]+$";
constexpr std::array kVariables{
    Variable{"nodes", "Name of the node.", kNamePattern, "n1"},
    Variable{"groups", "Name of the group.", "", "rack1"},
    Variable{"profiles", "Name of the profile.", "", "gpu"},
    Variable{"networks", "Name of the network.", "", "boot"},
    Variable{"images", "Name of the image.", "", "rocky9"},
    Variable{"tags", "The tag.", "", "prod"},
    Variable{"tokens", "Id of the token.", kIdPattern, "3f9a0c21"},
    Variable{"operations", "Id of the operation.", kIdPattern, "0f6c2f0f9f0e4f0aa6e1d2c3b4a59687"},
    Variable{"credentials", "Id of the credential.", "", "3f9a0c21"},
    Variable{"unknown", "MAC of the machine.", "", "52:54:00:77:00:01"},
    Variable{"issuers", "Name of the issuer.", "", "campus"},
    Variable{"settings", "Key of the setting.", "", "api.rate"},
    Variable{"cloud-init", "Whose it is.", "^(node|group|profile)$", "group"},
    Variable{"steps", "Whose they are.", "^(node|group|profile)$", "group"},
    Variable{"overlays", "Whose they are.", "^(node|group|profile)$", "group"},
    Variable{"bmc-credentials", "For whom it is.", "^(default|group|bmc)$", "group"},
    Variable{"{scope}", "Name of the group, address of the BMC, or default.", "", "rack1"},
    Variable{"bmc-keys", "Address and port of the BMC.", "", "10.0.0.7:443"},
    Variable{"{kind}", "Name of the node, group or profile.", "", "rack1"},
    Variable{"secrets", "Name of the secret.", "", "munge.key"},
    Variable{"instance-info", "Name or alias (its xname) of the node.", "", "n1"},
    Variable{"impersonation", "Name or alias (its xname) of the node.", "", "n1"},
    Variable{"transitions", "Id of the transition, a UUID.", "",
             "0f6c2f0f-9f0e-4f0a-a6e1-d2c3b4a59687"},
    Variable{"power-cap", "Id of the task, a UUID.", "", "0f6c2f0f-9f0e-4f0a-a6e1-d2c3b4a59687"},
    Variable{"changes", "Sequence of the change.", "^[0-9]+$", "1042"},
};

json::object path_parameter(std::string_view path, size_t at) {
  const std::string_view name = path.substr(at + 1, path.find('}', at) - at - 1);
  const std::string_view before = path.substr(0, at - 1);
  const std::string_view after = before.substr(before.rfind('/') + 1);
  const auto* known = std::ranges::find(kVariables, after, &Variable::after);
  json::object schema{{"type", "string"}};
  json::object out{{"name", name}, {"in", "path"}, {"required", true}};
  if (known == kVariables.end()) {
    out["description"] = fmt::format("The {}.", name);
  } else {
    out["description"] = known->doc;
    if (!known->pattern.empty()) schema["pattern"] = known->pattern;
    out["example"] = known->example;
  }
  out["schema"] = std::move(schema);
  return out;
}

json::array parameters_of(const Route& route) {
  json::array out;
  for (size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    out.emplace_back(path_parameter(route.path, at));
  }
  for (const QueryParameter& query : route.query) out.emplace_back(query_parameter(query));
  if (route.condition != Condition::none) {
    out.emplace_back(component("parameters", "If-Match"));
    out.emplace_back(component("parameters", "If-None-Match"));
  } else if (route.etag && route.method == "GET") {
    out.emplace_back(component("parameters", "If-None-Match"));
  }
  for (const HeaderParameter& header : route.headers) {
    out.emplace_back(json::object{{"name", header.name},
                                  {"in", "header"},
                                  {"required", false},
                                  {"description", header.doc},
                                  {"schema", json::object{{"type", "string"}}}});
  }
  if (takes_key(route)) out.emplace_back(component("parameters", kIdempotencyHeader));
  if (route.dialect == Dialect::native) {
    out.emplace_back(component("parameters", kTimeoutHeader));
  }
  return out;
}

json::object problem_content(const std::vector<Code>& codes, int status) {
  json::array types;
  for (const Code code : codes) {
    types.emplace_back(fmt::format("urn:drover:problem:{}", info(code).name));
  }
  json::object schema{
      {"allOf",
       json::array{ref(ProblemDocument::kTypeName),
                   json::object{{"properties",
                                 json::object{{"type", json::object{{"enum", types}}},
                                              {"status", json::object{{"const", status}}}}}}}}};
  return content("application/problem+json", std::move(schema), {});
}

/// The same of a route that has SMD's manners: the status says all.
void add_plain_problems(const Route& route, json::object& responses, json::object& shared) {
  std::map<int, std::string_view> by_status;
  for (const Code code : documented_errors(route)) {
    by_status.try_emplace(info(code).http_status, info(code).title);
  }
  for (const auto& [status, title] : by_status) {
    if (status == info(Code::too_large).http_status) {
      // The server says so before anybody knows whose path it is.
      const std::string name(info(Code::too_large).name);
      shared[name] = json::object{{"description", fmt::format("{}.", title)},
                                  {"content", problem_content({Code::too_large}, status)}};
      responses[std::to_string(status)] = component("responses", name);
      continue;
    }
    const std::string name = fmt::format("plain-{}", status);
    json::object of_status{
        {"properties", json::object{{"type", json::object{{"enum", json::array{"about:blank"}}}},
                                    {"status", json::object{{"const", status}}}}}};
    json::object schema{{"allOf", json::array{ref(PlainProblem::kTypeName), std::move(of_status)}}};
    shared[name] =
        json::object{{"description", fmt::format("{}.", title)},
                     {"content", content("application/problem+json", std::move(schema), {})}};
    responses[std::to_string(status)] = component("responses", name);
  }
}

/// The route's errors by status, each as a reference to a shared response that `shared` gets.
void add_problems(const Route& route, json::object& responses, json::object& shared) {
  if (route.dialect == Dialect::smd) return add_plain_problems(route, responses, shared);
  std::map<int, std::vector<Code>> by_status;
  for (const Code code : documented_errors(route)) {
    by_status[info(code).http_status].push_back(code);
  }
  for (const auto& [status, codes] : by_status) {
    std::string name;
    std::string doc;
    for (const Code code : codes) {
      name += fmt::format("{}{}", name.empty() ? "" : "-or-", info(code).name);
      doc += fmt::format("{}{}", doc.empty() ? "" : "; or: ", info(code).title);
    }
    if (!shared.contains(name)) {
      json::object response{{"description", doc + "."},
                            {"content", problem_content(codes, status)}};
      if (status == info(Code::exhausted).http_status) {
        response["headers"] = {{"Retry-After", component("headers", "Retry-After")}};
      }
      shared[name] = std::move(response);
    }
    responses[std::to_string(status)] = component("responses", name);
  }
  if (route.unprocessable) {
    const std::string name = "unprocessable";
    shared[name] =
        json::object{{"description", "The body breaks a rule."},
                     {"content", problem_content({Code::invalid_argument}, kUnprocessable)}};
    responses[std::to_string(kUnprocessable)] = component("responses", name);
  }
  responses["default"] = component("responses", "any-problem");
}

json::object success_of(const Route& route) {
  json::object success{{"description", route.gives ? "Done." : "Done; no body."}};
  json::object headers;
  if (route.etag) headers["ETag"] = component("headers", "ETag");
  if (route.location) headers["Location"] = component("headers", "Location");
  if (!headers.empty()) success["headers"] = std::move(headers);
  if (route.gives) success["content"] = content(route.content_type, *route.gives);
  return success;
}

json::object responses_of(const Route& route, json::object& shared) {
  json::object out;
  out[std::to_string(success_status(route))] = success_of(route);
  for (const AlsoGives& also : route.also) {
    json::value& place = out[std::to_string(also.status)];
    if (!place.is_object()) place = json::object{{"description", also.doc}};
    if (also.status == 202) {
      place.as_object()["headers"] = {{"Location", component("headers", "Location")}};
    }
    if (!also.gives) continue;
    json::value& bodies = place.as_object()["content"];
    if (!bodies.is_object()) bodies = json::object{};
    for (auto& [type, body] : content(also.content_type, *also.gives)) {
      bodies.as_object()[type] = body;
    }
  }
  if (route.etag && route.method == "GET") {
    out["304"] = {{"description", "It is as If-None-Match says; no body."}};
  }
  add_problems(route, out, shared);
  return out;
}

json::object operation_of(const Route& route, json::object& shared) {
  constexpr std::string_view kPrefix = "/api/v1/";
  std::string_view tag = route.path;
  tag.remove_prefix(tag.starts_with(kPrefix) ? kPrefix.size() : 1);
  json::object operation{
      {"operationId", operation_id(route)},
      {"tags", json::array{tag.substr(0, tag.find('/'))}},
      {"summary", route.summary},
      {"description", fmt::format("Allowed for: {}.", privilege_text(route.privilege))},
      {"parameters", parameters_of(route)}};
  if (route.takes) {
    operation["requestBody"] = {{"required", true},
                                {"content", content("application/json", *route.takes)}};
  }
  operation["responses"] = responses_of(route, shared);
  if (route.privilege == auth::Privilege::open) operation["security"] = json::array{};
  return operation;
}

json::object header_parameter(std::string_view name, std::string_view doc, json::object schema,
                              std::string_view example, bool number = false) {
  return {{"name", name},
          {"in", "header"},
          {"required", false},
          {"description", doc},
          {"schema", std::move(schema)},
          {"example", example_value(example, number)}};
}

json::object shared_parameters() {
  constexpr int64_t kMostMs = kLongestTimeout / std::chrono::milliseconds(1);
  return {
      {kIdempotencyHeader,
       header_parameter(kIdempotencyHeader,
                        "The same key with the same request by the same caller gives the first "
                        "answer again, for a day.",
                        {{"type", "string"}, {"minLength", 1}, {"maxLength", kMaxIdempotencyKey}},
                        "4b1c0c9e-change-17")},
      {kTimeoutHeader,
       header_parameter(kTimeoutHeader,
                        "Milliseconds until the answer must be there; then it is 504. 30000 when "
                        "absent.",
                        {{"type", "integer"}, {"minimum", 1}, {"maximum", kMostMs}}, "5000", true)},
      {"If-Match",
       header_parameter("If-Match",
                        "The ETag of what is to be changed: 412, with who changed it and when, if "
                        "it is another by now. * means that it must be there.",
                        {{"type", "string"}}, "\"17\"")},
      {"If-None-Match",
       header_parameter("If-None-Match",
                        "Of a GET, an ETag: 304 when it is still that one. Of a change, *: 412 "
                        "when it is there already.",
                        {{"type", "string"}}, "\"17\"")}};
}

json::object shared_headers() {
  const auto header = [](std::string_view doc, std::string_view type, std::string_view example) {
    return json::object{{"description", doc},
                        {"schema", json::object{{"type", type}}},
                        {"example", example_value(example, type == "integer")}};
  };
  return {{"ETag", header("The revision, in quotes.", "string", "\"17\"")},
          {"Location", header("Where what was made is.", "string", "/api/v1/tokens/3f9a0c21")},
          {"Retry-After", header("Seconds after which it may be tried again.", "integer", "1")}};
}

json::object security_schemes() {
  return {{"mutualTls",
           json::object{{"type", "mutualTLS"},
                        {"description",
                         "A certificate of the cluster's authority: a daemon's, or a person's."}}},
          {"bearer", json::object{{"type", "http"},
                                  {"scheme", "bearer"},
                                  {"bearerFormat", "JWT"},
                                  {"description",
                                   "A token that the cluster issued, or one of a trusted OIDC "
                                   "issuer."}}}};
}

}  // namespace

std::string Router::openapi(std::string_view version) const {
  SchemaSet schemas;
  schemas.add<ProblemDocument>();
  schemas.add<PlainProblem>();
  std::vector<const Route*> sorted;
  for (const Route& route : routes_) sorted.push_back(&route);
  std::ranges::sort(sorted, [](const Route* a, const Route* b) {
    return std::tie(a->path, a->method) < std::tie(b->path, b->method);
  });
  json::object shared{
      {"any-problem",
       json::object{{"description",
                     "A problem; also what the server itself may answer: 500, 503, "
                     "504."},
                    {"content", content("application/problem+json", ref(ProblemDocument::kTypeName),
                                        example_of(ProblemDocument::kTypeName))}}}};
  json::object paths;
  for (const Route* route : sorted) {
    for (const auto& body : {route->takes, route->gives}) {
      if (body) body->add(schemas);
    }
    for (const AlsoGives& also : route->also) {
      if (also.gives) also.gives->add(schemas);
    }
    json::value& path = paths[route->path];
    if (!path.is_object()) path = json::object{};
    std::string method(route->method);
    std::ranges::transform(method, method.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    path.as_object()[method] = operation_of(*route, shared);
  }
  json::object components;
  for (const auto& [name, schema] : schemas.schemas()) {
    const auto value = parse_json(schema);
    if (value) components[name] = *value;
  }
  const json::object document{
      {"openapi", "3.1.0"},
      {"info", json::object{{"title", "Drover"}, {"version", version}, {"description", kAbout}}},
      {"servers",
       json::array{json::object{
           {"url", "https://{manager}:9443"},
           {"description",
            "A master. Each daemon serves the same on its Unix socket, where the "
            "kernel says who asks and no other proof is needed."},
           {"variables", json::object{{"manager", json::object{{"default", "localhost"}}}}}}}},
      {"security", json::array{json::object{{"mutualTls", json::array{}}},
                               json::object{{"bearer", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", std::move(components)},
                                  {"responses", std::move(shared)},
                                  {"parameters", shared_parameters()},
                                  {"headers", shared_headers()},
                                  {"securitySchemes", security_schemes()}}}};
  return to_yaml(document);
}

}  // namespace drover::api
