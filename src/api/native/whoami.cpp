// GET /whoami: the caller as this cluster sees it.
#include "api/native/native.hpp"

#include <array>

namespace drover::api {
namespace {

struct WhoamiView {
  static constexpr std::string_view kTypeName = "Whoami";
  std::string principal;
  std::string account;
  auth::Access role = auth::Access::none;
  std::string source;
  std::vector<std::string> limits;
  std::vector<std::string> groups;
  std::string credential;
  WallTime expires{};
  std::string address;
  void describe(Visitor& v) {
    v.field("principal", principal, "The caller as the change log, the audit and grants name it.");
    v.field("account", account, "Whose nodes are the caller's own; empty: nobody's.");
    v.field("role", role, "What the caller may do.");
    v.field("source", source, "Where that comes from.");
    v.field("limits", limits, "Noderanges that nodes must be in to be changed; empty: no limit.");
    v.field("groups", groups, "Groups that the caller's token names.");
    v.field("credential", credential, "Id of the credential that was shown; empty: none.");
    v.field("expires", expires, "When what was shown ends; null: nothing that ends.");
    v.field("address", address, "Whence the request came.");
  }
};

}  // namespace

void add_whoami(Router& router, Services& /*services*/) {
  router.add({.method = "GET",
              .path = "/api/v1/whoami",
              .privilege = auth::Privilege::open,
              .summary = "Show who the caller is and what it may do.",
              .gives = body_of<WhoamiView>(),
              .errors = {Code::unauthenticated},
              .handler = [](const RequestPtr& r) {
                const auth::Principal& who = r->principal();
                const auth::Standing& standing = r->standing();
                r->json(200, encode(WhoamiView{who.text(), who.account(), standing.access,
                                               standing.source, standing.limits, who.groups,
                                               who.token_id, who.expires, r->http().peer.address}));
              }});
}

}  // namespace drover::api
