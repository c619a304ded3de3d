// GET /snapshot: every definition at one moment, where a boot daemon's copy of the model begins.
#include "api/native/native.hpp"
#include "api/snapshot_line.hpp"
#include "cluster/group.hpp"
#include "cluster/profile.hpp"
#include "cluster/unknown_machine.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// What boot daemons answer machines from; nothing of it is secret to those who may read.
constexpr std::array<std::string_view, 10> kKinds{
    cluster::kProfileKind,   cluster::kGroupKind,  "network",   "image",
    cluster::kNodeKind,      cluster::kDaemonKind, "boot-next", cluster::kSettingKind,
    cluster::kCloudInitKind, cluster::kUnknownKind};

// A watch that begins at the last line's revision misses nothing: what is newer in here already is
// told again and changes nothing.
void snapshot(Services& services, const RequestPtr& request) {
  auto text = std::make_shared<std::string>();
  const uint64_t from = services.store.head();
  services.store.read(
      [text](store::Transaction& tx) -> Status {
        text->clear();
        for (const std::string_view kind : kKinds) {
          DROVER_TRY(const auto objects, tx.list({.kind = std::string(kind)}));
          for (const store::Object& object : objects) {
            append_json(*text, SnapshotLine{object.kind, object.key, object.revision,
                                            RawJson{object.body}});
            *text += '\n';
          }
        }
        return {};
      },
      [text, from, request](const Status& read) {
        if (!read) return request->fail(read.error());
        append_json(*text, SnapshotLine{std::string(kSnapshotEnd), "", from});
        *text += '\n';
        net::HttpResponse response;
        response.headers.add("Content-Type", "application/jsonl");
        response.body = std::move(*text);
        request->respond(std::move(response));
      });
}

}  // namespace

void add_snapshot(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/snapshot",
              .privilege = auth::Privilege::view,
              .summary = "Give all definitions as lines, and where to watch on from.",
              .gives = body_of<SnapshotLine>(),
              .content_type = "application/jsonl",
              .handler = [&services](const RequestPtr& r) { snapshot(services, r); }});
}

}  // namespace drover::api
