// What every implementation of the Net seam owes its users, as tests: net_test runs them over real
// sockets, sim_test over the simulated network. Instantiate with INSTANTIATE_TEST_SUITE_P.
#pragma once

#include "base/clock.hpp"
#include "net/net.hpp"

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::sim {

/// One implementation under test: a client's and a server's view of a network (they may be one).
class StreamRig {
 public:
  StreamRig() = default;
  StreamRig(const StreamRig&) = delete;
  StreamRig& operator=(const StreamRig&) = delete;
  virtual ~StreamRig() = default;
  virtual net::Net& client_net() = 0;
  virtual net::Net& server_net() = 0;
  virtual Executor& executor() = 0;
  /// Runs the loop until `done`; false when that takes more than `limit`.
  virtual bool run_until(Callback<bool()> done, Duration limit) = 0;
  /// Where the server listens; its port may be 0.
  virtual net::Endpoint listen_at() = 0;
  /// What the client dials for a listener bound at `bound`.
  virtual net::Endpoint dial(const net::Endpoint& bound) { return bound; }
  /// Something that nobody listens on.
  virtual net::Endpoint nobody() = 0;
  virtual std::shared_ptr<net::Security> server_security() { return nullptr; }
  virtual std::shared_ptr<net::Security> client_security() { return nullptr; }
  /// URIs that each side must see of the other; empty without TLS.
  virtual std::string server_uri() { return {}; }
  virtual std::string client_uri() { return {}; }
};

/// A kind of stream to test, by name.
struct StreamRigFactory {
  std::string name;
  std::unique_ptr<StreamRig> (*make)();
  /// For INSTANTIATE_TEST_SUITE_P.
  static std::string name_of(const testing::TestParamInfo<StreamRigFactory>& info) {
    return info.param.name;
  }
  friend void PrintTo(const StreamRigFactory& factory, std::ostream* out) { *out << factory.name; }
};

/// Notes what a stream tells its handler; does `on_bytes` inside on_data.
class RecordingHandler final : public net::StreamHandler {
 public:
  void on_data(std::string_view bytes) override {
    EXPECT_FALSE(in_call) << "an event inside a call into the stream";
    EXPECT_FALSE(closed) << "data after on_closed";
    data += bytes;
    if (on_bytes) on_bytes();
  }
  void on_drained() override {
    EXPECT_FALSE(in_call);
    ++drained;
  }
  void on_closed(const Error& why) override {
    EXPECT_FALSE(in_call);
    EXPECT_FALSE(closed) << "on_closed twice";
    closed = why;
    if (on_end) on_end();
  }

  std::string data;
  std::optional<Error> closed;
  int drained = 0;
  bool in_call = false;
  Callback<void()> on_bytes;
  Callback<void()> on_end;
};

class StreamContract : public testing::TestWithParam<StreamRigFactory> {
 protected:
  static constexpr Duration kLimit = std::chrono::seconds(60);

  void SetUp() override {
    rig_ = GetParam().make();
    auto made = rig_->server_net().listen(
        rig_->listen_at(), [this] { return rig_->server_security(); },
        [this](tl::expected<std::unique_ptr<net::Stream>, net::AcceptFailure> accepted) {
          if (accepted) {
            server_ = *std::move(accepted);
            server_->set_handler(&at_server_);
          } else {
            failures_.push_back(accepted.error());
          }
        });
    ASSERT_TRUE(made) << made.error().text();
    listener_ = *std::move(made);
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    connecting_.reset();
    listener_.reset();
    rig_.reset();
  }
  bool run_until(Callback<bool()> done) { return rig_->run_until(std::move(done), kLimit); }
  void dial() {
    connecting_ = rig_->client_net().connect(rig_->dial(listener_->endpoint()),
                                             rig_->client_security(), std::chrono::seconds(5),
                                             [this](Result<std::unique_ptr<net::Stream>> result) {
                                               ++connected_calls_;
                                               ASSERT_TRUE(result) << result.error().text();
                                               client_ = *std::move(result);
                                               client_->set_handler(&at_client_);
                                             });
    EXPECT_EQ(connected_calls_, 0) << "the callback inside connect()";
  }
  void connect_both() {
    dial();
    ASSERT_TRUE(run_until([this] { return client_ != nullptr && server_ != nullptr; }));
  }
  /// Runs until an echo of everything in the executor and the network has passed.
  void settle() {
    int hops = 0;
    Timer timer;
    timer.after(rig_->executor(), std::chrono::milliseconds(50), [&] { hops = 1; });
    ASSERT_TRUE(run_until([&] { return hops == 1; }));
  }

  std::unique_ptr<StreamRig> rig_;
  RecordingHandler at_client_;
  RecordingHandler at_server_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> client_;
  std::unique_ptr<net::Stream> server_;
  std::vector<net::AcceptFailure> failures_;
  int connected_calls_ = 0;
};

TEST_P(StreamContract, BytesArriveInOrderBothWays) {
  connect_both();
  std::string up;
  std::string down;
  for (int i = 0; i < 2000; ++i) {
    up += "up " + std::to_string(i) + ";";
    down += "down " + std::to_string(i) + ";";
  }
  for (size_t at = 0; at < up.size(); at += 777) client_->write(up.substr(at, 777));
  server_->write(down);
  ASSERT_TRUE(run_until([&] {
    return at_server_.data.size() >= up.size() && at_client_.data.size() >= down.size();
  }));
  EXPECT_EQ(at_server_.data, up);
  EXPECT_EQ(at_client_.data, down);
  EXPECT_EQ(connected_calls_, 1);
}

TEST_P(StreamContract, PeersSeeWhatTheTransportProved) {
  connect_both();
  EXPECT_EQ(client_->peer().certificate_uri, rig_->server_uri());
  EXPECT_EQ(server_->peer().certificate_uri, rig_->client_uri());
  EXPECT_EQ(client_->peer().certificate_expiry.has_value(), !rig_->server_uri().empty());
  EXPECT_FALSE(server_->peer().address.empty());
}

TEST_P(StreamContract, NoEventComesInsideACall) {
  connect_both();
  at_client_.in_call = true;
  client_->write("x");
  client_->pause_reading(true);
  client_->pause_reading(false);
  client_->set_handler(&at_client_);
  client_->close();
  at_client_.in_call = false;
  ASSERT_TRUE(run_until([&] { return at_client_.closed && at_server_.closed; }));
}

TEST_P(StreamContract, CloseSendsWhatIsQueuedThenEndsBothSides) {
  connect_both();
  const std::string much(3'000'000, 'z');
  client_->write(much);
  client_->close();
  ASSERT_TRUE(run_until([&] { return at_server_.closed.has_value(); }));
  EXPECT_EQ(at_server_.data.size(), much.size());
  EXPECT_EQ(at_server_.closed->code, Code::cancelled) << at_server_.closed->text();
  EXPECT_EQ(at_server_.closed->message, "closed by peer");
  ASSERT_TRUE(run_until([&] { return at_client_.closed.has_value(); }));
}

TEST_P(StreamContract, DestroyingEndsThePeerAndSaysNothingHere) {
  connect_both();
  client_.reset();
  ASSERT_TRUE(run_until([&] { return at_server_.closed.has_value(); }));
  settle();
  EXPECT_FALSE(at_client_.closed);
}

TEST_P(StreamContract, LastWordsReachThePeerOfAStreamThatIsDestroyedAfterItsClose) {
  connect_both();
  at_server_.on_bytes = [&] {  // inside an event, where nothing is flushed yet
    server_->write("last words");
    server_->close();
    server_.reset();
  };
  client_->write("question");
  ASSERT_TRUE(run_until([&] { return at_client_.closed.has_value(); }));
  EXPECT_EQ(at_client_.data, "last words");
  EXPECT_EQ(at_client_.closed->code, Code::cancelled) << at_client_.closed->text();
}

TEST_P(StreamContract, AHandlerMayDestroyItsStreamInsideOnData) {
  connect_both();
  at_server_.on_bytes = [&] { server_.reset(); };
  client_->write(std::string(100'000, 'a'));
  ASSERT_TRUE(run_until([&] { return server_ == nullptr; }));
  ASSERT_TRUE(run_until([&] { return at_client_.closed.has_value(); }));
  EXPECT_FALSE(at_server_.closed);
}

TEST_P(StreamContract, AHandlerMayDestroyItsStreamInsideOnClosed) {
  connect_both();
  at_server_.on_end = [&] { server_.reset(); };
  client_->close();
  ASSERT_TRUE(run_until([&] { return server_ == nullptr; }));
}

TEST_P(StreamContract, AHandlerMayWriteAndCloseInsideOnData) {
  connect_both();
  at_server_.on_bytes = [&] {
    server_->write("answer");
    server_->close();
  };
  client_->write("question");
  ASSERT_TRUE(run_until([&] { return at_client_.closed.has_value(); }));
  EXPECT_EQ(at_client_.data, "answer");
}

TEST_P(StreamContract, ASlowReaderPushesBack) {
  connect_both();
  server_->pause_reading(true);
  // More than Linux's default limits of a TCP connection's buffers: 4 MiB to send, 6 MiB to
  // receive.
  const size_t much = size_t{24} << 20;
  client_->write(std::string(much, 'b'));
  settle();
  EXPECT_GT(client_->unsent(), 0U);
  EXPECT_EQ(at_client_.drained, 0);
  EXPECT_TRUE(at_server_.data.empty());
  server_->pause_reading(false);
  ASSERT_TRUE(run_until([&] { return at_server_.data.size() == much; }));
  EXPECT_EQ(client_->unsent(), 0U);
  ASSERT_TRUE(run_until([&] { return at_client_.drained == 1; }));
}

TEST_P(StreamContract, NothingIsReadBeforeTheFirstHandler) {
  dial();
  ASSERT_TRUE(run_until([this] { return client_ != nullptr && server_ != nullptr; }));
  RecordingHandler late;
  server_->set_handler(nullptr);
  client_->write("early");
  settle();
  EXPECT_TRUE(at_server_.data.empty());
  server_->set_handler(&late);
  ASSERT_TRUE(run_until([&] { return late.data == "early"; }));
}

TEST_P(StreamContract, NobodyListeningIsAnErrorThatSaysSo) {
  std::optional<Error> why;
  auto connecting =
      rig_->client_net().connect(rig_->nobody(), rig_->client_security(), std::chrono::seconds(5),
                                 [&](Result<std::unique_ptr<net::Stream>> result) {
                                   ASSERT_FALSE(result);
                                   why = result.error();
                                 });
  EXPECT_FALSE(why) << "the callback inside connect()";
  ASSERT_TRUE(run_until([&] { return why.has_value(); }));
  EXPECT_EQ(why->code, Code::unreachable) << why->text();
}

TEST_P(StreamContract, ADestroyedConnectingSaysNothing) {
  dial();
  connecting_.reset();
  settle();
  EXPECT_EQ(connected_calls_, 0);
}

TEST_P(StreamContract, AStreamOutlivesItsListener) {
  connect_both();
  listener_.reset();
  client_->write("still here");
  ASSERT_TRUE(run_until([&] { return at_server_.data == "still here"; }));
}

TEST_P(StreamContract, AClosedListenerRefuses) {
  const net::Endpoint at = rig_->dial(listener_->endpoint());
  listener_.reset();
  std::optional<Error> why;
  auto connecting = rig_->client_net().connect(at, rig_->client_security(), std::chrono::seconds(5),
                                               [&](Result<std::unique_ptr<net::Stream>> result) {
                                                 ASSERT_FALSE(result);
                                                 why = result.error();
                                               });
  ASSERT_TRUE(run_until([&] { return why.has_value(); }));
  EXPECT_EQ(why->code, Code::unreachable) << why->text();
}

}  // namespace drover::sim
