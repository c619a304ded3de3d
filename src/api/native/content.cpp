// /cloud-init, /steps and /overlays: what nodes, groups and profiles give their nodes. GET of all;
// GET, PATCH (which makes it too) and DELETE of an owner's.
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"
#include "base/text.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/content/owner.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::CloudInit;
using cluster::Overlay;
using cluster::StepList;

/// What PATCH takes, for the contract; null takes a field back to its default.
struct CloudInitPatch {
  static constexpr std::string_view kTypeName = "CloudInitPatch";
  std::optional<RawJson> meta_data;
  std::optional<std::string> user_data;
  std::optional<std::string> vendor_data;
  void describe(Visitor& v) {
    v.field("meta_data", meta_data, "Keys to set; null removes one.", Presence::patch);
    v.field("user_data", user_data, "Its part of the user-data.", Presence::patch);
    v.field("vendor_data", vendor_data, "Its part of the vendor-data.", Presence::patch);
  }
};
struct StepsPatch {
  static constexpr std::string_view kTypeName = "NodeStepsPatch";
  std::optional<RawJson> steps;
  void describe(Visitor& v) {
    v.field("steps", steps, "All of its steps, in their order.", Presence::patch);
  }
};
struct OverlayPatch {
  static constexpr std::string_view kTypeName = "OverlayPatch";
  std::optional<RawJson> files;
  void describe(Visitor& v) {
    v.field("files", files, "Files to set, by path; null removes one.", Presence::patch);
  }
};

/// What differs between the three.
template <typename T>
struct Sort;
template <>
struct Sort<CloudInit> {
  using Patch = CloudInitPatch;
  static constexpr std::string_view kKind = cluster::kCloudInitKind;
  static constexpr std::string_view kView = "CloudInitView";
  static constexpr std::string_view kNext = "drover cloud-init list shows all of them";
  static const auto& all(const cluster::Model& model) { return model.cloud_inits(); }
};
template <>
struct Sort<StepList> {
  using Patch = StepsPatch;
  static constexpr std::string_view kKind = cluster::kStepsKind;
  static constexpr std::string_view kView = "NodeStepsView";
  static constexpr std::string_view kNext = "drover steps list shows all of them";
  static const auto& all(const cluster::Model& model) { return model.step_lists(); }
};
template <>
struct Sort<Overlay> {
  using Patch = OverlayPatch;
  static constexpr std::string_view kKind = cluster::kOverlayKind;
  static constexpr std::string_view kView = "OverlayView";
  static constexpr std::string_view kNext = "drover overlay list shows all of them";
  static const auto& all(const cluster::Model& model) { return model.overlays(); }
};

/// A definition with its revision.
template <typename T>
struct View {
  static constexpr std::string_view kTypeName = Sort<T>::kView;
  T value;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    value.describe(v);
    v.field("revision", revision, "For If-Match.");
  }
};

/// "group/rack1" of the path.
Result<std::string> owner_of(const RequestPtr& request) {
  DROVER_TRY(const cluster::Owner owner,
             cluster::parse_owner(
                 "the path", fmt::format("{}/{}", request->path("kind"), request->path("name"))));
  return owner.text();
}

template <typename T>
Error no_content(const std::string& owner) {
  return {Code::not_found,
          fmt::format("{} has none", printable(owner)),
          {},
          std::string(Sort<T>::kNext)};
}

template <typename T>
void list_content(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [owner, defined] : Sort<T>::all(services.model)) {
    list.add(View<T>{defined.value, defined.revision});
  }
  request->json(200, list.finish());
}

template <typename T>
void show_content(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string owner, owner_of(request));
  const auto& all = Sort<T>::all(services.model);
  const auto found = all.find(owner);
  if (found == all.end()) return request->fail(no_content<T>(owner));
  respond_tagged(request, encode(View<T>{found->second.value, found->second.revision}),
                 found->second.revision);
}

template <typename T>
Result<T> content_now(store::Transaction& tx, const std::string& owner) {
  DROVER_TRY(const auto object, tx.get(Sort<T>::kKind, owner));
  if (object) return decode_text<T>(object->body, Unknown::ignore);
  T blank;
  blank.name = owner;
  return blank;
}

