// Bodies by range over TCP (sendfile), TLS and Unix sockets; slow, greedy and leaving clients.
#include "net/http/serve_body.hpp"

#include "net/certificates_for_tests.hpp"
#include "net/http/http_client.hpp"
#include "net/real_net.hpp"
#include "net/sha256.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;
using testing::TestCa;
using ExchangePtr = std::shared_ptr<HttpExchange>;

struct Silent final : LogSink {
  void write(const LogRecord&) override {}
};

/// A client that reads only while it is told to.
struct RawClient final : StreamHandler {
  void on_data(std::string_view bytes) override {
    data += bytes;
    if (leave_after != 0 && data.size() >= leave_after) stream.reset();
  }
  void on_closed(const Error& why) override { closed = why; }
  std::string data;
  size_t leave_after = 0;
  std::optional<Error> closed;
  std::unique_ptr<Stream> stream;
};

/// Bytes in which every place is different from its neighbours.
std::string pattern(size_t size) {
  std::string out(size, '\0');
  uint32_t state = 1;
  for (char& c : out) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return out;
}

class ServeBodyTest : public ::testing::Test {
 public:
  ~ServeBodyTest() override { std::filesystem::remove_all(folder_); }

 protected:
  ServeBodyTest() {
    std::string name = (std::filesystem::temp_directory_path() / "drover-serve-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }

  void write_file(const std::string& bytes) {
    std::ofstream(folder_ + "/file", std::ios::binary) << bytes;
    body_ = open_file_body(folder_ + "/file").value();
  }
  void serve(HttpServerOptions options = {}) {
    server_ = std::make_unique<HttpServer>(
        *loop_, net_, Log(log_, "http"),
        [this](const HttpRequest& request, const ExchangePtr& exchange) {
          ++asked_;
          if (request.target == "/counted") {
            exchange->send_body(200, {}, body_, 0, body_->size(),
                                [this](uint64_t count) { counted_ = count; });
            return;
          }
          serve_body(request, *exchange, {body_, "application/x-test", "\"v1\"", "max-age=9"});
        },
        options);
    at_ = server_->listen({"127.0.0.1", 0, ""}).value();
  }
  bool wait(Callback<bool()> until, Duration limit = 10s) {
    return loop_->run_until(std::move(until), limit);
  }
  HttpResponse ask(const std::string& method, HttpHeaders headers, const Endpoint& at,
                   std::shared_ptr<Security> security = {}) {
    std::optional<Result<HttpResponse>> result;
    HttpRequest request;
    request.method = method;
    request.headers = std::move(headers);
    const auto call = client_.request(at, std::move(security), std::move(request), 10s,
                                      [&](auto got) { result = std::move(got); });
    EXPECT_TRUE(wait([&] { return result.has_value(); }));
    EXPECT_TRUE(*result) << result->error().text();
    return (*result).value_or(HttpResponse{});
  }
  HttpResponse ask(const std::string& method, HttpHeaders headers = {}) {
    return ask(method, std::move(headers), at_);
  }
  std::unique_ptr<RawClient> raw(const std::string& bytes) {
    auto client = std::make_unique<RawClient>();
    const auto connecting =
        net_.connect(at_, nullptr, 5s, [&](auto got) { client->stream = std::move(got).value(); });
    EXPECT_TRUE(wait([&] { return client->stream != nullptr; }));
    client->stream->set_handler(client.get());
    client->stream->write(bytes);
    return client;
  }

  std::string folder_;
  Silent log_;
  std::unique_ptr<Loop> loop_ = Loop::make().value();
  RealNet net_{*loop_};
  HttpClient client_{*loop_, net_};
  std::shared_ptr<const HttpBody> body_;
  std::unique_ptr<HttpServer> server_;
  Endpoint at_;
  size_t asked_ = 0;
  std::optional<uint64_t> counted_;
};

TEST_F(ServeBodyTest, SendsTheSameBytesEveryWay) {
  const std::string bytes = pattern(5'000'001);
  write_file(bytes);
  serve();
  const TestCa ca;
  auto security = net_.make_security(ca.config()).value();
  const Endpoint local = server_->listen({"", 0, folder_ + "/s"}).value();
  const Endpoint tls = server_->listen({"::1", 0, ""}, [&] { return security; }).value();
  EXPECT_TRUE(ask("GET").body == bytes);
  EXPECT_TRUE(ask("GET", {}, local).body == bytes);
  EXPECT_TRUE(ask("GET", {}, tls, security).body == bytes);
  body_ = make_memory_body(bytes);
  EXPECT_TRUE(ask("GET").body == bytes);
  body_ = make_memory_body("");
  EXPECT_EQ(ask("GET").body, "");
}

TEST_F(ServeBodyTest, AnswersRangesHeadsAndConditions) {
  const std::string bytes = pattern(1'000'000);
  write_file(bytes);
  serve();
  const HttpResponse part = ask("GET", {{"Range", "bytes=300000-899999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.get("content-range"), "bytes 300000-899999/1000000");
  EXPECT_TRUE(part.body == bytes.substr(300000, 600000));
  EXPECT_TRUE(ask("GET", {{"Range", "bytes=-5"}}).body == bytes.substr(999995));

  const HttpResponse beyond = ask("GET", {{"Range", "bytes=1000000-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("content-range"), "bytes */1000000");

  const HttpResponse head = ask("HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("content-length"), "1000000");
  EXPECT_EQ(head.headers.get("accept-ranges"), "bytes");
  EXPECT_EQ(head.headers.get("etag"), "\"v1\"");
  EXPECT_EQ(head.headers.get("cache-control"), "max-age=9");
  EXPECT_EQ(head.headers.get("content-type"), "application/x-test");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(ask("HEAD", {{"Range", "bytes=0-5"}}).status, 200);

  EXPECT_EQ(ask("GET", {{"Range", "bytes=0-5"}, {"If-Range", "\"v1\""}}).status, 206);
  EXPECT_EQ(ask("GET", {{"Range", "bytes=0-5"}, {"If-Range", "\"v0\""}}).status, 200);
  EXPECT_EQ(
      ask("GET", {{"Range", "bytes=0-5"}, {"If-Range", "Sat, 21 Nov 2026 21:33:17 GMT"}}).status,
      200);
  EXPECT_EQ(ask("GET", {{"If-None-Match", "\"v0\", W/\"v1\""}}).status, 304);
  EXPECT_EQ(ask("GET", {{"If-None-Match", "*"}}).status, 304);
  EXPECT_EQ(ask("GET", {{"If-None-Match", "\"v0\""}}).status, 200);
  EXPECT_EQ(ask("GET", {{"If-Match", "\"v0\""}}).status, 412);
  EXPECT_EQ(ask("GET", {{"If-Match", "W/\"v1\""}}).status, 412);
  EXPECT_EQ(ask("GET", {{"If-Match", "\"v1\""}}).status, 200);
}

TEST_F(ServeBodyTest, KeepsTheConnectionBehindABody) {
  const std::string bytes = pattern(400'000);
  write_file(bytes);
  serve();
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n";
  const auto client =
      raw(get + "\r\n" + get + "Range: bytes=0-3\r\n\r\n" + get + "Connection: close\r\n\r\n");
  ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
  EXPECT_EQ(asked_, 3);
  std::vector<std::string> bodies;
  for (size_t at = 0; at < client->data.size();) {
    const size_t body = client->data.find("\r\n\r\n", at) + 4;
    const size_t length = bodies.size() == 1 ? 4 : 400'000;
    bodies.push_back(client->data.substr(body, length));
    at = body + length;
  }
  ASSERT_EQ(bodies.size(), 3);
  EXPECT_TRUE(bodies[0] == bytes);
  EXPECT_TRUE(bodies[1] == bytes.substr(0, 4));
  EXPECT_TRUE(bodies[2] == bytes);
}

TEST_F(ServeBodyTest, WaitsForASlowClientAndTellsWhenAllIsSent) {
  write_file(pattern(32'000'000));
  serve();
  const auto client = raw("GET /counted HTTP/1.1\r\nHost: x\r\n\r\n");
  client->stream->pause_reading(true);
  ASSERT_TRUE(wait([&] { return asked_ == 1; }));
  // Other clients are served meanwhile, and nobody says that the slow one has it all.
  body_ = make_memory_body("small");
  EXPECT_EQ(ask("GET").body, "small");
  EXPECT_FALSE(counted_);
  client->stream->pause_reading(false);
  ASSERT_TRUE(wait([&] { return counted_.has_value(); }));
  EXPECT_EQ(*counted_, 32'000'000);
  ASSERT_TRUE(wait([&] { return client->data.size() >= 32'000'000; }));
  EXPECT_EQ(sha256_hex(client->data.substr(client->data.size() - 32'000'000)),
            sha256_hex(pattern(32'000'000)));
}

TEST_F(ServeBodyTest, DropsAClientThatTakesNothing) {
  for (const bool file : {true, false}) {
    counted_.reset();
    write_file(pattern(32'000'000));
    if (!file) body_ = make_memory_body(pattern(32'000'000));
    serve({.stall_time = 50ms});
    const auto client = raw("GET /counted HTTP/1.1\r\nHost: x\r\n\r\n");
    client->stream->pause_reading(true);
    ASSERT_TRUE(wait([&] { return counted_.has_value(); }));
    EXPECT_LT(*counted_, 32'000'000);
    EXPECT_EQ(server_->connections(), 0);
  }
}

TEST_F(ServeBodyTest, AClientThatLeavesIsNoticed) {
  write_file(pattern(32'000'000));
  serve();
  const auto client = raw("GET /counted HTTP/1.1\r\nHost: x\r\n\r\n");
  client->leave_after = 1'000'000;
  ASSERT_TRUE(wait([&] { return counted_.has_value(); }));
  EXPECT_LT(*counted_, 32'000'000);
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(ServeBodyTest, AFileThatShrinksCutsTheAnswer) {
  for (const bool small : {true, false}) {
    write_file(pattern(small ? 1000 : 1'000'000));
    serve();
    std::filesystem::resize_file(folder_ + "/file", small ? 10 : 200'000);
    const auto client = raw("GET /counted HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
    EXPECT_LT(client->data.size(), small ? 1000 : 1'000'000);
  }
}

TEST_F(ServeBodyTest, RequestsWaitWhileTheirAnswersAreNotRead) {
  body_ = make_memory_body(pattern(100'000));
  serve();
  constexpr size_t kRequests = 2000;  // 200 MB of answers, 75 kB of requests
  std::string many;
  for (size_t i = 0; i < kRequests; ++i) many += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto client = raw(many);
  client->stream->pause_reading(true);
  EXPECT_EQ(ask("HEAD").status, 200);  // a whole round of the loop or more
  EXPECT_LT(asked_, 200);              // what sockets hold, and no more
  client->stream->pause_reading(false);
  ASSERT_TRUE(wait([&] { return asked_ == kRequests + 1; }));
}

TEST_F(ServeBodyTest, OneAddressHasSoManyConnections) {
  body_ = make_memory_body("x");
  serve({.connections_per_address = 2});
  const auto one = raw("");
  const auto two = raw("");
  ASSERT_TRUE(wait([&] { return server_->connections() == 2; }));
  const auto three = raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait([&] { return three->closed.has_value(); }));
  EXPECT_EQ(three->data, "");
  one->stream.reset();
  ASSERT_TRUE(wait([&] { return server_->connections() == 1; }));
  EXPECT_EQ(ask("GET").body, "x");
}

TEST_F(ServeBodyTest, OnlyRegularFilesAreOpened) {
  EXPECT_EQ(open_file_body(folder_ + "/none").error().code, Code::not_found);
  EXPECT_EQ(open_file_body(folder_).error().code, Code::invalid_argument);
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(open_file_body(folder_ + "/pipe").error().code, Code::invalid_argument);
}

TEST(Sha256Test, IsTheKnownDigest) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.add("a");
  pieces.add("bc");
  EXPECT_EQ(pieces.finish(), sha256_hex("abc"));
}

}  // namespace
}  // namespace drover::net
