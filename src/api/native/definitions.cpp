#include "api/native/definitions.hpp"

#include "api/precondition.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::api {

void ListEdit::describe(Visitor& v) {
  v.field("field", field, "The list: profiles of a group, inherits of a profile.");
  v.field("how", how, "What is done with the values.", Presence::optional);
  v.field("values", values, "What is put in or taken out.", Presence::optional);
}

void RenameRequest::describe(Visitor& v) {
  v.field("to", to, "The new name.");
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

std::string RenameRequest::reason(const std::string& from) const {
  return store::with_reason(fmt::format("renamed from {} to {}", from, to), why);
}

namespace {

constexpr std::string_view kEditsDoc =
    "Edits of lists, after the rest, from what is there then: two who add to a list at the same "
    "time both find theirs in it.";

/// The part of a patch that is no merge patch.
struct Edits {
  static constexpr std::string_view kTypeName = "Edits";
  std::vector<ListEdit> edits;
  void describe(Visitor& v) { v.field("edits", edits, kEditsDoc, Presence::optional); }
};

}  // namespace

void GroupPatch::describe(Visitor& v) {
  v.field("description", description, "Free text.", Presence::patch);
  v.field("nodes", nodes, "Members of a static group, as a list of names.", Presence::patch);
  v.field("range", range, "Noderange of a dynamic group.", Presence::patch);
  v.field("profiles", profiles, "Profiles that its members take attributes from.", Presence::patch);
  v.field("attributes", attributes, "Attributes to set; null removes one.", Presence::patch);
  v.field("priority", priority, "Higher is stronger.", Presence::patch);
  v.field("edits", edits, kEditsDoc, Presence::optional);
}

void ProfilePatch::describe(Visitor& v) {
  v.field("description", description, "Free text.", Presence::patch);
  v.field("inherits", inherits, "Profiles whose attributes it has too.", Presence::patch);
  v.field("attributes", attributes, "Attributes to set; null removes one.", Presence::patch);
  v.field("edits", edits, kEditsDoc, Presence::optional);
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

Result<std::string> merge_patch_of(const RequestPtr& request, std::string_view rename) {
  const std::string& text = request->http().body;
  DROVER_TRY(const json::value body, parse_json(text.empty() ? std::string_view("{}") : text));
  const json::object* const object = body.if_object();
  if (object == nullptr) return fail(Code::invalid_argument, "the body: expected an object");
  if (object->contains("name")) {
    return fail(Code::invalid_argument, "name: cannot be changed", std::string(rename));
  }
  return text.empty() ? std::string("{}") : text;
}

Result<DefinitionPatch> patch_of(const RequestPtr& request) {
  DROVER_TRY(const std::string text, merge_patch_of(request, "POST ../rename gives another name"));
  DROVER_TRY(json::value body, parse_json(text));
  DefinitionPatch out;
  json::object* const object = body.if_object();
  const json::value* const edits = object == nullptr ? nullptr : object->if_contains("edits");
  if (edits != nullptr) {
    DROVER_TRY(Edits read, decode_text<Edits>(to_text(json::object{{"edits", *edits}})));
    if (read.edits.size() > cluster::kMaxEdits) {
      return fail(Code::invalid_argument, fmt::format("edits: {} of them, and at most {} are taken",
                                                      read.edits.size(), cluster::kMaxEdits));
    }
    out.edits = std::move(read.edits);
    object->erase("edits");
  }
  out.merge = to_text(body);
  return out;
}

std::vector<std::string>* list_called(cluster::Group& group, std::string_view field) {
  return field == "profiles" ? &group.profiles : nullptr;
}
std::vector<std::string>* list_called(cluster::Profile& profile, std::string_view field) {
  return field == "inherits" ? &profile.inherits : nullptr;
}

Error no_such_list(size_t index, const ListEdit& edit) {
  return {Code::invalid_argument,
          fmt::format("edits[{}].field: '{}' is not valid: expected profiles of a group, or "
                      "inherits of a profile",
                      index, printable(std::string_view(edit.field).substr(0, 64))),
          "", ""};
}

}  // namespace drover::api
