// The HTTP side of network boot over real sockets: what is served to whom, and what is refused.
#include "boot/io/http_boot_service.hpp"

#include "boot/io/loader_shelf.hpp"
#include "net/certificates_for_tests.hpp"
#include "net/datagram.hpp"
#include "net/http/http_client.hpp"
#include "net/real_net.hpp"
#include "net/sha256.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot {
namespace {

using namespace std::chrono_literals;
using net::HttpRequest;
using net::HttpResponse;
using What = HttpBootEvent::What;

constexpr std::string_view kToken = "abcdefghijklmnopqrstuvwxyz234567";

struct Lines final : LogSink {
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

/// Knows one machine, n1, whose token is kToken; `root` needs that, `kernel` nothing.
struct FakeDaemon final : BootHandler {
  Result<ServedScript> script(const ScriptQuery& query) override {
    queries.push_back(query);
    if (query.mac == "bad") return fail(Code::invalid_argument, "mac: 'bad' is not an address");
    return ServedScript{"#!ipxe\nexit\n", query.mac.empty() ? "" : "n1"};
  }
  Result<BootClaim> check(std::string_view token, const std::string& source) override {
    if (token != kToken || source != "127.0.0.1") {
      return fail(Code::unauthenticated, "that boot token is not known");
    }
    return BootClaim{"n1", "52:54:00:00:00:01"};
  }
  Status may_have(const std::string& sha256, std::string_view token,
                  const std::string& source) override {
    if (sha256 == kernel) return {};
    DROVER_CHECK_OK(check(token, source));
    return {};
  }
  Status stage(const BootClaim& claim, const StageReport& report) override {
    stages.push_back(fmt::format("{} {} {} {}/{} {}", claim.node, enum_name(report.stage),
                                 report.why, report.done, report.total, report.uptime_ms));
    return {};
  }
  Status log(const BootClaim& claim, std::string_view lines) override {
    logged += claim.node + ":" + std::string(lines);
    return {};
  }
  void enrol(const BootClaim& claim, std::string_view token, auth::EnrolRequest request,
             Callback<void(Result<auth::EnrolAnswer>)> reply) override {
    enrolled.push_back(
        fmt::format("{} {} {} {}", claim.node, token, request.csr_pem, request.boot_id));
    replies.push_back(std::move(reply));
  }

  void secrets(const BootClaim& claim, std::string_view token, const std::string& source,
               Callback<void(Result<BootSecrets>)> reply) override {
    asked_secrets.push_back(fmt::format("{} {} {}", claim.node, token, source));
    if (asked_secrets.size() > 1) return reply(fail(Code::denied, "they have been given"));
    reply(BootSecrets{{{"key", "hunter2"}}});
  }

