// GET /settings, GET, PUT, DELETE /settings/{key}: cluster settings, live everywhere within a
// second.
#include "cluster/settings.hpp"

#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct SettingView {
  static constexpr std::string_view kTypeName = "SettingView";
  std::string key;
  std::string value;
  std::string standard;
  std::string origin;
  std::string type;
  std::string help;
  std::string applies;
  bool live = true;
  std::vector<std::string> choices;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    v.field("key", key, "Names the setting.");
    v.field("value", value, "What is in force.");
    v.field("default", standard, "What is in force when it is not set.");
    v.field("origin", origin, "Where the value comes from: default or cluster.");
    v.field("type", type, "Form of the value: text, integer, boolean, duration, choice, list.");
    v.field("help", help, "What it does.");
    v.field("applies", applies, "Who acts on it.");
    v.field("live", live, "Whether a change takes effect at once, or at the next start.");
    v.field("choices", choices, "The values that a choice may have.");
    v.field("revision", revision, "Change that set it; 0 when it is not set.");
  }
};

struct SettingPut {
  static constexpr std::string_view kTypeName = "SettingRequest";
  std::string value;
  std::string why;
  void describe(Visitor& v) {
    v.field("value", value, "What to set it to, as text.");
    v.field("why", why, "Reason, for the change log.", Presence::optional);
  }
};

struct SettingsPatch {
  static constexpr std::string_view kTypeName = "SettingsPatch";
  std::map<std::string, std::string> set;
  std::vector<std::string> unset;
  std::string why;
  void describe(Visitor& v) {
    v.field("set", set, "Values by key, as texts.", Presence::optional);
    v.field("unset", unset, "Keys that go back to their defaults.", Presence::optional);
    v.field("why", why, "Reason, for the change log.", Presence::optional);
  }
};

SettingView view_of(const cluster::SettingRow& row, const cluster::Settings& settings,
                    uint64_t revision) {
  SettingView view;
  const ConfigOption& option = row.option;
  view.key = option.key;
  view.value = settings.text(option.key);
  view.standard = option.standard;
  view.origin = settings.is_set(option.key) ? "cluster" : "default";
  view.type = std::string(name(option.type));
  view.help = option.help;
  view.applies = row.applies;
  view.live = row.live;
  view.choices = option.choices;
  view.revision = revision;
  return view;
}

Result<const cluster::SettingRow*> row_of(const std::string& key) {
  const cluster::SettingRow* row = cluster::find_setting(key);
  if (row != nullptr) return row;
  return tl::unexpected<Error>(cluster::check_setting(key, {}).error());
}

void list_settings(Services& services, const RequestPtr& request) {
  ListWriter list;
  const cluster::SettingBook& book = services.model.setting_book();
  for (const cluster::SettingRow& row : cluster::setting_catalogue()) {
    list.add(view_of(row, book.settings(), book.revision(row.option.key)));
  }
  request->json(200, list.finish());
}

void show_setting(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::SettingRow* row, row_of(request->path("key")));
  const cluster::SettingBook& book = services.model.setting_book();
  const uint64_t revision = book.revision(row->option.key);
  net::HttpResponse response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("ETag", etag_of(revision));
  response.body = encode(view_of(*row, book.settings(), revision)) + "\n";
  request->respond(std::move(response));
}

void put_setting(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::SettingRow* row, row_of(request->path("key")));
  DROVER_OR_FAIL(request, const SettingPut asked, change_body<SettingPut>(request));
  DROVER_OR_FAIL(request, const Precondition wanted, precondition_of(request->http()));
  change(services, request, [row, asked, wanted](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(wanted.check(tx, cluster::kSettingKind, row->option.key));
    tx.explain(asked.why);
    DROVER_CHECK_OK(cluster::set_setting(tx, row->option.key, asked.value));
    DROVER_TRY(const cluster::Settings settings, cluster::read_settings(tx));
    DROVER_CHECK_OK(cluster::check_together(settings));
    DROVER_TRY(const auto object, tx.get(cluster::kSettingKind, row->option.key));
    return Reply{200, encode(view_of(*row, settings, object->revision)), etag_of(object->revision)};
  });
}

void delete_setting(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const cluster::SettingRow* row, row_of(request->path("key")));
  DROVER_OR_FAIL(request, const Precondition wanted, precondition_of(request->http()));
  change(services, request,
         [row, wanted, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(wanted.check(tx, cluster::kSettingKind, row->option.key));
           tx.explain(why);
           DROVER_TRY([[maybe_unused]] const bool was, cluster::unset_setting(tx, row->option.key));
           DROVER_TRY(const cluster::Settings settings, cluster::read_settings(tx));
           DROVER_CHECK_OK(cluster::check_together(settings));
           return Reply{204, "", ""};
         });
}

/// All or nothing, so that settings that only fit together can be changed together.
void patch_settings(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const SettingsPatch asked, change_body<SettingsPatch>(request));
  for (const std::string& key : asked.unset) {
    DROVER_OR_FAIL(request, [[maybe_unused]] const cluster::SettingRow* row, row_of(key));
  }
  change(services, request, [asked](store::Transaction& tx) -> Result<Reply> {
    tx.explain(asked.why);
    for (const std::string& key : asked.unset) {
      DROVER_TRY([[maybe_unused]] const bool was, cluster::unset_setting(tx, key));
    }
    for (const auto& [key, value] : asked.set) {
      DROVER_CHECK_OK(cluster::set_setting(tx, key, value));
    }
    DROVER_TRY(const cluster::Settings settings, cluster::read_settings(tx));
    DROVER_CHECK_OK(cluster::check_together(settings));
    ListWriter list;
    for (const cluster::SettingRow& row : cluster::setting_catalogue()) {
      DROVER_TRY(const auto object, tx.get(cluster::kSettingKind, row.option.key));
      list.add(view_of(row, settings, object ? object->revision : 0));
    }
    return Reply{200, list.finish(), ""};
  });
}

}  // namespace

void add_settings(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/settings",
              .privilege = auth::Privilege::view,
              .summary = "List the cluster's settings, those at their defaults too.",
              .gives = list_of<SettingView>(),
              .handler = [&services](const RequestPtr& r) { list_settings(services, r); }});
  router.add({.method = "PATCH",
              .path = "/api/v1/settings",
              .privilege = auth::Privilege::administer,
              .summary = "Set and unset several settings, all or none.",
              .query = {dry_run_parameter()},
              .takes = body_of<SettingsPatch>(),
              .gives = list_of<SettingView>(),
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { patch_settings(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/settings/{key}",
              .privilege = auth::Privilege::view,
              .summary = "Show one setting.",
              .gives = body_of<SettingView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_setting(services, r); }});
  router.add({.method = "PUT",
              .path = "/api/v1/settings/{key}",
              .privilege = auth::Privilege::administer,
              .summary = "Set one setting.",
              .query = {dry_run_parameter()},
              .takes = body_of<SettingPut>(),
              .gives = body_of<SettingView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { put_setting(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/settings/{key}",
              .privilege = auth::Privilege::administer,
              .summary = "Take one setting back to its default.",
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { delete_setting(services, r); }});
}

}  // namespace drover::api