template <typename T>
Status check_patched(const T& /*now*/, const T& /*changed*/) {
  return {};
}
Status check_patched(const CloudInit& now, const CloudInit& changed) {
  if (now.secrets == changed.secrets && now.secrets_changed == changed.secrets_changed) return {};
  return fail(Code::invalid_argument, "secrets: their values are set one by one",
              "drover cloud-init set group/rack1 --secret NAME");
}

template <typename T>
void patch_content(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, const std::string owner, owner_of(request));
  DROVER_OR_FAIL(request, const std::string patch, merge_patch_of(request));
  change(services, request,
         [before, owner, patch, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, Sort<T>::kKind, owner));
           DROVER_TRY(const T now, content_now<T>(tx, owner));
           DROVER_TRY(T changed, patched(now, patch));
           DROVER_CHECK_OK(check_patched(now, changed));
           tx.explain(why);
           DROVER_CHECK_OK(cluster::put_content(tx, std::move(changed)));
           DROVER_TRY(const auto object, tx.get(Sort<T>::kKind, owner));
           if (!object) return fail(Code::internal, "what was written is not there");
           DROVER_TRY(T stored, decode_text<T>(object->body, Unknown::ignore));
           return Reply{200, encode(View<T>{std::move(stored), object->revision}),
                        etag_of(object->revision)};
         });
}

template <typename T>
void remove_content(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, const std::string owner, owner_of(request));
  change(services, request,
         [before, owner, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, Sort<T>::kKind, owner));
           tx.explain(why);
           DROVER_TRY(const bool there, cluster::erase_content(tx, Sort<T>::kKind, owner));
           if (!there) return tl::unexpected<Error>(no_content<T>(owner));
           return Reply{204, "", ""};
         });
}

struct Paths {
  std::string_view all;
  std::string_view one;
};
struct Summaries {
  std::string_view list;
  std::string_view show;
  std::string_view change;
  std::string_view remove;
};

template <typename T>
void add_sort(Router& router, Services& services, const Paths& paths, const Summaries& say) {
  router.add({.method = "GET",
              .path = paths.all,
              .privilege = auth::Privilege::view,
              .summary = say.list,
              .gives = list_of<View<T>>(),
              .handler = [&services](const RequestPtr& r) { list_content<T>(services, r); }});
  router.add({.method = "GET",
              .path = paths.one,
              .privilege = auth::Privilege::view,
              .summary = say.show,
              .gives = body_of<View<T>>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_content<T>(services, r); }});
  router.add({.method = "PATCH",
              .path = paths.one,
              .privilege = auth::Privilege::administer,
              .summary = say.change,
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<typename Sort<T>::Patch>(),
              .gives = body_of<View<T>>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_content<T>(services, r); }});
  router.add({.method = "DELETE",
              .path = paths.one,
              .privilege = auth::Privilege::administer,
              .summary = say.remove,
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_content<T>(services, r); }});
}

}  // namespace

void add_content(Router& router, Services& services) {
  add_sort<CloudInit>(
      router, services, {"/api/v1/cloud-init", "/api/v1/cloud-init/{kind}/{name}"},
      {"List what cloud-init is told, by owner; of secrets their names alone.",
       "Show what an owner's nodes are told by cloud-init.",
       "Say what an owner's nodes are told by cloud-init (JSON merge patch; makes it too).",
       "Take back what an owner's nodes are told by cloud-init, secrets included."});
  add_sort<StepList>(router, services, {"/api/v1/steps", "/api/v1/steps/{kind}/{name}"},
                     {"List the steps that nodes take before they are up, by owner.",
                      "Show the steps that an owner gives its nodes.",
                      "Set the steps that an owner gives its nodes (makes them too).",
                      "Take an owner's steps away."});
  add_sort<Overlay>(router, services, {"/api/v1/overlays", "/api/v1/overlays/{kind}/{name}"},
                    {"List the files that nodes are given, by owner.",
                     "Show the files that an owner gives its nodes.",
                     "Set files that an owner gives its nodes (JSON merge patch; makes it too).",
                     "Take an owner's files away from its nodes."});
}

}  // namespace drover::api
