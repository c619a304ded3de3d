// HTTP server and client over the real net: TCP, TLS and Unix sockets.
#include "net/certificates_for_tests.hpp"
#include "net/http/http_client.hpp"
#include "net/http/http_server.hpp"
#include "net/real_net.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;
using testing::TestCa;
using ExchangePtr = std::shared_ptr<HttpExchange>;

struct Silent final : LogSink {
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

/// A bare client that sends bytes and keeps what comes back.
struct RawClient final : StreamHandler {
  void on_data(std::string_view bytes) override { data += bytes; }
  void on_closed(const Error& why) override { closed = why; }
  [[nodiscard]] bool has(const std::string& text) const {
    return data.find(text) != std::string::npos;
  }
  std::string data;
  std::optional<Error> closed;
  std::unique_ptr<Stream> stream;
};

class HttpTest : public ::testing::Test {
 public:
  ~HttpTest() override { std::filesystem::remove_all(directory_); }

 protected:
  HttpTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drover-http-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }

  bool wait(Callback<bool()> until, Duration limit = 5s) {
    return loop_->run_until(std::move(until), limit);
  }

  /// A server with `handler` on 127.0.0.1.
  void serve(HttpHandler handler, HttpServerOptions options = {}) {
    server_ = std::make_unique<HttpServer>(*loop_, net_, Log(log_, "http"), std::move(handler),
                                           std::move(options));
    at_ = server_->listen({"127.0.0.1", 0, ""}).value();
  }
  /// Answers 200 with method, target and body.
  static HttpHandler echo() {
    return [](const HttpRequest& request, const ExchangePtr& exchange) {
      HttpResponse response;
      response.headers = {{"Content-Type", "text/plain"}};
      response.body = request.method + " " + request.target + " " + request.body;
      exchange->respond(std::move(response));
    };
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

  Result<HttpResponse> ask(HttpRequest request, const Endpoint& to,
                           std::shared_ptr<Security> security = {}, Duration timeout = 5s,
                           size_t limit = HttpClient::kDefaultBodyLimit) {
    std::optional<Result<HttpResponse>> result;
    const auto call = client_.request(
        to, std::move(security), std::move(request), timeout,
        [&](Result<HttpResponse> got) {
          EXPECT_FALSE(result);
          result = std::move(got);
        },
        limit);
    EXPECT_FALSE(result);
    EXPECT_TRUE(wait([&] { return result.has_value(); }, 10s));
    return *std::move(result);
  }
  static HttpRequest make_request(std::string method, std::string target, std::string body = {}) {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    return request;
  }

  std::string directory_;
  Silent log_;
  std::unique_ptr<Loop> loop_ = Loop::make().value();
  RealNet net_{*loop_};
  HttpClient client_{*loop_, net_};
  std::unique_ptr<HttpServer> server_;
  Endpoint at_;
};

TEST_F(HttpTest, AnswersOverTcpUnixAndTls) {
  const TestCa ca;
  auto security = net_.make_security(ca.config()).value();
  std::vector<Peer> peers;
  HttpHandler inner = echo();
  serve([&](HttpRequest request, const ExchangePtr& exchange) {
    peers.push_back(request.peer);
    inner(std::move(request), exchange);
  });
  const Endpoint local = server_->listen({"", 0, directory_ + "/s"}).value();
  const Endpoint tls = server_->listen({"::1", 0, ""}, [&] { return security; }).value();

  const auto plain = ask(make_request("POST", "/a?b=c", "body"), at_);
  ASSERT_TRUE(plain) << plain.error().text();
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->body, "POST /a?b=c body");
  EXPECT_EQ(plain->headers.get("content-type"), "text/plain");
  EXPECT_EQ(plain->headers.get("server"), "drover");
  EXPECT_TRUE(plain->headers.has("date"));

  EXPECT_EQ(ask(make_request("GET", "/u"), local)->body, "GET /u ");
  ASSERT_TRUE(peers.back().local);
  EXPECT_EQ(peers.back().local->uid, ::getuid());
  EXPECT_EQ(ask(make_request("DELETE", "/t"), tls, security)->body, "DELETE /t ");
  EXPECT_EQ(peers.back().certificate_uri, "drover://test/compute/n1");
}