  std::vector<std::string> asked_secrets;
  std::string kernel;
  std::vector<ScriptQuery> queries;
  std::vector<std::string> stages;
  std::string logged;
  std::vector<std::string> enrolled;
  std::vector<Callback<void(Result<auth::EnrolAnswer>)>> replies;
};

struct FakeBlobs final : BlobSource {
  std::string put(const std::string& bytes) {
    const std::string name = net::sha256_hex(bytes);
    blobs[name] = net::make_memory_body(bytes);
    return name;
  }
  void find(const std::string& sha256, Found found) override {
    const auto it = blobs.find(sha256);
    if (it == blobs.end()) return found(fail(Code::not_found, "there is no such blob"));
    found(it->second);
  }
  std::map<std::string, std::shared_ptr<const net::HttpBody>> blobs;
};

class HttpBootServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    daemon_.kernel = blobs_.put("kernel" + std::string(300'000, 'k'));
    root_ = blobs_.put("root" + std::string(3'000'000, 'r'));
    loaders_.put("snponly.efi", "MZ loader");
    start({.plain = {{"127.0.0.1", 0, ""}}, .secure = {{"127.0.0.1", 0, ""}}});
  }
  void start(HttpBootConfig config) {
    service_ = std::make_unique<HttpBootService>(*loop_, net_, Log(log_, "boot.http"),
                                                 std::move(config), daemon_, blobs_, loaders_);
    service_->on_event([this](const HttpBootEvent& event) { events_.push_back(event); });
    const auto started = service_->start([this] { return security_; });
    ASSERT_TRUE(started) << started.error().text();
  }
  bool wait(Callback<bool()> until) { return loop_->run_until(std::move(until), 10s); }

  HttpResponse ask(const std::string& method, const std::string& target, bool secure,
                   net::HttpHeaders headers = {}, const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.headers = std::move(headers);
    request.body = body;
    std::optional<Result<HttpResponse>> result;
    const auto call = client_.request(secure ? service_->secure().at(0) : service_->plain().at(0),
                                      secure ? security_ : nullptr, std::move(request), 10s,
                                      [&](auto got) { result = std::move(got); });
    EXPECT_TRUE(wait([&] { return result.has_value(); }));
    EXPECT_TRUE(*result) << result->error().text();
    return (*result).value_or(HttpResponse{});
  }
  HttpResponse get(const std::string& target) { return ask("GET", target, false); }
  HttpResponse post(const std::string& target, const std::string& body,
                    std::string_view token = kToken) {
    return ask("POST", target, true, {{"Authorization", fmt::format("Boot {}", token)}}, body);
  }
  /// "begun 0+300006/300006" and the like, of the last events of a kind.
  std::vector<std::string> moves(What what) const {
    std::vector<std::string> out;
    for (const HttpBootEvent& event : events_) {
      if (event.what != what) continue;
      out.push_back(fmt::format("{} {}+{}/{}{}", event.begun ? "begun" : "ended", event.offset,
                                event.bytes, event.size, event.complete ? "" : " cut"));
    }
    return out;
  }

  Lines log_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  net::RealNet net_{*loop_};
  net::testing::TestCa ca_;
  std::shared_ptr<net::Security> security_ = net_.make_security(ca_.config()).value();
  net::HttpClient client_{*loop_, net_};
  FakeDaemon daemon_;
  FakeBlobs blobs_;
  LoaderShelf loaders_;
  std::string root_;
  std::vector<HttpBootEvent> events_;
  std::unique_ptr<HttpBootService> service_;
};

TEST_F(HttpBootServiceTest, GivesScriptsToWhoeverAsks) {
  const HttpResponse answer = get("/boot/v1/bootscript?mac=52:54:00:00:00:01&arch=x86_64");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "#!ipxe\nexit\n");
  EXPECT_EQ(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.headers.get("cache-control"), "no-store");
  ASSERT_EQ(daemon_.queries.size(), 1);
  const ScriptQuery& query = daemon_.queries[0];
  EXPECT_EQ(query.mac, "52:54:00:00:00:01");
  EXPECT_EQ(query.arch, "x86_64");
  EXPECT_EQ(query.name, "");
  EXPECT_EQ(query.source, "127.0.0.1");
  EXPECT_EQ(query.host, service_->plain()[0].text());
  EXPECT_FALSE(query.secure);
  ASSERT_EQ(events_.size(), 1);
  EXPECT_EQ(events_[0].what, What::script);
  EXPECT_EQ(events_[0].node, "n1");
  EXPECT_EQ(events_[0].client, "127.0.0.1");

  EXPECT_EQ(ask("GET", "/boot/v1/bootscript?name=n1", true).status, 200);
  EXPECT_TRUE(daemon_.queries[1].secure);
  const HttpResponse bad = get("/boot/v1/bootscript?mac=bad");
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("'bad' is not an address"), std::string::npos) << bad.body;
}

TEST_F(HttpBootServiceTest, ServesLoadersFromMemory) {
  EXPECT_EQ(get("/boot/loaders/snponly.efi").body, "MZ loader");
  const HttpResponse head = ask("HEAD", "/boot/loaders/snponly.efi", false);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("content-length"), "9");
  EXPECT_EQ(moves(What::loader),
            (std::vector<std::string>{"begun 0+9/9", "ended 0+9/9", "ended 0+0/9"}));
  EXPECT_EQ(get("/boot/loaders/none.efi").status, 404);
}

TEST_F(HttpBootServiceTest, NothingOutsideCanBeAskedFor) {
  for (const char* target :
       {"/boot/loaders/../../etc/passwd", "/boot/loaders/..%2f..%2fetc%2fpasswd",
        "/boot/loaders/%2e%2e/x", "/boot/loaders//etc/passwd", "/boot/loaders/a%00b",
        "/boot/loaders/", "/boot/blobs/../loaders/snponly.efi", "/boot/blobs/", "/etc/passwd",
        "/boot/loaders/snponly.efi/x", "/", "/boot", "/boot/v1", "/boot/v1/stages"}) {
    const HttpResponse answer = get(target);
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << target << " " << answer.status;
    EXPECT_NE(answer.body.find("urn:drover:problem:"), std::string::npos) << target;
  }
}

