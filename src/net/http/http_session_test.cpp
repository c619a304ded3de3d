// The kept connection of a client: order, one connection for many requests, servers that close,
// are slow, or talk nonsense.
#include "net/http/http_session.hpp"

#include "net/http/http_server.hpp"
#include "net/real_net.hpp"

#include <list>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;

/// A server that counts its connections and answers by script.
struct Server final : StreamHandler {
  explicit Server(Net& net) {
    listener = net.listen({"127.0.0.1", 0, ""}, nullptr,
                          [this](auto got) {
                            ++connections;
                            stream = *std::move(got);
                            seen.clear();
                            stream->set_handler(this);
                          })
                   .value();
  }
  void on_data(std::string_view bytes) override {
    seen += bytes;
    if (!seen.ends_with("\r\n\r\n") && !seen.ends_with("body")) return;
    ++requests;
    all += seen;
    seen.clear();
    if (answer) answer(*this);
  }
  void on_closed(const Error&) override { stream.reset(); }

  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> stream;
  Callback<void(Server&)> answer;
  std::string seen;
  std::string all;
  int connections = 0;
  int requests = 0;
};

void say_ok(Server& server) {
  server.stream->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

class HttpSessionTest : public ::testing::Test {
 protected:
  HttpSession& session(HttpSessionOptions options = {}) {
    return session_.emplace(*loop_, net_, server_.listener->endpoint(), nullptr, options);
  }
  void send(HttpSession& to, const std::string& body = "body") {
    HttpRequest request;
    request.method = "POST";
    request.target = "/t";
    request.body = body;
    to.send(std::move(request),
            [this](Result<HttpResponse> got) { answers_.push_back(std::move(got)); });
  }
  bool wait_for(size_t answers) {
    return loop_->run_until([&] { return answers_.size() >= answers; }, 5s);
  }

  std::unique_ptr<Loop> loop_ = Loop::make().value();
  RealNet net_{*loop_};
  Server server_{net_};
  std::vector<Result<HttpResponse>> answers_;
  std::optional<HttpSession> session_;
};

TEST_F(HttpSessionTest, ManyRequestsGoOverOneConnectionInOrder) {
  int number = 0;
  server_.answer = [&](Server& server) {
    server.stream->write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(number++));
  };
  auto& to = session();
  for (int i = 0; i < 5; ++i) send(to);
  ASSERT_TRUE(wait_for(5));
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(answers_[i]) << answers_[i].error().text();
    EXPECT_EQ(answers_[i]->body, std::to_string(i));
  }
  EXPECT_EQ(server_.connections, 1);
  EXPECT_EQ(server_.all.find("Connection: close"), std::string::npos);
}

TEST_F(HttpSessionTest, AClosedConnectionIsMadeAnewWithoutLosingTheRequest) {
  server_.answer = &say_ok;
  auto& to = session();
  send(to);
  ASSERT_TRUE(wait_for(1));
  server_.answer = [](Server& server) {  // the request is swallowed with the connection
    server.answer = &say_ok;
    server.stream.reset();
  };
  send(to);
  ASSERT_TRUE(wait_for(2));
  EXPECT_TRUE(answers_[1]) << answers_[1].error().text();
  EXPECT_EQ(server_.connections, 2);
}

TEST_F(HttpSessionTest, WhatMayHaveBeenDoneIsNotDoneTwiceWhereThatIsForbidden) {
  server_.answer = &say_ok;
  HttpSessionOptions options;
  options.repeat_unsafe = false;
  auto& to = session(options);
  send(to);
  ASSERT_TRUE(wait_for(1));
  server_.answer = [](Server& server) {
    server.answer = &say_ok;
    server.stream.reset();
  };
  send(to);
  ASSERT_TRUE(wait_for(2));
  ASSERT_FALSE(answers_[1]);
  EXPECT_EQ(answers_[1].error().code, Code::unreachable);
  EXPECT_EQ(server_.requests, 2);
  send(to);
  ASSERT_TRUE(wait_for(3));
  EXPECT_TRUE(answers_[2]);
}

TEST_F(HttpSessionTest, APeerThatIsNotTheOneIsToldNothing) {
  server_.answer = &say_ok;
  HttpSessionOptions options;
  options.check_peer = std::make_shared<Callback<Status(const Peer&)>>(
      [](const Peer&) -> Status { return fail(Code::unauthenticated, "somebody else"); });
  auto& to = session(options);
  send(to);
  ASSERT_TRUE(wait_for(1));
  ASSERT_FALSE(answers_[0]);
  EXPECT_EQ(answers_[0].error().code, Code::unauthenticated);
  EXPECT_EQ(server_.all, "");
}

TEST_F(HttpSessionTest, AServerThatClosesUnheardIsNotAskedForEver) {
  server_.answer = [](Server& server) { server.stream.reset(); };
  send(session());
  ASSERT_TRUE(wait_for(1));
  ASSERT_FALSE(answers_[0]);
  EXPECT_EQ(answers_[0].error().code, Code::unreachable);
  EXPECT_EQ(server_.connections, 1) << "the first request of a connection is not sent again";
}

TEST_F(HttpSessionTest, CloseIsHeeded) {
  server_.answer = [](Server& server) {
    server.stream->write(
        "HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  auto& to = session();
  send(to);
  send(to);
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(answers_[1]->status, 204);
  EXPECT_EQ(server_.connections, 2);
}

TEST_F(HttpSessionTest, SilenceNonsenseAndFloodsEndTheRequestAlone) {
  auto& to = session({.timeout = 50ms, .body_limit = 1000});
  send(to);
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(answers_[0].error().code, Code::timed_out);
  server_.answer = [](Server& server) { server.stream->write("no HTTP at all\r\n\r\n"); };
  send(to);
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(answers_[1].error().code, Code::corrupt);
  server_.answer = [](Server& server) {
    server.stream->write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" +
                         std::string(5000, 'x'));
  };
  send(to);
  ASSERT_TRUE(wait_for(3));
  EXPECT_EQ(answers_[2].error().code, Code::too_large);
  server_.answer = &say_ok;
  send(to);
  ASSERT_TRUE(wait_for(4));
  EXPECT_TRUE(answers_[3]) << answers_[3].error().text();
}

TEST_F(HttpSessionTest, NobodyThereAndTooManyWaiting) {
  auto& to = session({.queue_limit = 1});
  server_.listener.reset();
  send(to);
  send(to);
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(answers_[0].error().code, Code::exhausted);
  EXPECT_EQ(answers_[1].error().code, Code::unreachable);
}

}  // namespace
}  // namespace drover::net
