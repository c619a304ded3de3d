// SMD's /service: whether it works, and the values of its enumerations. Open to anyone.
#include "api/smd/component_forms.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "cluster/bmc/smd_state.hpp"
#include "cluster/xname.hpp"

#include <array>
#include <span>

namespace drover::api::smd {
namespace {

struct ValueList {
  std::string_view path;  ///< /service/values/{path}
  std::string_view name;
  std::span<const std::string_view> words;
};

std::span<const ValueList> value_lists() {
  static const std::array kLists{
      ValueList{"arch", "Arch", archs()},
      ValueList{"class", "Class", classes()},
      ValueList{"flag", "Flag", enum_names(cluster::SmdFlag{})},
      ValueList{"nettype", "NetType", net_types()},
      ValueList{"role", "Role", roles()},
      ValueList{"subrole", "SubRole", sub_roles()},
      ValueList{"state", "State", enum_names(cluster::SmdState{})},
      ValueList{"type", "Type", enum_names(cluster::XnameType{})},
  };
  return kLists;
}

void append_list(std::string& out, const ValueList& list) {
  append_quoted(out, list.name);
  out += ":[";
  for (const std::string_view word : list.words) {
    if (out.back() != '[') out += ',';
    append_quoted(out, word);
  }
  out += ']';
}

void all_values(const RequestPtr& request) {
  std::string out = "{";
  for (const ValueList& list : value_lists()) {
    if (out.size() > 1) out += ',';
    append_list(out, list);
  }
  request->json(200, out + "}");
}

void some_values(const RequestPtr& request) {
  const std::string wanted = lower(request->path("list"));
  for (const ValueList& list : value_lists()) {
    if (list.path != wanted) continue;
    std::string out = "{";
    append_list(out, list);
    return request->json(200, out + "}");
  }
  request->fail(missing("no such list of values"));
}

}  // namespace

void add_service(Router& router, Services& services) {
  (void)services;
  router.add({.method = "GET",
              .path = "/hsm/v2/service/ready",
              .privilege = auth::Privilege::open,
              .summary = "SMD: whether it answers.",
              .gives = body_of<Outcome>(),
              .handler = [](const RequestPtr& r) { r->json(200, done_text("HSM is healthy")); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/service/liveness",
              .privilege = auth::Privilege::open,
              .summary = "SMD: whether it lives.",
              .handler =
                  [](const RequestPtr& r) {
                    net::HttpResponse response;
                    response.status = 204;
                    r->respond(std::move(response));
                  },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/service/values",
              .privilege = auth::Privilege::open,
              .summary = "SMD: the values of all its enumerations.",
              .gives = body_of<ServiceValues>(),
              .handler = [](const RequestPtr& r) { all_values(r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/service/values/{list}",
              .privilege = auth::Privilege::open,
              .summary = "SMD: the values of one enumeration: arch, class, flag, nettype, role, "
                         "subrole, state or type.",
              .gives = body_of<ServiceValues>(),
              .errors = {Code::not_found},
              .handler = [](const RequestPtr& r) { some_values(r); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::smd