TEST_F(HttpBootServiceTest, BlobsComeWholeOrInParts) {
  const std::string target = "/boot/blobs/" + daemon_.kernel;
  const HttpResponse whole = get(target);
  EXPECT_EQ(net::sha256_hex(whole.body), daemon_.kernel);
  EXPECT_EQ(whole.headers.get("etag"), fmt::format("\"{}\"", daemon_.kernel));
  const HttpResponse part = ask("GET", target, false, {{"Range", "bytes=300000-"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "kkkkkk");
  EXPECT_EQ(ask("HEAD", target, false).headers.get("content-length"), "300006");
  EXPECT_EQ(moves(What::blob),
            (std::vector<std::string>{"begun 0+300006/300006", "ended 0+300006/300006",
                                      "begun 300000+6/300006", "ended 300000+6/300006",
                                      "ended 0+0/300006"}));
}

TEST_F(HttpBootServiceTest, RootsNeedTheTokenOfTheirMachine) {
  const std::string target = "/boot/blobs/" + root_;
  const HttpResponse without = get(target);
  EXPECT_EQ(without.status, 401);
  EXPECT_EQ(without.headers.get("www-authenticate"), "Boot");
  EXPECT_EQ(get(target + "?t=wrong").status, 401);
  EXPECT_EQ(get(fmt::format("{}?t={}", target, kToken)).body.size(), 3'000'004);
  EXPECT_EQ(ask("GET", fmt::format("{}?t={}", target, kToken), true).body.size(), 3'000'004);
  // What went wrong is told, the token is not.
  for (const HttpBootEvent& event : events_) EXPECT_EQ(event.name.find('?'), std::string::npos);
  for (const std::string& line : log_.lines) EXPECT_EQ(line.find("wrong"), std::string::npos);
}

TEST_F(HttpBootServiceTest, BlobsThatAreMisnamedOrMissing) {
  EXPECT_EQ(get("/boot/blobs/abc").status, 400);
  EXPECT_EQ(get("/boot/blobs/" + std::string(64, 'A')).status, 400);
  blobs_.blobs.erase(daemon_.kernel);
  const HttpResponse gone = get("/boot/blobs/" + daemon_.kernel);
  EXPECT_EQ(gone.status, 404);
  EXPECT_NE(gone.body.find("there is no such blob"), std::string::npos);
  EXPECT_EQ(events_.back().what, What::refused);
  EXPECT_EQ(events_.back().why, "there is no such blob");
}

TEST_F(HttpBootServiceTest, MachinesReportStagesAndMessages) {
  const HttpResponse stage = post(
      "/boot/v1/stage",
      R"({"stage":"image","why":"fetching\nthe root","done":5,"total":10,"uptime_ms":2200,"new":1})");
  EXPECT_EQ(stage.status, 204);
  EXPECT_EQ(daemon_.stages, std::vector<std::string>{"n1 image fetching the root 5/10 2200"});
  EXPECT_EQ(post("/boot/v1/log", "6,1,2,-;Linux version 6.1\n").status, 204);
  EXPECT_EQ(daemon_.logged, "n1:6,1,2,-;Linux version 6.1\n");
  EXPECT_EQ(events_.back().what, What::log);
  EXPECT_EQ(events_.back().node, "n1");

  EXPECT_EQ(post("/boot/v1/stage", "{").status, 400);
  EXPECT_EQ(post("/boot/v1/stage", R"({"stage":"flying"})").status, 400);
  EXPECT_EQ(
      post("/boot/v1/stage", "{\"stage\":\"init\",\"why\":\"" + std::string(2000, 'x') + "\"}")
          .status,
      413);
  EXPECT_EQ(post("/boot/v1/log", std::string(300'000, 'x')).status, 413);
  EXPECT_EQ(daemon_.stages.size(), 1);
}

TEST_F(HttpBootServiceTest, SecretsAreForTlsAndATokenAlone) {
  const net::HttpHeaders good{{"Authorization", fmt::format("Boot {}", kToken)}};
  EXPECT_EQ(ask("POST", "/boot/v1/stage", false, good, R"({"stage":"init"})").status, 403);
  EXPECT_EQ(ask("POST", "/boot/v1/enrol", false, good, "{}").status, 403);
  EXPECT_EQ(ask("POST", "/boot/v1/stage", true, {}, R"({"stage":"init"})").status, 401);
  EXPECT_EQ(ask("POST", "/boot/v1/stage", true, {{"Authorization", "Bearer x"}}, "{}").status, 401);
  EXPECT_EQ(post("/boot/v1/stage", R"({"stage":"init"})", "wrong").status, 401);
  EXPECT_EQ(ask("GET", "/boot/v1/stage", true, good).status, 405);
  EXPECT_EQ(ask("POST", "/boot/v1/bootscript", true, good).status, 405);
  EXPECT_EQ(ask("DELETE", "/boot/loaders/snponly.efi", false).status, 405);
  EXPECT_TRUE(daemon_.stages.empty());
  EXPECT_TRUE(daemon_.enrolled.empty());
}

TEST_F(HttpBootServiceTest, EnrolmentIsAnsweredLater) {
  std::optional<Result<HttpResponse>> result;
  HttpRequest request;
  request.method = "POST";
  request.target = "/boot/v1/enrol";
  request.headers = {{"Authorization", fmt::format("Boot {}", kToken)}};
  request.body = R"({"csr_pem":"CSR","boot_id":"b1"})";
  auto call = client_.request(service_->secure().at(0), security_, request, 10s,
                              [&](auto got) { result = std::move(got); });
  ASSERT_TRUE(wait([&] { return daemon_.replies.size() == 1; }));
  EXPECT_EQ(daemon_.enrolled[0], fmt::format("n1 {} CSR b1", kToken));
  EXPECT_FALSE(result);
  auth::EnrolAnswer answer;
  answer.certificate_pem = "CERT";
  answer.name = "n1";
  answer.aggregators = {"10.0.0.1:4711"};
  daemon_.replies[0](answer);
  ASSERT_TRUE(wait([&] { return result.has_value(); }));
  EXPECT_EQ((*result)->status, 200);
  EXPECT_NE((*result)->body.find(R"("certificate_pem":"CERT")"), std::string::npos);
  EXPECT_EQ((*result)->headers.get("cache-control"), "no-store");

  result.reset();
  call = client_.request(service_->secure().at(0), security_, request, 10s,
                         [&](auto got) { result = std::move(got); });
  ASSERT_TRUE(wait([&] { return daemon_.replies.size() == 2; }));
  daemon_.replies[1](fail(Code::denied, "this token is spent on another key"));
  ASSERT_TRUE(wait([&] { return result.has_value(); }));
  EXPECT_EQ((*result)->status, 403);

  // A machine that is gone, and a service that is gone, make no trouble.
  call = client_.request(service_->secure().at(0), security_, request, 10s, [](auto) {});
  ASSERT_TRUE(wait([&] { return daemon_.replies.size() == 3; }));
  call.reset();
  service_.reset();
  daemon_.replies[2](auth::EnrolAnswer{});
}

TEST_F(HttpBootServiceTest, SecretsGoOverTlsToATokenAlone) {
  const std::string path = "/boot/v1/secrets";
  EXPECT_EQ(ask("POST", path, false, {{"Authorization", fmt::format("Boot {}", kToken)}}).status,
            403);
  EXPECT_EQ(ask("POST", path, true).status, 401);
  EXPECT_EQ(ask("GET", path, true, {{"Authorization", fmt::format("Boot {}", kToken)}}).status,
            405);
  EXPECT_TRUE(daemon_.asked_secrets.empty());
  const HttpResponse given = post(path, "{}");
  EXPECT_EQ(given.body, "{\"secrets\":{\"key\":\"hunter2\"}}\n");
  EXPECT_EQ(given.headers.get("cache-control"), "no-store");
  EXPECT_EQ(daemon_.asked_secrets[0], fmt::format("n1 {} 127.0.0.1", kToken));
  EXPECT_EQ(post(path, "{}").status, 403);
}

TEST_F(HttpBootServiceTest, OneClientCannotTakeAllConnectionsNorFillTheLog) {
  for (int i = 0; i < 50; ++i) get("/nothing");
  EXPECT_EQ(events_.size(), 50);
  EXPECT_LT(log_.lines.size(), 50);
  start({.plain = {{"127.0.0.1", 0, ""}}, .connections_per_client = 1});
  std::unique_ptr<net::Stream> held;
  const auto connecting = net_.connect(service_->plain()[0], nullptr, 5s,
                                       [&](auto got) { held = std::move(got).value(); });
  ASSERT_TRUE(wait([&] { return service_->connections() == 1; }));
  std::optional<Result<HttpResponse>> result;
  HttpRequest request;
  request.target = "/boot/v1/bootscript";
  const auto call = client_.request(service_->plain()[0], nullptr, request, 5s,
                                    [&](auto got) { result = std::move(got); });
  ASSERT_TRUE(wait([&] { return result.has_value(); }));
  EXPECT_FALSE(*result);
}

TEST_F(HttpBootServiceTest, OthersMayServeTheirOwnRoot) {
  service_->mount(
      "cloud-init", [](HttpRequest request, const net::Target& target,
                       const std::shared_ptr<net::HttpExchange>& exchange, bool secure) {
        exchange->respond(
            {200, {}, fmt::format("{} {} {}", request.method, target.segments.back(), secure)});
      });
  EXPECT_EQ(get("/cloud-init/meta-data").body, "GET meta-data false");
  EXPECT_EQ(ask("POST", "/cloud-init/x", true).body, "POST x true");
}

TEST_F(HttpBootServiceTest, StopsWhenAnswersAreOut) {
  bool stopped = false;
  service_->stop(1s, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  EXPECT_TRUE(wait([&] { return stopped; }));
}

TEST_F(HttpBootServiceTest, AnAddressInUseIsAnError) {
  HttpBootService second(*loop_, net_, Log(log_, "x"), {.plain = service_->plain()}, daemon_,
                         blobs_, loaders_);
  const Status started = second.start([] { return nullptr; });
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("listening on 127.0.0.1"), std::string::npos);
}

/// A host's network whose kernel has IPv6, or has not.
class HostNet final : public net::Net {
 public:
  HostNet(net::Net& net, bool has_ipv6) : net_(net), has_ipv6_(has_ipv6) {}
  Result<std::shared_ptr<net::Security>> make_security(const net::SecurityConfig& config) override {
    return net_.make_security(config);
  }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint& at,
                                                Callback<std::shared_ptr<net::Security>()> security,
                                                net::AcceptCallback accepted) override {
    if (at.host == "::" && !has_ipv6_) return fail(Code::io, "address family not supported");
    return net_.listen(at, std::move(security), std::move(accepted));
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint& to,
                                           std::shared_ptr<net::Security> security,
                                           Duration timeout,
                                           net::ConnectCallback connected) override {
    return net_.connect(to, std::move(security), timeout, std::move(connected));
  }
  Result<std::vector<net::NetInterface>> interfaces() override {
    net::NetInterface loopback;
    loopback.addresses.push_back({*net::InetAddress::parse("127.0.0.1"), 8});
    if (has_ipv6_) loopback.addresses.push_back({*net::InetAddress::parse("::1"), 128});
    return std::vector{loopback};
  }

 private:
  net::Net& net_;
  bool has_ipv6_;
};

TEST(HttpBootServiceOnAHost, WithoutIpv6ServesByIpv4Alone) {
  for (const bool has_ipv6 : {false, true}) {
    sim::World world{1};
    sim::Fabric fabric{world};
    sim::SimProcess process{world, {.name = "boot", .host = "b"}};
    sim::SimNet simulated{fabric, process};
    HostNet net(simulated, has_ipv6);
    FakeDaemon daemon;
    FakeBlobs blobs;
    LoaderShelf loaders;
    const std::vector<net::Endpoint> both{{"0.0.0.0", 8080, ""}, {"::", 8081, ""}};
    HttpBootService service(process.executor(), net, process.log(), {.plain = both}, daemon, blobs,
                            loaders);
    const Status started = service.start([] { return std::shared_ptr<net::Security>(); });
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_EQ(service.plain().size(), has_ipv6 ? 2U : 1U);
  }
}

}  // namespace
}  // namespace drover::boot
