#include "boot/io/http_boot_service.hpp"

#include "base/describe.hpp"
#include "base/text.hpp"
#include "net/datagram.hpp"
#include "net/http/serve_body.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::boot {
namespace {

using net::HttpExchange;
using net::HttpHeaders;
using net::HttpRequest;
using net::HttpResponse;

// Largest body of a machine: a batch of kernel messages.
constexpr size_t kBodyLimit = size_t{256} * 1024;
// Refusals that are logged in a second; the rest are counted by on_event alone.
constexpr size_t kLoggedPerSecond = 10;
constexpr std::string_view kScheme = "Boot ";
constexpr size_t kDigestDigits = 64;

/// RFC 9457, as everywhere in Drover.
struct Problem {
  static constexpr std::string_view kTypeName = "BootProblem";
  std::string type;
  std::string title;
  int32_t status = 500;
  std::string detail;
  std::string next;
  void describe(Visitor& v) {
    v.field("type", type, "");
    v.field("title", title, "");
    v.field("status", status, "");
    v.field("detail", detail, "");
    v.field("next", next, "");
  }
};

HttpResponse problem_of(const Error& error, int status) {
  const CodeInfo& code = info(error.code);
  if (status == 0) status = code.http_status;
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/problem+json");
  if (status == 401) response.headers.add("WWW-Authenticate", "Boot");
  response.body = encode(Problem{fmt::format("urn:drover:problem:{}", code.name),
                                 std::string(code.title), status, error.text(), error.next}) +
                  "\n";
  return response;
}

/// "10.0.0.7:4711" and "[fd00::7]:4711" to the address alone.
std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string text_of(const net::Target& target, std::string_view name) {
  return std::string(target.get(name).value_or(""));
}

/// A host whose kernel has no IPv6: "all of its IPv6 addresses" are none there, and no mistake.
bool lacks_ipv6(net::Net& net) {
  const auto all = net.interfaces();
  if (!all || all->empty()) return false;
  return std::ranges::none_of(*all, [](const net::NetInterface& it) {
    return std::ranges::any_of(it.addresses, [](const auto& own) { return own.address.is_v6(); });
  });
}

}  // namespace

/// A request with what is known of who asks.
struct HttpBootService::Asked {
  const HttpRequest& request;
  const std::shared_ptr<HttpExchange>& exchange;
  const net::Target& target;
  std::string client;
  bool secure = false;
  std::string token = {};
  BootClaim claim = {};  ///< of routes that need one
};

/// One row of what is served.
struct HttpBootService::RouteRow {
  std::string_view path;
  bool named;    ///< one more segment follows: the file's name
  bool machine;  ///< POST with a token over TLS; else GET and, where named, HEAD
  Route route;
};

const HttpBootService::RouteRow* HttpBootService::find_row(const net::Target& target) {
  static constexpr std::array kRoutes{
      RouteRow{"boot/v1/bootscript", false, false, &HttpBootService::script},
      RouteRow{"boot/blobs", true, false, &HttpBootService::blob},
      RouteRow{"boot/loaders", true, false, &HttpBootService::loader},
      RouteRow{"boot/v1/stage", false, true, &HttpBootService::stage},
      RouteRow{"boot/v1/log", false, true, &HttpBootService::log_lines},
      RouteRow{"boot/v1/enrol", false, true, &HttpBootService::enrol},
      RouteRow{"boot/v1/secrets", false, true, &HttpBootService::secrets},
  };
  if (target.segments.size() != 3) return nullptr;
  const std::string folder = target.segments[0] + "/" + target.segments[1];
  const std::string path = folder + "/" + target.segments[2];
  const auto* const row = std::ranges::find_if(kRoutes, [&](const RouteRow& candidate) {
    return candidate.path == (candidate.named ? folder : path);
  });
  return row == kRoutes.end() ? nullptr : row;
}

HttpBootService::HttpBootService(Executor& executor, net::Net& net, Log log, HttpBootConfig config,
                                 BootHandler& handler, BlobSource& blobs,
                                 const LoaderSource& loaders)
    : executor_(executor),
      net_(net),
      log_(log),
      config_(std::move(config)),
      handler_(handler),
      blobs_(blobs),
      loaders_(loaders) {}

