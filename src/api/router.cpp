#include "api/router.hpp"

#include "api/answer_shape.hpp"
#include "api/bss/bss.hpp"
#include "api/problem.hpp"
#include "api/whole_number.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::api {
namespace {

constexpr std::string_view kJson = "application/json";

/// The host without the port, which differs with every connection.
std::string address_of(const net::Peer& peer) {
  return peer.address.substr(0, peer.address.rfind(':'));
}

/// Whom a rate is counted for.
std::string rated_as(const auth::Principal& principal, const net::Peer& peer) {
  return principal.kind == auth::PrincipalKind::anonymous
             ? fmt::format("anonymous from {}", address_of(peer))
             : principal.text();
}

bool reads(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

/// Numbers of ours are sequences, sizes and times: they fit a signed 64-bit number.
constexpr uint64_t kMostNumber = std::numeric_limits<int64_t>::max();

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

/// A HEAD request might never end.
bool streams(const Route& route) {
  return route.content_type == "text/event-stream" || route.content_type == "application/jsonl";
}

bool is_variable(std::string_view segment) {
  return segment.starts_with('{');
}

using Variables = std::map<std::string, std::string, std::less<>>;

std::optional<Variables> fit(std::string_view pattern, const std::vector<std::string>& segments) {
  const auto parts = split(pattern);
  if (parts.size() != segments.size()) return std::nullopt;
  Variables variables;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (is_variable(parts[i])) {
      variables.emplace(parts[i].substr(1, parts[i].size() - 2), segments[i]);
    } else if (parts[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return variables;
}

Status check_value(const QueryParameter& parameter, std::string_view value) {
  constexpr size_t kShown = 40;
  const std::string shown = printable(value.substr(0, kShown));
  if (!parameter.choices.empty() &&
      std::ranges::find(parameter.choices, value) == parameter.choices.end()) {
    return fail(Code::invalid_argument,
                fmt::format("query parameter {}: expected {}, got '{}'", parameter.name,
                            fmt::join(parameter.choices, " or "), shown));
  }
  if (!parameter.number) return {};
  const auto number = whole_number<uint64_t>(value);
  const uint64_t most = parameter.most == 0 ? kMostNumber : parameter.most;
  if (number && *number >= parameter.least && *number <= most) return {};
  return fail(Code::invalid_argument,
              fmt::format("query parameter {}: expected a whole number from {} to {}, got '{}'",
                          parameter.name, parameter.least, most, shown));
}

/// Where a request entered the cluster: "utility/login1" when that daemon vouches for its caller,
/// else the answering daemon and the peer's address.
std::string entrance(const std::string& daemon, const auth::Principal& who,
                     const std::string& address) {
  if (who.kind == auth::PrincipalKind::local_user && !who.role.empty()) {
    return fmt::format("{}/{}", who.role, who.name);
  }
  return address.empty() ? daemon : fmt::format("{} {}", daemon, address);
}

Status check_query(const Route& route, const net::Target& target) {
  std::vector<std::string_view> known;
  for (const QueryParameter& parameter : route.query) known.push_back(parameter.name);
  for (const auto& [name, value] : target.query) {
    if (const auto it =
            std::ranges::find(route.query, std::string_view(name), &QueryParameter::name);
        it != route.query.end()) {
      DROVER_CHECK_OK(check_value(*it, value));
      continue;
    }
    const std::string_view near = nearest(name, known);
    const std::string shown = printable(std::string_view(name).substr(0, 40));
    if (!near.empty()) {
      return fail(
          Code::invalid_argument,
          fmt::format("query parameter '{}' is not known; did you mean '{}'?", shown, near));
    }
    return fail(Code::invalid_argument,
                fmt::format("query parameter '{}' is not known; {}", shown,
                            known.empty() ? "this request takes none"
                                          : fmt::format("known are {}", fmt::join(known, ", "))));
  }
  return {};
}

Result<Duration> timeout_of(const net::HttpRequest& request) {
  const auto text = request.headers.get(kTimeoutHeader);
  if (!text) return kDefaultTimeout;
  const auto most = static_cast<int64_t>(kLongestTimeout / std::chrono::milliseconds(1));
  const auto ms = whole_number<int64_t>(*text);
  if (!ms || *ms < 1 || *ms > most) {
    return fail(Code::invalid_argument,
                fmt::format("header {}: expected milliseconds from 1 to {}", kTimeoutHeader, most));
  }
  return Duration(std::chrono::milliseconds(*ms));
}

/// Of the paths whose routes have the manners of OpenCHAMI: SMD's, BSS's and power control's.
constexpr std::array<std::string_view, 9> kPlainPrefixes{
    kSmdPrefix,   bss::kPrefix, "/v1/",       "/transitions", "/power-status",
    "/power-cap", "/liveness",  "/readiness", "/health"};

bool is_smd(std::string_view target) {
  return std::ranges::any_of(kPlainPrefixes,
                             [&](std::string_view prefix) { return target.starts_with(prefix); });
}
std::string_view without_query(std::string_view target) {
  return target.substr(0, target.find('?'));
}

/// What stands between a mistyped path and an answer that helps.
Error unknown_path(const net::HttpRequest& request) {
  constexpr size_t kShown = 120;
  return {Code::not_found,
          fmt::format("there is nothing at {}",
                      printable(std::string_view(request.target).substr(0, kShown))),
          "", "GET /api/v1/openapi.yaml lists every path"};
}

}  // namespace

void Router::add(Route route) {
  if (route.dialect == Dialect::smd) return routes_.push_back(std::move(route));
  const bool reads =
      route.method == "GET" && route.gives && !route.gives->map && route.content_type == kJson;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(route.query, name, &QueryParameter::name) != route.query.end();
  };
  if (reads && route.gives->list) {
    route.pages_itself = has("limit");
    if (!has("limit")) {
      route.query.push_back({.name = "limit",
                             .doc = "Most items of a page.",
                             .number = true,
                             .least = 1,
                             .most = kMostSorted});
      route.query.push_back({.name = "page", .doc = "A next_page of this list."});
    }
    if (route.sortable && !has("sort")) {
      route.query.push_back(
          {.name = "sort", .doc = "Fields to sort by, with commas between; -FIELD: backwards."});
    }
  }
  if (reads && !has("fields")) {
    route.query.push_back(
        {.name = "fields", .doc = "Only these fields, with commas between; a.b is b inside of a."});
  }
  routes_.push_back(std::move(route));
}

Router::Match Router::match(const net::HttpRequest& request, const net::Target& target) {
  Match out;
  for (Route& route : routes_) {
    auto variables = fit(route.path, target.segments);
    if (!variables) continue;
    const bool reads = request.method == "HEAD" && route.method == "GET" && !streams(route);
    if (route.method == request.method || reads) {
      out.route = &route;
      out.variables = std::move(*variables);
      return out;
    }
    out.allowed += fmt::format("{}{}", out.allowed.empty() ? "" : ", ", route.method);
    if (route.method == "GET" && !streams(route)) out.allowed += ", HEAD";
  }
  if (!out.allowed.empty()) out.allowed += ", OPTIONS";
  return out;
}

bool Router::knows(std::string_view text) const {
  const auto target = net::Target::parse(is_smd(text) ? without_query(text) : text);
  return target && std::ranges::any_of(routes_, [&](const Route& route) {
           return fit(route.path, target->segments).has_value();
         });
}

std::string Router::undocumented(std::string_view method, std::string_view text, int status) const {
  const auto target = net::Target::parse(is_smd(text) ? without_query(text) : text);
  if (!target) return {};
  for (const Route& route : routes_) {
    if (route.method != method || !fit(route.path, target->segments)) continue;
    if (documents(route, status)) return {};
    return fmt::format("{} {} answered {}, which its route does not document (Route::errors, also)",
                       method, route.path, status);
  }
  return {};
}

Result<std::shared_ptr<const AnswerShape>> Router::shape_of(const Route& route,
                                                            net::Target& target) {
  const bool reads = route.dialect == Dialect::native && route.method == "GET" && route.gives &&
                     !route.gives->map && route.content_type == kJson;
  if (!reads) return std::shared_ptr<const AnswerShape>();
  const auto [known, fresh] = fields_.try_emplace({route.method, route.path});
  if (fresh) {
    SchemaSet schemas;
    route.gives->add(schemas);
    known->second = FieldTree::of(schemas, route.gives->name);
  }
  return AnswerShape::take(target, {route.gives->list ? route.path : std::string_view(),
                                    route.pages_itself, &known->second});
}

Status Router::check_rate(const net::HttpRequest& http, const auth::Principal& principal) {
  const bool local_admin = principal.kind == auth::PrincipalKind::local_user &&
                           principal.role == "master" &&
                           (principal.uid == 0 || principal.owns_daemon);
  if (local_admin || principal.kind == auth::PrincipalKind::daemon) return {};
  const std::string who = rated_as(principal, http.peer);
  const Duration wait = rates_.take(who, context_.executor.now());
  if (wait == Duration::zero()) return {};
  const auto limit = rates_.limit();
  return fail(Code::exhausted,
              fmt::format("{} asks too often: {} requests a second are allowed, {} at once", who,
                          limit.per_second, limit.burst),
              fmt::format("wait {} s", seconds_up(wait)));
}

Status Router::check_caller(Route& route, const RequestPtr& request) {
  const std::shared_ptr<const auth::Policy> policy = context_.policy();
  const std::string what = fmt::format("{} {}", route.method, route.path);
  const auth::Principal& who = request->principal();
  auth::Standing standing = policy->standing_of(who);
  const bool harmless =
      (route.method == "GET" && !route.secrets) || route.privilege == auth::Privilege::open ||
      route.privilege == auth::Privilege::self || route.privilege == auth::Privilege::boot;
  const bool limited = !standing.limits.empty();
  request->admit(std::move(standing), &context_.check_nodes);
  const bool open = route.open_when && route.open_when();
  DROVER_CHECK_OK(policy->authorize(who, open ? auth::Privilege::open : route.privilege, what));
  if (harmless || route.on_nodes || !limited) return {};
  return fail(
      Code::denied,
      fmt::format("{} is limited to {} and may not {}: that is not about these nodes alone",
                  printable(who.text()),
                  printable(fmt::format("{}", fmt::join(request->standing().limits, " and "))),
                  what),
      "ask for a grant or credential without a limit");
}

Status Router::check(Route& route, const RequestPtr& request, const net::Target& target) {
  DROVER_CHECK_OK(check_caller(route, request));
  const bool strict = route.dialect == Dialect::native;
  if (strict) DROVER_CHECK_OK(check_query(route, target));
  if (request->http().body.size() > route.body_limit) {
    return fail(Code::too_large, fmt::format("the body has {} bytes; {} {} takes at most {}",
                                             request->http().body.size(), route.method, route.path,
                                             route.body_limit));
  }
  const bool has_stray_body = strict && !route.takes && !request->http().body.empty();
  if (has_stray_body) {
    return fail(Code::invalid_argument,
                fmt::format("{} {} takes no body", route.method, route.path));
  }
  return {};
}

void Router::note(const Request& request, int status) {
  const net::HttpRequest& http = request.http();
  context_.log.debug("request",
                     {{"status", std::to_string(status)},
                      {"method", http.method},
                      {"target", http.target},
                      {"who", request.actor()},
                      {"from", http.peer.address},
                      {"ms", std::to_string(request.age() / std::chrono::milliseconds(1))},
                      {"trace", request.trace_id()}});
}

void Router::record(const Request& request, int status, std::string why) {
  const net::HttpRequest& http = request.http();
  const auth::Principal& principal = request.principal();
  const bool refused = status == 401 || status == 403;
  constexpr int kTooMany = 429;
  if (refused || status == kTooMany) {
    if (refusals_.take(rated_as(principal, http.peer), context_.executor.now()) !=
        Duration::zero()) {
      ++uncounted_;
      return;
    }
    if (uncounted_ > 0) {
      why += fmt::format(" (and {} refusals before that are not recorded one by one)",
                         std::exchange(uncounted_, 0));
    }
  }
  auth::AuditRecord record;
  record.time = context_.executor.wall();
  record.principal = request.actor();
  record.daemon = principal.kind == auth::PrincipalKind::local_user
                      ? fmt::format("{}/{}", principal.role, principal.name)
                      : context_.daemon;
  record.address = http.peer.address;
  record.method = http.method;
  record.target = http.target;
  record.outcome = status < 400 ? "done" : refused ? "refused" : "failed";
  record.status = static_cast<uint32_t>(status);
  record.request_id = request.trace_id();
  record.why = std::move(why);
  context_.audit(record);
}

void Router::serve(net::HttpRequest http, Result<auth::Principal> principal,
                   std::unique_ptr<Answer> answer) {
  const auto traceparent = http.headers.get("Traceparent");
  auto trace = traceparent ? trace_id_of(*traceparent) : std::nullopt;
  constexpr size_t kTraceBytes = 16;
  if (!trace) trace = context_.random.hex(kTraceBytes);

  const bool smd = is_smd(http.target);
  // Handlers of that dialect read the query themselves: it may name a parameter twice.
  auto target = net::Target::parse(smd ? without_query(http.target) : http.target);
  const auto timeout = timeout_of(http);
  Match found;
  if (target) found = match(http, *target);
  const bool forward = target && principal && found.route == nullptr && found.allowed.empty();
  if (forward && otherwise_) {
    return otherwise_(std::move(http), *principal, std::move(answer));
  }

  const Status rate = check_rate(http, principal ? *principal : auth::Principal{});
  net::Target shaped = target ? *target : net::Target{};
  Result<std::shared_ptr<const AnswerShape>> shape{};
  if (found.route != nullptr) shape = shape_of(*found.route, shaped);
  std::string via = principal ? entrance(context_.daemon, *principal, http.peer.address) : "";
  const auto request = std::make_shared<Request>(
      Request::Facts{std::move(http), std::move(shaped), std::move(found.variables),
                     principal ? *principal : auth::Principal{}, *trace, std::move(via),
                     timeout ? *timeout : kDefaultTimeout, shape ? *shape : nullptr, smd},
      context_.executor, std::move(answer),
      [this, alive = std::weak_ptr<bool>(alive_),
       on_nodes = found.route != nullptr && found.route->on_nodes,
       secrets = found.route != nullptr && found.route->secrets,
       recorded = found.route == nullptr || found.route->recorded](const Request& about, int status,
                                                                   const std::string& why) {
        if (alive.expired()) return;
        note(about, status);
        const bool refused = status == 401 || status == 403;
        const bool changes = recorded && !reads(about.http().method);
        const bool noted = refused || secrets || changes;
        if (noted && context_.audit) record(about, status, why);
        if (on_nodes && status < 300 && !about.nodes_checked()) {
          context_.log.error("a request changed nodes without asking whether it may",
                             {{"method", about.http().method}, {"target", about.http().target}});
        }
      });
  request->start();
  if (!rate) return request->fail(rate.error());
  if (!target) return request->fail(target.error());
  if (!principal) return request->fail(principal.error());
  if (found.route == nullptr && found.allowed.empty()) {
    return request->fail(unknown_path(request->http()));
  }
  if (found.route == nullptr && request->http().method == "OPTIONS") {
    net::HttpResponse response;
    response.status = 204;
    response.headers.add("Allow", found.allowed);
    return request->respond(std::move(response));
  }
  if (found.route == nullptr && smd) {
    auto response = plain_problem(405, fmt::format("allow {}", found.allowed));
    response.headers.add("Allow", found.allowed);
    return request->respond(std::move(response));
  }
  if (found.route == nullptr) {
    auto response = problem_response(405, "method-not-allowed", "Method not allowed",
                                     fmt::format("{} does not work here; allowed: {}",
                                                 printable(request->http().method), found.allowed));
    response.headers.add("Allow", found.allowed);
    return request->respond(std::move(response));
  }
  if (!timeout) return request->fail(timeout.error());
  if (const Status allowed = check(*found.route, request, *target); !allowed) {
    return request->fail(allowed.error());
  }
  if (!shape) return request->fail(shape.error());
  found.route->handler(request);
}

}  // namespace drover::api