TEST_F(HttpTest, KeepsAliveAndAnswersPipelinedRequestsInOrder) {
  std::vector<std::pair<std::string, ExchangePtr>> waiting;
  serve([&](const HttpRequest& request, ExchangePtr exchange) {
    waiting.emplace_back(request.target, std::move(exchange));
  });
  const auto client =
      raw("\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\n"
          "Content-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
          "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
  std::vector<std::string> order;
  while (order.size() < 3) {
    ASSERT_TRUE(wait([&] { return !waiting.empty(); }));
    ASSERT_EQ(waiting.size(), 1U) << "the next one waits for the answer of the one before";
    order.push_back(waiting[0].first);
    HttpResponse response;
    response.body = "answer" + waiting[0].first;
    waiting[0].second->respond(response);
    waiting.clear();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"/1", "/2", "/3"}));
  ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
  EXPECT_EQ(client->closed->code, Code::cancelled);
  const size_t first = client->data.find("answer/1");
  const size_t second = client->data.find("answer/2");
  EXPECT_LT(first, second);
  EXPECT_LT(second, client->data.find("answer/3"));
  EXPECT_FALSE(client->has("answer/4"));  // behind "Connection: close"
  EXPECT_TRUE(wait([&] { return server_->connections() == 0; }));
}

TEST_F(HttpTest, ManyPipelinedRequestsAnsweredAtOnce) {
  serve(echo());
  std::string bytes;
  for (int i = 0; i < 5000; ++i) {
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  const auto client = raw(bytes);
  ASSERT_TRUE(wait([&] { return client->has("GET /4999 "); }, 20s));
}

TEST_F(HttpTest, ReadingStopsWhileAnAnswerIsOwed) {
  ExchangePtr held;
  int requests = 0;
  serve([&](const HttpRequest& /*request*/, ExchangePtr exchange) {
    ++requests;
    held = std::move(exchange);
  });
  std::string bytes;
  while (bytes.size() < size_t{32} * 1024 * 1024) {
    bytes += "GET / HTTP/1.1\r\nHost: h\r\nX-Filler: " + std::string(1000, 'x') + "\r\n\r\n";
  }
  const auto client = raw(bytes);
  ASSERT_TRUE(wait([&] { return requests == 1; }));
  loop_->run_until([] { return false; }, 50ms);
  EXPECT_GT(client->stream->unsent(), size_t{16} * 1024 * 1024);
  held->respond({});
  ASSERT_TRUE(wait([&] { return requests == 2; }));
}

TEST_F(HttpTest, ExpectContinueIsAnswered) {
  serve(echo());
  const auto client =
      raw("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(wait([&] { return client->has("100 Continue\r\n\r\n"); }));
  client->stream->write("abc");
  ASSERT_TRUE(wait([&] { return client->has("POST / abc"); }));
}

TEST_F(HttpTest, BadInputIsAnsweredWithAProblemAndClosed) {
  int handled = 0;
  serve([&](auto&&, auto&&) { ++handled; }, {.header_limit = 1024, .body_limit = 100});
  const std::pair<std::string, std::string> cases[] = {
      {"\x16\x03\x01\x02 garbage", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/3.7\r\n\r\n", "505"},
      {"GET /" + std::string(4000, 'x'), "431"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "413"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: br\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400"},
  };
  for (const auto& [bytes, status] : cases) {
    const auto client = raw(bytes);
    ASSERT_TRUE(wait([&] { return client->closed.has_value(); })) << bytes;
    EXPECT_TRUE(client->data.starts_with("HTTP/1.1 " + status)) << client->data;
    EXPECT_TRUE(client->has("application/problem+json"));
    EXPECT_TRUE(client->has("\"status\":" + status)) << client->data;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpTest, SlowHeadersSlowBodiesAndIdleConnectionsEnd) {
  serve(echo(), {.header_time = 50ms, .body_time = 50ms, .idle_time = 50ms});
  const auto nothing = raw("");
  const auto header = raw("GET / HTTP/1.1\r\nHo");
  const auto body = raw("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
  const auto idle = raw("GET /idle HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto second = raw("GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /second");
  for (RawClient* client : {nothing.get(), header.get(), body.get(), idle.get(), second.get()}) {
    ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
  }
  EXPECT_TRUE(nothing->data.empty());
  EXPECT_TRUE(header->data.starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(body->data.starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(idle->has("GET /idle"));
  EXPECT_FALSE(idle->has("408"));
  EXPECT_TRUE(second->has("GET /first"));
  EXPECT_TRUE(second->has("HTTP/1.1 408"));
}

TEST_F(HttpTest, HeadAndBodilessAnswersHaveNoBody) {
  serve([](const HttpRequest& request, const ExchangePtr& exchange) {
    HttpResponse response;
    if (request.target == "/none") response.status = 204;
    response.body = "body";
    exchange->respond(std::move(response));
  });
  const auto head = ask(make_request("HEAD", "/"), at_);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.get("content-length"), "4");
  EXPECT_TRUE(head->body.empty());
  const auto none = ask(make_request("GET", "/none"), at_);
  EXPECT_EQ(none->status, 204);
  EXPECT_FALSE(none->headers.has("content-length"));
}

TEST_F(HttpTest, StreamsInChunksToAStreamingClient) {
  ExchangePtr exchange;
  serve([&](const HttpRequest& /*request*/, ExchangePtr got) {
    exchange = std::move(got);
    exchange->begin(200, {{"Content-Type", "text/event-stream"}});
    exchange->write("data: 1\n\n");
  });
  std::string heard;
  int heads = 0;
  std::optional<Status> ended;
  const auto call = client_.stream(
      at_, nullptr, make_request("GET", "/watch"), 5s, 0s,
      {.on_head = [&](const HttpResponse& head) { heads += head.status == 200 ? 1 : 0; },
       .on_chunk = [&](std::string_view chunk) { heard += chunk; },
       .on_end = [&](const Status& how) { ended = how; }});
  ASSERT_TRUE(wait([&] { return heard == "data: 1\n\n"; }));
  EXPECT_EQ(heads, 1);
  exchange->write("");  // must not end the body
  exchange->write("data: 2\n\n");
  ASSERT_TRUE(wait([&] { return heard == "data: 1\n\ndata: 2\n\n"; }));
  EXPECT_FALSE(ended);
  exchange->end();
  ASSERT_TRUE(wait([&] { return ended.has_value(); }));
  EXPECT_TRUE(*ended);
  EXPECT_FALSE(exchange->gone());
}

TEST_F(HttpTest, StreamsToOldClientsUntilTheConnectionEnds) {
  serve([&](const HttpRequest& /*request*/, const ExchangePtr& exchange) {
    exchange->begin(200, {});
    exchange->write("abc");
    exchange->end();
  });
  const auto client = raw("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
  EXPECT_TRUE(client->data.ends_with("\r\n\r\nabc")) << client->data;
  EXPECT_EQ(client->data.find("chunked"), std::string::npos);
}

TEST_F(HttpTest, AGivenLengthIsKeptTo) {
  serve([&](const HttpRequest& request, const ExchangePtr& exchange) {
    exchange->begin(200, {{"Content-Length", "4"}});
    exchange->write(request.target == "/long" ? "12345" : "123");
    exchange->end();
  });
  EXPECT_EQ(ask(make_request("GET", "/long"), at_)->body, "1234");
  const auto cut = ask(make_request("GET", "/short"), at_);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::unreachable);
}

TEST_F(HttpTest, TheServerIsToldWhenTheClientLeaves) {
  ExchangePtr exchange;
  bool gone = false;
  serve([&](const HttpRequest& /*request*/, ExchangePtr got) {
    exchange = std::move(got);
    exchange->on_gone([&] { gone = true; });
    exchange->begin(200, {});
  });
  auto call = client_.stream(at_, nullptr, make_request("GET", "/watch"), 5s, 0s, {});
  ASSERT_TRUE(wait([&] { return exchange != nullptr; }));
  EXPECT_FALSE(exchange->gone());
  call.reset();
  ASSERT_TRUE(wait([&] { return gone; }));
  EXPECT_TRUE(exchange->gone());
  exchange->write("into the void");
  exchange->end();
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpTest, PushBackReachesTheSource) {
  ExchangePtr exchange;
  int drained = 0;
  serve([&](const HttpRequest& /*request*/, ExchangePtr got) {
    exchange = std::move(got);
    exchange->on_drained([&] { ++drained; });
    exchange->begin(200, {});
  });
  size_t heard = 0;
  const auto call = client_.stream(at_, nullptr, make_request("GET", "/"), 5s, 0s,
                                   {.on_chunk = [&](std::string_view c) { heard += c.size(); }});
  ASSERT_TRUE(wait([&] { return exchange && drained > 0; }));
  call->pause(true);
  drained = 0;
  const std::string block(size_t{1} << 20, 'x');
  for (int i = 0; i < 16; ++i) exchange->write(block);
  loop_->run_until([] { return false; }, 50ms);
  EXPECT_GT(exchange->unsent(), 0U);
  EXPECT_EQ(drained, 0);
  call->pause(false);
  ASSERT_TRUE(wait([&] { return drained == 1; }));
  ASSERT_TRUE(wait([&] { return heard == 16 * block.size(); }));
}

TEST_F(HttpTest, ADroppedExchangeIsA500AndAHalfAnswerIsCut) {
  serve([](const HttpRequest& request, const ExchangePtr& exchange) {
    if (request.target == "/half") {
      exchange->begin(200, {});
      exchange->write("half");
    }
  });
  EXPECT_EQ(ask(make_request("GET", "/dropped"), at_)->status, 500);
  const auto half = ask(make_request("GET", "/half"), at_);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, Code::unreachable);
}

TEST_F(HttpTest, TheHandlerMayDestroyTheServer) {
  ExchangePtr kept;
  serve([&](const HttpRequest& /*request*/, ExchangePtr exchange) {
    kept = std::move(exchange);
    server_.reset();
  });
  const auto client = raw("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait([&] { return client->closed.has_value(); }));
  EXPECT_TRUE(kept->gone());
  kept->respond({});
}

TEST_F(HttpTest, StopLetsRequestsFinishAndCutsEndlessOnes) {
  std::vector<ExchangePtr> held;
  bool gone = false;
  serve([&](const HttpRequest& request, ExchangePtr exchange) {
    if (request.target == "/endless") {
      exchange->on_gone([&] { gone = true; });
      exchange->begin(200, {});
    }
    held.push_back(std::move(exchange));
  });
  const auto idle = raw("");
  const auto slow = raw("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto endless = raw("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait([&] { return held.size() == 2 && server_->connections() == 3; }));
  bool stopped = false;
  server_->stop(100ms, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  EXPECT_FALSE(ask(make_request("GET", "/late"), at_));
  ASSERT_TRUE(wait([&] { return idle->closed.has_value(); }));
  EXPECT_FALSE(stopped);
  for (auto& exchange : held) exchange->respond({.status = 200, .headers = {}, .body = "done"});
  ASSERT_TRUE(wait([&] { return stopped; }));
  EXPECT_TRUE(slow->has("done"));
  EXPECT_TRUE(gone);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpTest, StopOfAnIdleServerIsToldLater) {
  serve(echo());
  bool stopped = false;
  server_->stop(1s, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  ASSERT_TRUE(wait([&] { return stopped; }));
}

TEST_F(HttpTest, ConnectionsOverTheLimitAreDropped) {
  serve(echo(), {.connection_limit = 2});
  const auto first = raw("");
  const auto second = raw("");
  ASSERT_TRUE(wait([&] { return server_->connections() == 2; }));
  const auto third = raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(wait([&] { return third->closed.has_value(); }));
  EXPECT_EQ(log_.lines.size(), 1U);
}

// --- client ---

TEST_F(HttpTest, ClientTellsWhatWentWrong) {
  HttpRequest bad = make_request("GET", "no slash");
  EXPECT_EQ(ask(bad, at_).error().code, Code::invalid_argument);
  const auto refused = ask(make_request("GET", "/"), {"127.0.0.1", 1, ""});
  EXPECT_EQ(refused.error().code, Code::unreachable);

  std::unique_ptr<Stream> peer;
  std::string answer;
  bool close = false;
  RawClient reader;
  const auto listener = net_.listen({"127.0.0.1", 0, ""}, {},
                                    [&](auto accepted) {
                                      peer = std::move(accepted).value();
                                      peer->set_handler(&reader);
                                      peer->write(answer);
                                      if (close) peer->close();
                                    })
                            .value();
  const Endpoint to = listener->endpoint();
  const auto silent = ask(make_request("GET", "/x"), to, {}, 50ms);
  EXPECT_EQ(silent.error().code, Code::timed_out);
  EXPECT_NE(silent.error().text().find("GET /x at 127.0.0.1:"), std::string::npos);
  answer = "SSH-2.0-OpenSSH_9.2\r\n";
  EXPECT_EQ(ask(make_request("GET", "/"), to).error().code, Code::corrupt);
  close = true;
  answer = "";
  EXPECT_EQ(ask(make_request("GET", "/"), to).error().code, Code::unreachable);
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort";
  EXPECT_EQ(ask(make_request("GET", "/"), to).error().code, Code::unreachable);
  answer = "HTTP/1.1 200 OK\r\n\r\nup to the end";
  EXPECT_EQ(ask(make_request("GET", "/"), to)->body, "up to the end");
  EXPECT_EQ(ask(make_request("GET", "/"), to, {}, 5s, 5).error().code, Code::too_large);
}

TEST_F(HttpTest, ADestroyedCallIsSilentAndMayDieInItsCallbacks) {
  serve(echo());
  bool called = false;
  client_.request(at_, nullptr, make_request("GET", "/"), 5s, [&](const auto&) { called = true; })
      .reset();
  loop_->run_until([] { return false; }, 20ms);
  EXPECT_FALSE(called);
  for (const int event : {0, 1, 2}) {
    std::unique_ptr<HttpCall> call;
    bool died = false;
    auto die = [&](int here) {
      if (here != event) return;
      call.reset();
      died = true;
    };
    call = client_.stream(at_, nullptr, make_request("GET", "/"), 5s, 0s,
                          {.on_head = [die](const HttpResponse&) { die(0); },
                           .on_chunk = [die](std::string_view) { die(1); },
                           .on_end = [die](const Status&) { die(2); }});
    EXPECT_TRUE(wait([&] { return died; }));
  }
}

TEST_F(HttpTest, RefusedClientCertificateIsReadableInTheAnswer) {
  const TestCa ca;
  const TestCa foreign("foreign");
  auto security = net_.make_security(ca.config()).value();
  serve(echo());
  const Endpoint tls = server_->listen({"127.0.0.1", 0, ""}, [&] { return security; }).value();
  SecurityConfig config = foreign.config();
  config.trust_pem = ca.pem();
  const auto answer = ask(make_request("GET", "/"), tls, net_.make_security(config).value());
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().text().find("peer refused our certificate: unknown CA"),
            std::string::npos)
      << answer.error().text();
  ASSERT_TRUE(wait([&] { return !log_.lines.empty(); }));
  EXPECT_NE(log_.lines[0].find("unable to get local issuer certificate"), std::string::npos);
}

TEST_F(HttpTest, LargeBodiesGoBothWays) {
  serve(echo());
  const std::string body(size_t{7} * 1024 * 1024, 'b');
  const auto answer = ask(make_request("PUT", "/", body), at_);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_TRUE(answer->body == "PUT / " + body);
}

}  // namespace
}  // namespace drover::net