HttpBootService::~HttpBootService() {
  *alive_ = false;
}

Status HttpBootService::start(Callback<std::shared_ptr<net::Security>()> security) {
  const auto make = [this](bool secure) {
    net::HttpServerOptions options;
    options.body_limit = kBodyLimit;
    options.connection_limit = config_.connections;
    options.connections_per_address = config_.connections_per_client;
    return std::make_unique<net::HttpServer>(
        executor_, net_, log_,
        [this, secure](HttpRequest request, std::shared_ptr<HttpExchange> exchange) {
          handle(std::move(request), std::move(exchange), secure);
        },
        std::move(options));
  };
  auto plain = make(false);
  auto secure = make(true);
  std::vector<net::Endpoint> plain_at;
  std::vector<net::Endpoint> secure_at;
  const bool no_ipv6 = lacks_ipv6(net_);
  for (const net::Endpoint& at : config_.plain) {
    if (no_ipv6 && at.host == "::") continue;
    DROVER_TRY(net::Endpoint bound, plain->listen(at));
    plain_at.push_back(std::move(bound));
  }
  const auto shared =
      std::make_shared<Callback<std::shared_ptr<net::Security>()>>(std::move(security));
  for (const net::Endpoint& at : config_.secure) {
    if (no_ipv6 && at.host == "::") continue;
    DROVER_TRY(net::Endpoint bound, secure->listen(at, [shared] { return (*shared)(); }));
    secure_at.push_back(std::move(bound));
  }
  plain_ = std::move(plain);
  secure_ = std::move(secure);
  plain_at_ = std::move(plain_at);
  secure_at_ = std::move(secure_at);
  return {};
}

void HttpBootService::stop(Duration grace, Callback<void()> done) {
  if (!plain_) {
    executor_.post(std::move(done));
    return;
  }
  auto left = std::make_shared<int>(2);
  auto finished = std::make_shared<Callback<void()>>(std::move(done));
  const auto one_less = [left, finished] {
    if (--*left == 0) (*finished)();
  };
  plain_->stop(grace, one_less);
  secure_->stop(grace, one_less);
}

size_t HttpBootService::connections() const {
  return plain_ ? plain_->connections() + secure_->connections() : 0;
}

void HttpBootService::mount(std::string root, Mounted handler) {
  mounted_.emplace_back(std::move(root), std::make_shared<Mounted>(std::move(handler)));
}

void HttpBootService::handle(HttpRequest request, std::shared_ptr<HttpExchange> exchange,
                             bool secure) {
  const std::string client = host_of(request.peer.address);
  const auto target = net::Target::parse(request.target);
  if (!target) return refuse({client, request.target}, *exchange, target.error());
  for (const auto& [root, mounted] : mounted_) {
    if (target->segments.empty() || target->segments.front() != root) continue;
    const auto held = mounted;
    return (*held)(std::move(request), *target, std::move(exchange), secure);
  }
  Asked asked{request, exchange, *target, client, secure};
  const RouteRow* const row = find_row(*target);
  if (row == nullptr) {
    return refuse(asked, {Code::not_found, "nothing is served here", {}, {}});
  }
  take(asked, *row);
}

void HttpBootService::take(Asked& asked, const RouteRow& row) {
  const std::string& method = asked.request.method;
  const bool right =
      row.machine ? method == "POST" : method == "GET" || (row.named && method == "HEAD");
  if (!right) {
    const std::string why = fmt::format("{} is not served here", printable(method));
    return refuse(asked, {Code::invalid_argument, why, {}, {}}, 405);
  }
  if (row.machine) {
    const Status known = identify(asked);
    if (!known) return refuse(asked, known.error());
  }
  (this->*row.route)(asked);
}

