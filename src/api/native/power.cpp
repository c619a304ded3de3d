// POST /power: power and boot device of many nodes through their BMCs, as an operation; and what is
// kept to get into BMCs: passwords, which are never shown again, and the keys of their
// certificates.
#include "api/native/power.hpp"

#include "api/cap_operation.hpp"
#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/operation_start.hpp"
#include "api/power_operation.hpp"
#include "base/noderange.hpp"
#include "cluster/hardware/bmc_access.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct BmcCredentialView {
  static constexpr std::string_view kTypeName = "BmcCredential";
  cluster::BmcScope scope = cluster::BmcScope::everywhere;
  std::string name;
  std::string user;
  WallTime changed{};
  void describe(Visitor& v) {
    v.field("scope", scope, "For every BMC (default), those of a group's nodes, or one.");
    v.field("name", name, "The group, the BMC's address, or default.");
    v.field("user", user, "Account on the BMC.");
    v.field("changed", changed, "When it was set.");
  }
};

struct BmcPassword {
  static constexpr std::string_view kTypeName = "BmcPassword";
  std::string user;
  std::string password;
  void describe(Visitor& v) {
    v.field("user", user, "Account on the BMC.");
    v.field("password", password, "Its password; it is never shown again.");
  }
};

Result<cluster::BmcScope> scope_of(const RequestPtr& request) {
  const std::string& text = request->path("scope");
  if (const auto scope = enum_from_name<cluster::BmcScope>(text)) return *scope;
  return fail(Code::invalid_argument,
              fmt::format("the path: expected default, group or bmc, got '{}'", text));
}

void list_credentials(Services& services, const RequestPtr& request) {
  const auto all = std::make_shared<std::vector<cluster::BmcCredential>>();
  services.store.read(
      [all](store::Transaction& tx) -> Status {
        DROVER_TRY(*all, cluster::bmc_credentials(tx));
        return {};
      },
      [all, request](const Status& read) {
        if (!read) return request->fail(read.error());
        ListWriter list(all->size());
        for (const cluster::BmcCredential& one : *all) {
          list.add(BmcCredentialView{one.scope, one.name, one.user, one.changed});
        }
        request->json(200, list.finish());
      });
}

void put_credential(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::BmcScope scope, scope_of(request));
  DROVER_OR_FAIL(request, const BmcPassword given, request->body<BmcPassword>());
  if (services.secrets == nullptr) {
    return request->fail({Code::unsupported, "this master keeps no secrets", {}, {}});
  }
  if (given.password.size() > cluster::kMaxBmcPassword) {
    return request->fail({Code::invalid_argument,
                          fmt::format("password: expected at most {} bytes, got {}",
                                      cluster::kMaxBmcPassword, given.password.size()),
                          {},
                          {}});
  }
  const std::string& name = request->path("name");
  DROVER_OR_FAIL(request, const std::string sealed,
                 services.secrets->seal(given.password, cluster::bmc_credential_key(scope, name),
                                        services.random));
  mutate(services, request,
         [credential = cluster::BmcCredential{scope, name, given.user, sealed, {}}](
             store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(cluster::set_bmc_credential(tx, credential));
           return Reply{204, "", ""};
         });
}

void remove_credential(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::BmcScope scope, scope_of(request));
  mutate(services, request,
         [scope, name = request->path("name")](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(cluster::unset_bmc_credential(tx, scope, name));
           return Reply{204, "", ""};
         });
}

void forget_key(Services& services, const RequestPtr& request) {
  mutate(services, request, [at = request->path("bmc")](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(cluster::forget_bmc_key(tx, at));
    return Reply{204, "", ""};
  });
}

/// The nodes of a range that the caller may change; an answer has been given when there are none.
std::optional<std::vector<std::string>> nodes_in(Services& services, const RequestPtr& request,
                                                 const std::string& range) {
  auto nodes = evaluate(range, cluster::ModelNames(services.model));
  if (nodes && nodes->empty()) {
    nodes = fail(Code::invalid_argument, fmt::format("nodes: '{}' names no node", range));
  }
  const Status may = nodes ? request->authorize_nodes(*nodes) : tl::unexpected(nodes.error());
  if (may) return *std::move(nodes);
  request->fail(may.error());
  return std::nullopt;
}

