// POST /join: a new daemon shows its token and gets its certificate and its place.
#include "api/native/listens.hpp"
#include "api/native/native.hpp"
#include "api/rate_limit.hpp"
#include "base/text.hpp"
#include "cluster/mutations.hpp"
#include "cluster/names.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct JoinBody {
  static constexpr std::string_view kTypeName = "JoinRequest";
  std::string token;
  std::string csr_pem;
  std::string role;
  std::string name;
  std::vector<std::string> listens;
  RawJson host;
  void describe(Visitor& v) {
    v.field("token", token, "The token's text.");
    v.field("csr_pem", csr_pem, "Signing request (PKCS #10, PEM) of the daemon's key.");
    v.field("role", role, "Kind of daemon.");
    v.field("name", name, "Name that it shall have.");
    v.field("listens", listens, "Where others of the tree will dial it.", Presence::optional);
    v.field("host", host, "Facts about the host; kept in logs alone.", Presence::optional);
  }
};

struct JoinAnswer {
  static constexpr std::string_view kTypeName = "JoinAnswer";
  std::string certificate_pem;
  std::string ca_pem;
  std::string cluster;
  std::string name;
  std::vector<std::string> masters;
  std::vector<std::string> aggregators;
  void describe(Visitor& v) {
    v.field("certificate_pem", certificate_pem, "Certificate of the daemon.");
    v.field("ca_pem", ca_pem, "Certificate of the cluster's authority.");
    v.field("cluster", cluster, "The cluster's id.");
    v.field("name", name, "Name of the daemon.");
    v.field("masters", masters, "Where masters listen for the tree.");
    v.field("aggregators", aggregators, "Where aggregators listen for the tree.");
  }
};

/// Stored if and only if the daemon is let in: the daemon, and its node when it has one.
store::Mutation also_stored(const cluster::Daemon& daemon, std::string fresh_id) {
  return [daemon, fresh_id = std::move(fresh_id)](store::Transaction& tx) -> Status {
    cluster::Daemon noted = daemon;
    noted.enrolled = from_unix_ms(tx.time_ms());
    tx.explain("joined with a token");
    return cluster::note_daemon(tx, noted, fresh_id);
  };
}

/// Every try costs a write to the store and a signature check, whoever asks: so much of one host.
/// A rack that joins behind one address needs no more.
constexpr RateLimit kJoinRate{.per_second = 20, .burst = 200};

/// The address without its port.
std::string_view host_of(std::string_view address) {
  return address.substr(0, address.rfind(':'));
}

Status check_rate(RateLimiter& limiter, const Services& services, const Request& request) {
  const std::string_view host = host_of(request.http().peer.address);
  const Duration wait = limiter.take(host, services.executor.now());
  if (wait == Duration::zero()) return {};
  return fail(Code::exhausted,
              fmt::format("{} tries to join too often: {} tries a second are allowed, {} at once",
                          printable(host), kJoinRate.per_second, kJoinRate.burst),
              fmt::format("wait {} s, then join again with the same token", seconds_up(wait)));
}

void join(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, JoinBody body, request->body<JoinBody>());
  if (const Status good = cluster::check_node_name(body.name); !good) {
    return request->fail(good.error());
  }
  constexpr size_t kIdBytes = 16;
  auth::JoinRequest join;
  join.also = also_stored({body.role, body.name, {}, body.listens}, services.random.hex(kIdBytes));
  join.token = std::move(body.token);
  join.csr_pem = std::move(body.csr_pem);
  join.role = std::move(body.role);
  join.name = std::move(body.name);
  services.enrolment.redeem(
      std::move(join), [&services, request](Result<auth::Admission> admission) {
        if (!admission) return request->fail(admission.error());
        request->json(
            200, encode(JoinAnswer{std::move(admission->certificate_pem),
                                   std::move(admission->ca_pem), std::move(admission->cluster),
                                   std::move(admission->name), listens_of(services.model, "master"),
                                   listens_of(services.model, "aggregator")}));
      });
}

}  // namespace

void add_join(Router& router, Services& services) {
  const auto limiter = std::make_shared<RateLimiter>();
  limiter->set(kJoinRate);
  router.add({.method = "POST",
              .path = "/api/v1/join",
              .privilege = auth::Privilege::open,
              .summary = "Let a new daemon in; the token is its permission.",
              .takes = body_of<JoinBody>(),
              .gives = body_of<JoinAnswer>(),
              .errors = {Code::unauthenticated, Code::denied, Code::conflict},
              .handler = [&services, limiter](const RequestPtr& r) {
                if (const Status rate = check_rate(*limiter, services, *r); !rate) {
                  return r->fail(rate.error());
                }
                join(services, r);
              }});
}

}  // namespace drover::api