/// Who sends, by the token; a secret that is not worth one in the clear.
Status HttpBootService::identify(Asked& asked) {
  if (!asked.secure) return fail(Code::denied, "this is answered over TLS alone");
  const std::string_view given = asked.request.headers.get("Authorization").value_or("");
  if (!given.starts_with(kScheme)) {
    return fail(Code::unauthenticated, "a boot token is missing (Authorization: Boot TOKEN)");
  }
  asked.token = given.substr(kScheme.size());
  auto claim = handler_.check(asked.token, asked.client);
  const std::string& certificate = asked.request.peer.certificate_uri;
  if (!claim && !certificate.empty()) claim = handler_.check_certificate(certificate);
  DROVER_TRY(asked.claim, std::move(claim));
  return {};
}

void HttpBootService::script(const Asked& asked) {
  ScriptQuery query;
  query.mac = text_of(asked.target, "mac");
  query.name = text_of(asked.target, "name");
  query.nid = text_of(asked.target, "nid");
  query.xname = text_of(asked.target, "xname");
  query.arch = text_of(asked.target, "arch");
  query.retry = text_of(asked.target, "retry");
  query.format = text_of(asked.target, "format");
  query.source = asked.client;
  query.host = asked.request.headers.get("Host").value_or("");
  query.secure = asked.secure;
  auto script = handler_.script(query);
  if (!script) return refuse(asked, script.error());
  HttpBootEvent event;
  event.what = HttpBootEvent::What::script;
  event.client = asked.client;
  event.node = std::move(script->node);
  event.name = query.mac.empty() ? asked.request.target : query.mac;
  event.bytes = script->text.size();
  // A script holds a token of its own: no cache may keep it.
  asked.exchange->respond(
      {200,
       {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
       std::move(script->text)});
  tell(event);
}

void HttpBootService::loader(const Asked& asked) {
  const std::string& name = asked.target.segments[2];
  const LoaderFile* const file = loaders_.find(name);
  if (file == nullptr) {
    return refuse(
        asked,
        {Code::not_found, fmt::format("there is no boot loader '{}'", printable(name)), {}, {}});
  }
  serve(HttpBootEvent::What::loader, name, asked.client, asked.request, *asked.exchange,
        net::make_memory_body(file->bytes), file->sha256);
}

void HttpBootService::blob(const Asked& asked) {
  const std::string& sha256 = asked.target.segments[2];
  if (!is_digest(sha256)) {
    return refuse(asked, {Code::invalid_argument,
                          "a blob is named by the 64 lower-case hex digits of its SHA-256",
                          {},
                          {}});
  }
  const Status allowed =
      handler_.may_have(sha256, asked.target.get("t").value_or(""), asked.client);
  if (!allowed) return refuse(asked, allowed.error());
  const auto request = std::make_shared<HttpRequest>(asked.request);
  blobs_.find(sha256, [this, alive = alive_, request, exchange = asked.exchange, sha256,
                       who = refused_of(asked)](Result<std::shared_ptr<const net::HttpBody>> body) {
    if (!*alive) return;
    if (!body) return refuse(who, *exchange, body.error());
    serve(HttpBootEvent::What::blob, sha256, who.client, *request, *exchange, *body, sha256);
  });
}

void HttpBootService::serve(HttpBootEvent::What what, const std::string& name,
                            const std::string& client, const HttpRequest& request,
                            HttpExchange& exchange,
                            const std::shared_ptr<const net::HttpBody>& body,
                            const std::string& sha256) {
  auto event = std::make_shared<HttpBootEvent>();
  event->what = what;
  event->client = client;
  event->name = name;
  event->size = body->size();
  net::ServedBody served{body};
  served.etag = fmt::format("\"{}\"", sha256);
  // A blob is named by what is in it, so it never changes.
  if (what == HttpBootEvent::What::blob) {
    served.cache_control = "private, max-age=31536000, immutable";
  }
  if (request.method == "HEAD") {
    net::serve_body(request, exchange, std::move(served));
    return tell(*event);
  }
  served.begun = [this, event](uint64_t first, uint64_t length) {
    event->begun = true;
    event->offset = first;
    event->bytes = length;
    tell(*event);
  };
  served.sent = [this, alive = alive_, event](uint64_t count) {
    if (!*alive) return;
    event->begun = false;
    event->complete = count == event->bytes;
    event->bytes = count;
    tell(*event);
  };
  net::serve_body(request, exchange, std::move(served));
}

void HttpBootService::stage(const Asked& asked) {
  auto report = decode_text<StageReport>(asked.request.body, Unknown::ignore);
  if (!report) return refuse(asked, report.error());
  if (const Status fits = normalise(*report); !fits) return refuse(asked, fits.error());
  const Status taken = handler_.stage(asked.claim, *report);
  if (!taken) return refuse(asked, taken.error());
  asked.exchange->respond({204, {}, {}});
  HttpBootEvent event;
  event.what = HttpBootEvent::What::stage;
  event.client = asked.client;
  event.node = asked.claim.node;
  event.name = enum_name(report->stage);
  event.status = 204;
  tell(event);
}

void HttpBootService::log_lines(const Asked& asked) {
  const Status taken = handler_.log(asked.claim, asked.request.body);
  if (!taken) return refuse(asked, taken.error());
  asked.exchange->respond({204, {}, {}});
  HttpBootEvent event;
  event.what = HttpBootEvent::What::log;
  event.client = asked.client;
  event.node = asked.claim.node;
  event.bytes = asked.request.body.size();
  event.status = 204;
  tell(event);
}

void HttpBootService::enrol(const Asked& asked) {
  auto request = decode_text<auth::EnrolRequest>(asked.request.body, Unknown::ignore);
  if (!request) return refuse(asked, request.error());
  handler_.enrol(
      asked.claim, asked.token, *std::move(request),
      [this, alive = alive_, exchange = asked.exchange,
       who = refused_of(asked)](Result<auth::EnrolAnswer> answer) {
        if (!*alive) return;
        if (!answer) return refuse(who, *exchange, answer.error());
        exchange->respond({200,
                           {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                           encode(*answer) + "\n"});
        HttpBootEvent event;
        event.what = HttpBootEvent::What::enrol;
        event.client = who.client;
        event.node = who.node;
        event.name = answer->name;
        tell(event);
      });
}

void HttpBootService::secrets(const Asked& asked) {
  handler_.secrets(
      asked.claim, asked.token, asked.client,
      [this, alive = alive_, exchange = asked.exchange,
       who = refused_of(asked)](Result<BootSecrets> answer) {
        if (!*alive) return;
        if (!answer) return refuse(who, *exchange, answer.error());
        exchange->respond({200,
                           {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                           encode(*answer) + "\n"});
        HttpBootEvent event;
        event.what = HttpBootEvent::What::secrets;
        event.client = who.client;
        event.node = who.node;
        tell(event);
      });
}

HttpBootService::Refused HttpBootService::refused_of(const Asked& asked) {
  const std::string_view of_blob = asked.target.get("t").value_or("");
  return {asked.client, asked.request.target, asked.claim.node,
          asked.token.empty() ? std::string(of_blob) : asked.token};
}

void HttpBootService::refuse(const Asked& asked, const Error& error, int status) {
  refuse(refused_of(asked), *asked.exchange, error, status);
}

void HttpBootService::refuse(const Refused& who, HttpExchange& exchange, const Error& error,
                             int status) {
  HttpResponse response = problem_of(error, status);
  HttpBootEvent event;
  event.client = who.client;
  event.node = who.node;
  event.token = who.token;
  // Behind the question mark may be a token.
  event.name = who.target.substr(0, std::min(who.target.find('?'), size_t{256}));
  event.status = response.status;
  event.why = error.text();
  if (may_log()) {
    log_.notice("boot request refused", {{"client", who.client},
                                         {"path", event.name},
                                         {"status", std::to_string(event.status)},
                                         {"why", event.why}});
  }
  exchange.respond(std::move(response));
  tell(event);
}

/// A client that asks for nonsense all day must not fill the log.
bool HttpBootService::may_log() {
  const auto second = std::chrono::floor<std::chrono::seconds>(executor_.wall());
  if (second != log_second_) {
    log_second_ = second;
    logged_ = 0;
  }
  return ++logged_ <= kLoggedPerSecond;
}

void HttpBootService::tell(const HttpBootEvent& event) {
  if (on_event_) on_event_(event);
}

}  // namespace drover::boot
