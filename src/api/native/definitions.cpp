#include "api/native/definitions.hpp"

#include "api/precondition.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace drover::api {

void GroupPatch::describe(Visitor& v) {
  v.field("description", description, "Free text.", Presence::patch);
  v.field("nodes", nodes, "Members of a static group, as a list of names.", Presence::patch);
  v.field("range", range, "Noderange of a dynamic group.", Presence::patch);
  v.field("profiles", profiles, "Profiles that its members take attributes from.", Presence::patch);
  v.field("attributes", attributes, "Attributes to set; null removes one.", Presence::patch);
  v.field("priority", priority, "Higher is stronger.", Presence::patch);
}

void ProfilePatch::describe(Visitor& v) {
  v.field("description", description, "Free text.", Presence::patch);
  v.field("inherits", inherits, "Profiles whose attributes it has too.", Presence::patch);
  v.field("attributes", attributes, "Attributes to set; null removes one.", Presence::patch);
}

QueryParameter dry_run_parameter() {
  return {.name = "dry_run",
          .doc = "true: say what would happen and change nothing.",
          .choices = {"true", "false"}};
}
QueryParameter why_parameter() {
  return {.name = "why", .doc = "Reason, for the change log."};
}
std::string why_of(const RequestPtr& request) {
  return std::string(request->query("why").value_or("").substr(0, store::kMaxName));
}

Error no_definition(std::string_view kind, const std::string& name) {
  return {Code::not_found,
          fmt::format("there is no {} '{}'", kind, printable(name)),
          {},
          fmt::format("drover {} list shows all of them", kind)};
}

Status must_be_new(store::Transaction& tx, std::string_view kind, const std::string& name) {
  DROVER_TRY(const auto there, tx.get(kind, name.empty() ? std::string("-") : name));
  if (!there) return {};
  return fail(Code::already_exists, fmt::format("there is a {} '{}' already", kind, name),
              fmt::format("drover {} set {} changes it", kind, name));
}

void respond_tagged(const RequestPtr& request, std::string body, uint64_t revision) {
  net::HttpResponse response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("ETag", etag_of(revision));
  response.body = std::move(body);
  response.body.push_back('\n');
  request->respond(std::move(response));
}

Result<std::string> body_with_name(const RequestPtr& request, const std::string& name) {
  const std::string& text = request->http().body;
  DROVER_TRY(json::value body, parse_json(text.empty() ? std::string_view("{}") : text));
  json::object* const object = body.if_object();
  if (object == nullptr) return fail(Code::invalid_argument, "the body: expected an object");
  const json::value* const given = object->if_contains("name");
  if (given != nullptr && (!given->is_string() || given->get_string() != name)) {
    return fail(Code::invalid_argument,
                fmt::format("name: expected '{}', as in the path", printable(name)));
  }
  (*object)["name"] = name;
  return to_text(body);
}

Result<std::string> merge_patch_of(const RequestPtr& request) {
  const std::string& text = request->http().body;
  DROVER_TRY(const json::value body, parse_json(text.empty() ? std::string_view("{}") : text));
  const json::object* const object = body.if_object();
  if (object == nullptr) return fail(Code::invalid_argument, "the body: expected an object");
  if (object->contains("name")) {
    return fail(Code::invalid_argument, "name: cannot be changed");
  }
  return text.empty() ? std::string("{}") : text;
}

}  // namespace drover::api
