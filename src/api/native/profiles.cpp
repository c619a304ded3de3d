// GET and POST /profiles; GET, PUT, PATCH and DELETE /profiles/{name}.
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"
#include "cluster/definition_writer.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct ProfileView {
  static constexpr std::string_view kTypeName = "ProfileView";
  cluster::Profile profile;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    profile.describe(v);
    v.field("revision", revision, "For If-Match.");
  }
};

void list_profiles(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, defined] : services.model.profiles()) {
    list.add(ProfileView{defined.value, defined.revision});
  }
  request->json(200, list.finish());
}

void show_profile(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  const auto found = services.model.profiles().find(name);
  if (found == services.model.profiles().end()) {
    return request->fail(no_definition("profile", name));
  }
  const auto& defined = found->second;
  respond_tagged(request, encode(ProfileView{defined.value, defined.revision}), defined.revision);
}

Result<Reply> write_profile(store::Transaction& tx, cluster::DefinitionWriter& writer,
                            const cluster::Profile& profile, int status) {
  DROVER_CHECK_OK(writer.put_profile(profile));
  DROVER_CHECK_OK(writer.finish());
  DROVER_TRY(const auto object, tx.get(cluster::kProfileKind, profile.name));
  if (!object) return fail(Code::internal, "the profile that was written is not there");
  DROVER_TRY(const auto stored, decode_text<cluster::Profile>(object->body, Unknown::ignore));
  Reply reply{status, encode(ProfileView{stored, object->revision}), etag_of(object->revision)};
  if (status == 201) reply.location = "/api/v1/profiles/" + profile.name;
  return reply;
}

void create_profile(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, cluster::Profile profile, request->body<cluster::Profile>());
  change(services, request,
         [profile = std::move(profile),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(must_be_new(tx, cluster::kProfileKind, profile.name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           return write_profile(tx, writer, profile, 201);
         });
}

void put_profile(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, required_precondition_of(request->http()));
  DROVER_OR_FAIL(request, cluster::Profile profile,
                 named_body<cluster::Profile>(request, request->path("name")));
  change(services, request,
         [before, profile = std::move(profile),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kProfileKind, profile.name));
           DROVER_TRY(const auto there, tx.get(cluster::kProfileKind, profile.name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           return write_profile(tx, writer, profile, there ? 200 : 201);
         });
}

void patch_profile(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, DefinitionPatch patch, patch_of(request));
  change(services, request,
         [before, name = request->path("name"), patch = std::move(patch),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kProfileKind, name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Profile profile, writer.profile(name));
           DROVER_TRY(const cluster::Profile changed, patched(profile, patch));
           tx.explain(why);
           return write_profile(tx, writer, changed, 200);
         });
}

void rename_profile(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, RenameRequest asked, change_body<RenameRequest>(request));
  change(services, request,
         [before, name = request->path("name"),
          asked = std::move(asked)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kProfileKind, name));
           tx.explain(asked.reason(name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Profile profile, writer.rename_profile(name, asked.to));
           DROVER_TRY(Reply reply, write_profile(tx, writer, profile, 200));
           reply.location = "/api/v1/profiles/" + profile.name;
           return reply;
         });
}

void remove_profile(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  change(services, request,
         [before, name = request->path("name"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kProfileKind, name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           DROVER_CHECK_OK(writer.remove_profile(name));
           DROVER_CHECK_OK(writer.finish());
           return Reply{204, "", ""};
         });
}

}  // namespace

void add_profiles(Router& router, Services& services) {
  const std::string_view one = "/api/v1/profiles/{name}";
  router.add({.method = "GET",
              .path = "/api/v1/profiles",
              .privilege = auth::Privilege::view,
              .summary = "List profiles.",
              .gives = list_of<ProfileView>(),
              .handler = [&services](const RequestPtr& r) { list_profiles(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/profiles",
              .privilege = auth::Privilege::operate,
              .summary = "Make a profile.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Profile>(),
              .gives = body_of<ProfileView>(),
              .status = 201,
              .errors = {Code::already_exists},
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { create_profile(services, r); }});
  router.add({.method = "GET",
              .path = one,
              .privilege = auth::Privilege::view,
              .summary = "Show a profile.",
              .gives = body_of<ProfileView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_profile(services, r); }});
  router.add({.method = "PUT",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Make a profile what the body says, or create it.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Profile>(),
              .gives = body_of<ProfileView>(),
              .condition = Condition::required,
              .etag = true,
              .also = {{201, body_of<ProfileView>(), "application/json", "It was made."}},
              .handler = [&services](const RequestPtr& r) { put_profile(services, r); }});
  router.add({.method = "PATCH",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Change fields of a profile (JSON merge patch).",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<ProfilePatch>(),
              .gives = body_of<ProfileView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_profile(services, r); }});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Remove a profile that nothing takes.",
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_profile(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/profiles/{name}/rename",
              .privilege = auth::Privilege::operate,
              .summary = "Give a profile another name, wherever it is taken.",
              .query = {dry_run_parameter()},
              .takes = body_of<RenameRequest>(),
              .gives = body_of<ProfileView>(),
              .errors = {Code::already_exists},
              .condition = Condition::taken,
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { rename_profile(services, r); }});
}

}  // namespace drover::api
