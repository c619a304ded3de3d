// GET /local and GET /version: the answering daemon about itself.
#include "api/native/native.hpp"

namespace drover::api {
namespace {

struct VersionView {
  static constexpr std::string_view kTypeName = "Version";
  std::string version;
  std::string cluster;
  std::string role;
  std::string name;
  void describe(Visitor& v) {
    v.field("version", version, "Version of the software.");
    v.field("cluster", cluster, "The cluster's id.");
    v.field("role", role, "Kind of the answering daemon.");
    v.field("name", name, "Name of the answering daemon.");
  }
};

}  // namespace

void add_local(Router& router, LocalSource& local) {
  router.add({.method = "GET",
              .path = "/api/v1/local",
              .privilege = auth::Privilege::view,
              .summary = "Show the answering daemon itself.",
              .gives = body_of<LocalView>(),
              .handler = [&local](const RequestPtr& r) { r->json(200, encode(local.local())); }});
}

void add_version(Router& router, LocalSource& local) {
  router.add({.method = "GET",
              .path = "/api/v1/version",
              .privilege = auth::Privilege::open,
              .summary = "Show the version of the answering daemon.",
              .gives = body_of<VersionView>(),
              .handler = [&local](const RequestPtr& r) {
                const LocalView view = local.local();
                r->json(200, encode(VersionView{view.version, view.cluster, view.role, view.name}));
              }});
}

}  // namespace drover::api