void start(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::PowerRequest asked,
                 request->body<cluster::PowerRequest>());
  if (const Status good = check(asked); !good) return request->fail(good.error());
  if (const Status good = store::check_why(asked.why); !good) return request->fail(good.error());
  if (asked.force && request->standing().access < auth::Access::operator_) {
    return request->fail(
        {Code::denied, "force: only who may lock nodes passes locks over", {}, {}});
  }
  DROVER_OR_FAIL(request, const std::string key, request->idempotency_key());
  const auto nodes = nodes_in(services, request, asked.nodes);
  if (!nodes) return;
  for (const auto& [group, limit] : asked.group_limits) {
    if (services.model.members(group) != nullptr) continue;
    return request->fail({Code::not_found,
                          fmt::format("group_limits: there is no group '{}'", group),
                          {},
                          "drover group list shows all of them"});
  }
  start_operation(
      services, request,
      power_operation(power_order(asked), *nodes, operation_id(services, *request, "power", key),
                      request->actor(), services.operations->master()),
      asked.why);
}

void cap(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::CapRequest asked, request->body<cluster::CapRequest>());
  if (const Status good = check(asked); !good) return request->fail(good.error());
  if (const Status good = store::check_why(asked.why); !good) return request->fail(good.error());
  if (!asked.left_out.empty()) {
    return request->fail({Code::invalid_argument, "left_out: it is only told", {}, {}});
  }
  DROVER_OR_FAIL(request, const std::string key, request->idempotency_key());
  const auto nodes = nodes_in(services, request, asked.nodes);
  if (!nodes) return;
  start_operation(services, request,
                  cap_operation(asked, *nodes, operation_id(services, *request, kCapOperation, key),
                                request->actor(), services.operations->master()),
                  asked.why);
}

}  // namespace

void add_power(Router& router, Services& services) {
  router.add(
      {.method = "POST",
       .path = "/api/v1/power",
       .privilege = auth::Privilege::use,
       .summary = "Look at or change the power of nodes, or their boot device, by their BMCs.",
       .takes = body_of<cluster::PowerRequest>(),
       .gives = body_of<cluster::Operation>(),
       .status = 202,
       .on_nodes = true,
       .errors = {Code::not_found},
       .location = true,
       .handler = [&services](const RequestPtr& r) { start(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/power-caps",
              .privilege = auth::Privilege::use,
              .summary = "Look at or set the limits of nodes' power, by their BMCs.",
              .takes = body_of<cluster::CapRequest>(),
              .gives = body_of<cluster::Operation>(),
              .status = 202,
              .on_nodes = true,
              .errors = {Code::not_found},
              .location = true,
              .handler = [&services](const RequestPtr& r) { cap(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/bmc-credentials",
              .privilege = auth::Privilege::administer,
              .summary = "List for which BMCs passwords are kept, without them.",
              .gives = list_of<BmcCredentialView>(),
              .handler = [&services](const RequestPtr& r) { list_credentials(services, r); }});
  constexpr std::string_view kOne = "/api/v1/bmc-credentials/{scope}/{name}";
  router.add({.method = "PUT",
              .path = kOne,
              .privilege = auth::Privilege::administer,
              .summary = "Keep the password of a BMC, of those of a group, or of all others.",
              .takes = body_of<BmcPassword>(),
              .errors = {Code::not_found},
              .takes_key = false,  // a digest of the body would be kept
              .handler = [&services](const RequestPtr& r) { put_credential(services, r); }});
  router.add({.method = "DELETE",
              .path = kOne,
              .privilege = auth::Privilege::administer,
              .summary = "Forget a BMC's password.",
              .handler = [&services](const RequestPtr& r) { remove_credential(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/bmc-keys/{bmc}",
              .privilege = auth::Privilege::administer,
              .summary = "Forget the certificate of a BMC that was replaced, ADDRESS:PORT.",
              .handler = [&services](const RequestPtr& r) { forget_key(services, r); }});
}

}  // namespace drover::api
