// The simulated network: the stream contract, and what faults do to it.
#include "sim/sim_net.hpp"

#include "sim/stream_contract.hpp"

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two processes on two hosts, with or without TLS, or on one host over a Unix socket.
class SimRig final : public StreamRig {
 public:
  enum class Kind { plain, tls, unix_socket };
  SimRig(uint64_t seed, Kind kind)
      : world(seed),
        fabric(world),
        kind_(kind),
        client(world, {.name = "client", .host = kind == Kind::unix_socket ? "b" : "a"}),
        server(world, {.name = "server", .host = "b", .uid = 7, .gid = 8}),
        client_net_(fabric, client),
        server_net_(fabric, server) {}

  net::Net& client_net() override { return client_net_; }
  net::Net& server_net() override { return server_net_; }
  Executor& executor() override { return client.executor(); }
  bool run_until(Callback<bool()> done, Duration limit) override {
    return world.run_until(std::move(done), limit).has_value();
  }
  net::Endpoint listen_at() override {
    if (kind_ == Kind::unix_socket) return {{}, 0, "/run/x.sock"};
    return {"0.0.0.0", 0, {}};
  }
  net::Endpoint dial(const net::Endpoint& bound) override {
    if (kind_ == Kind::unix_socket) return bound;
    return {"b", bound.port, {}};
  }
  net::Endpoint nobody() override {
    if (kind_ == Kind::unix_socket) return {{}, 0, "/run/none.sock"};
    return {"b", 1, {}};
  }
  std::shared_ptr<net::Security> security(const std::string& uri, const std::string& ca,
                                          Duration valid, const std::string& trust) {
    return client_net_
        .make_security({.certificate_pem = sim_certificate(uri, world.wall() + valid, ca),
                        .key_pem = {},
                        .trust_pem = sim_ca(trust),
                        .verify_peer = true,
                        .pinned_ca_sha256 = {}})
        .value();
  }
  std::shared_ptr<net::Security> server_security() override {
    return kind_ == Kind::tls ? security("drover://c/master/m", "ca", seconds(3600), "ca")
                              : nullptr;
  }
  std::shared_ptr<net::Security> client_security() override {
    return kind_ == Kind::tls ? security("drover://c/compute/n1", "ca", seconds(3600), "ca")
                              : nullptr;
  }
  std::string server_uri() override { return kind_ == Kind::tls ? "drover://c/master/m" : ""; }
  std::string client_uri() override { return kind_ == Kind::tls ? "drover://c/compute/n1" : ""; }

  World world;
  Fabric fabric;

 private:
  Kind kind_;

 public:
  SimProcess client;
  SimProcess server;

 private:
  SimNet client_net_;
  SimNet server_net_;
};

template <SimRig::Kind kind>
std::unique_ptr<StreamRig> rig() {
  return std::make_unique<SimRig>(1, kind);
}

INSTANTIATE_TEST_SUITE_P(Sim, StreamContract,
                         testing::Values(StreamRigFactory{"plain", rig<SimRig::Kind::plain>},
                                         StreamRigFactory{"tls", rig<SimRig::Kind::tls>},
                                         StreamRigFactory{"unix", rig<SimRig::Kind::unix_socket>}),
                         StreamRigFactory::name_of);

/// One connection between two processes, under faults.
class SimNetFaults : public testing::Test {
 protected:
  explicit SimNetFaults(uint64_t seed = 11, SimRig::Kind kind = SimRig::Kind::plain)
      : rig_(seed, kind) {}

  void listen(const std::shared_ptr<net::Security>& security = nullptr) {
    listener_ = rig_.server_net()
                    .listen(
                        {"", 900, {}}, [security] { return security; },
                        [this](auto accepted) {
                          if (!accepted) {
                            failures_.push_back(accepted.error());
                            return;
                          }
                          server_ = *std::move(accepted);
                          server_->set_handler(&at_server_);
                        })
                    .value();
  }
  void dial(std::shared_ptr<net::Security> security = nullptr, Duration timeout = seconds(5)) {
    connecting_ = rig_.client_net().connect({"b", 900, {}}, std::move(security), timeout,
                                            [this](auto result) {
                                              if (!result) {
                                                refused_ = result.error();
                                                return;
                                              }
                                              client_ = *std::move(result);
                                              client_->set_handler(&at_client_);
                                            });
  }
  void connect_both() {
    listen();
    dial();
    ASSERT_TRUE(rig_.world.run_until([&] { return client_ && server_; }, seconds(1)));
  }
  void run(Duration time) { ASSERT_TRUE(rig_.world.run_for(time)); }

  SimRig rig_;
  RecordingHandler at_client_;
  RecordingHandler at_server_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> client_;
  std::unique_ptr<net::Stream> server_;
  std::optional<Error> refused_;
  std::vector<net::AcceptFailure> failures_;
};

TEST_F(SimNetFaults, APartitionHoldsBytesAndHealingLetsThemGo) {
  connect_both();
  rig_.fabric.partition({"a"}, {"b"});
  client_->write("held");
  run(seconds(20));
  EXPECT_EQ(at_server_.data, "");
  rig_.fabric.heal({"a"}, {"b"});
  run(seconds(5));
  EXPECT_EQ(at_server_.data, "held");
  EXPECT_FALSE(at_server_.closed);
}

TEST_F(SimNetFaults, ALongPartitionEndsBothEnds) {
  connect_both();
  rig_.fabric.partition({"a"}, {"b"});
  run(seconds(31));
  ASSERT_TRUE(at_client_.closed);
  ASSERT_TRUE(at_server_.closed);
  EXPECT_EQ(at_client_.closed->code, Code::timed_out);
}

TEST_F(SimNetFaults, AOneWayBlockLetsTheOtherDirectionThrough) {
  connect_both();
  rig_.fabric.block("a", "b");
  client_->write("up");
  server_->write("down");
  run(seconds(1));
  EXPECT_EQ(at_server_.data, "");
  EXPECT_EQ(at_client_.data, "down");
}

TEST_F(SimNetFaults, FaultsOfOnePathNest) {
  connect_both();
  rig_.fabric.partition({"a"}, {"b"});
  rig_.fabric.partition({"a"}, {"b"});
  rig_.fabric.heal({"a"}, {"b"});
  client_->write("x");
  run(seconds(10));
  EXPECT_EQ(at_server_.data, "");
}

TEST_F(SimNetFaults, ConnectingAcrossAPartitionTimesOut) {
  listen();
  rig_.fabric.partition({"a"}, {"b"});
  dial(nullptr, seconds(3));
  run(milliseconds(2999));
  EXPECT_FALSE(refused_);
  run(milliseconds(2));
  ASSERT_TRUE(refused_);
  EXPECT_EQ(refused_->code, Code::timed_out);
}

TEST_F(SimNetFaults, ConnectingSucceedsWhenThePartitionHealsInTime) {
  listen();
  rig_.fabric.partition({"a"}, {"b"});
  dial(nullptr, seconds(5));
  run(seconds(1));
  rig_.fabric.heal({"a"}, {"b"});
  run(seconds(3));
  EXPECT_TRUE(client_ != nullptr && server_ != nullptr);
}

TEST_F(SimNetFaults, AKilledProcessEndsItsConnectionsAndHearsNothing) {
  connect_both();
  rig_.server.kill();
  client_->write("anyone?");
  run(seconds(1));
  ASSERT_TRUE(at_client_.closed);
  EXPECT_EQ(at_client_.closed->message, "closed by peer");
  EXPECT_FALSE(at_server_.closed);
  EXPECT_EQ(at_server_.data, "");
  dial();
  run(seconds(1));
  ASSERT_TRUE(refused_);
  EXPECT_NE(refused_->message.find("connection refused"), std::string::npos);
}

TEST_F(SimNetFaults, APowerCutIsSilentUntilTheHostIsUpAgain) {
  connect_both();
  rig_.fabric.set_host_down("b", true);
  rig_.server.kill();
  run(seconds(10));
  EXPECT_FALSE(at_client_.closed);
  rig_.fabric.set_host_down("b", false);
  run(seconds(5));
  ASSERT_TRUE(at_client_.closed);
  EXPECT_EQ(at_client_.closed->message, "connection reset by peer");
}

TEST_F(SimNetFaults, APausedProcessKeepsItsSocketsAndPushesBack) {
  connect_both();
  rig_.server.pause();
  client_->write(std::string(1'000'000, 'x'));
  run(seconds(5));
  EXPECT_EQ(at_server_.data, "");
  EXPECT_GE(client_->unsent(), 1'000'000 - rig_.fabric.options().window);
  EXPECT_FALSE(at_client_.closed);
  rig_.server.resume();
  run(seconds(1));
  EXPECT_EQ(at_server_.data.size(), 1'000'000U);
}

TEST_F(SimNetFaults, ASlowLinkTakesTheTimeItsBandwidthSays) {
  connect_both();
  rig_.fabric.set_bandwidth("a", "b", 100'000);
  client_->write(std::string(200'000, 'x'));
  run(milliseconds(1900));
  EXPECT_LT(at_server_.data.size(), 200'000U);
  run(milliseconds(200));
  EXPECT_EQ(at_server_.data.size(), 200'000U);
}

TEST_F(SimNetFaults, LossShowsAsDelayAndNothingIsLost) {
  connect_both();
  rig_.fabric.set_loss("a", "b", 0.3);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const std::string piece = std::to_string(i) + ",";
    all += piece;
    client_->write(piece);
    run(milliseconds(10));
  }
  run(seconds(30));
  EXPECT_EQ(at_server_.data, all);
}

TEST_F(SimNetFaults, AnUnknownHostIsRefusedByName) {
  std::optional<Error> why;
  auto connecting = rig_.client_net().connect({"nowhere", 1, {}}, nullptr, seconds(1),
                                              [&](auto result) { why = result.error(); });
  run(seconds(1));
  ASSERT_TRUE(why);
  EXPECT_NE(why->message.find("'nowhere'"), std::string::npos);
}

TEST_F(SimNetFaults, APortInUseIsRefused) {
  listen();
  const auto again = rig_.server_net().listen({"", 900, {}}, nullptr, [](auto) {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::already_exists);
}

/// The words of a refused handshake at both ends.
struct Refusal {
  std::string at_client;  ///< connect's error or the stream's end
  std::string at_server;
};

class SimTls : public SimNetFaults {
 protected:
  SimTls() : SimNetFaults(12, SimRig::Kind::tls) {}
  Refusal try_handshake(const std::shared_ptr<net::Security>& server,
                        std::shared_ptr<net::Security> client) {
    listen(server);
    dial(std::move(client));
    run(seconds(12));
    EXPECT_EQ(server_, nullptr);
    Refusal seen;
    if (refused_) seen.at_client = refused_->message;
    if (at_client_.closed) seen.at_client = at_client_.closed->message;
    if (!failures_.empty()) seen.at_server = failures_.front().error.message;
    EXPECT_EQ(failures_.size(), 1U);
    return seen;
  }
  std::shared_ptr<net::Security> make(const std::string& ca, Duration valid,
                                      const std::string& trust) {
    return rig_.security("drover://c/compute/n1", ca, valid, trust);
  }
};

TEST_F(SimTls, AnExpiredClientIsRefusedAndToldWhy) {
  const auto seen = try_handshake(make("ca", seconds(60), "ca"), make("ca", seconds(-60), "ca"));
  EXPECT_NE(seen.at_server.find("certificate has expired"), std::string::npos);
  EXPECT_EQ(seen.at_client, "peer refused our certificate: certificate expired");
}

TEST_F(SimTls, AForeignClientIsRefusedAndToldWhy) {
  const auto seen = try_handshake(make("ca", seconds(60), "ca"), make("other", seconds(60), "ca"));
  EXPECT_NE(seen.at_server.find("unable to get local issuer certificate"), std::string::npos);
  EXPECT_EQ(seen.at_client, "peer refused our certificate: unknown CA");
}

TEST_F(SimTls, AnExpiredServerIsRefusedByTheClient) {
  const auto seen = try_handshake(make("ca", seconds(-60), "ca"), make("ca", seconds(60), "ca"));
  EXPECT_NE(seen.at_client.find("certificate has expired"), std::string::npos);
  EXPECT_EQ(seen.at_server, "peer refused our certificate: certificate expired");
}

TEST_F(SimTls, AClientWithoutCertificateIsRefused) {
  const auto bare = rig_.client_net()
                        .make_security({.certificate_pem = {},
                                        .key_pem = {},
                                        .trust_pem = sim_ca("ca"),
                                        .verify_peer = true,
                                        .pinned_ca_sha256 = {}})
                        .value();
  const auto seen = try_handshake(make("ca", seconds(60), "ca"), bare);
  EXPECT_EQ(seen.at_client, "peer refused our certificate: certificate required");
}

TEST_F(SimTls, AClockThatJumpedAheadSeesExpiredCertificates) {
  rig_.client.jump_clock(std::chrono::hours(2));
  const auto seen = try_handshake(make("ca", seconds(60), "ca"), make("ca", seconds(60), "ca"));
  EXPECT_NE(seen.at_client.find("certificate has expired"), std::string::npos);
}

TEST_F(SimTls, APinnedCaStandsForTrust) {
  const auto pinned =
      rig_.client_net()
          .make_security({.certificate_pem = sim_certificate("drover://c/compute/n2",
                                                             rig_.world.wall() + seconds(9), "ca"),
                          .key_pem = {},
                          .trust_pem = {},
                          .verify_peer = true,
                          .pinned_ca_sha256 = sim_ca_digest("ca")})
          .value();
  listen(make("ca", seconds(60), "ca"));
  dial(pinned);
  run(seconds(1));
  ASSERT_TRUE(server_);
  EXPECT_EQ(server_->peer().certificate_uri, "drover://c/compute/n2");
}

TEST_F(SimTls, APausedServerMakesTheHandshakeTimeOut) {
  listen(make("ca", seconds(60), "ca"));
  rig_.server.pause();
  dial(make("ca", seconds(60), "ca"), seconds(5));
  run(seconds(6));
  ASSERT_TRUE(refused_);
  EXPECT_EQ(refused_->code, Code::timed_out);
  rig_.server.resume();
  run(seconds(1));
  EXPECT_FALSE(server_);
}

TEST_F(SimTls, APlainClientOnATlsPortIsAFailureAtTheServer) {
  listen(make("ca", seconds(60), "ca"));
  dial();
  run(seconds(1));
  ASSERT_TRUE(client_);
  client_->write("GET / HTTP/1.1\r\n");
  run(seconds(1));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_TRUE(at_client_.closed);
}

TEST_F(SimTls, ASilentClientOnATlsPortTimesOut) {
  listen(make("ca", seconds(60), "ca"));
  dial();
  run(seconds(11));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_.front().error.code, Code::timed_out);
}

TEST_F(SimTls, AKilledProcessIsMissedBecauseItSaidNoGoodbye) {
  listen(make("ca", seconds(60), "ca"));
  dial(make("ca", seconds(60), "ca"));
  run(seconds(1));
  ASSERT_TRUE(server_);
  rig_.server.kill();
  run(seconds(1));
  ASSERT_TRUE(at_client_.closed);
  EXPECT_EQ(at_client_.closed->code, Code::unreachable);
}

TEST_F(SimTls, AKilledServerBreaksTheHandshake) {
  listen(make("ca", seconds(60), "ca"));
  rig_.server.pause();
  dial(make("ca", seconds(60), "ca"));
  run(milliseconds(100));
  rig_.server.kill();
  run(milliseconds(100));
  ASSERT_TRUE(refused_);
  EXPECT_EQ(refused_->code, Code::unreachable);
}

/// A chat of several processes under changing faults; the trace must depend on the seed alone.
std::string chat(uint64_t seed) {
  World world(seed);
  world.trace().keep_all();
  Fabric fabric(world, {.loss = 0.05});
  SimProcess server(world, {.name = "server", .host = "hub"});
  SimNet server_net(fabric, server);
  std::vector<std::unique_ptr<net::Stream>> accepted;
  std::vector<std::unique_ptr<RecordingHandler>> handlers;
  auto listener = server_net
                      .listen({"", 1, {}}, nullptr,
                              [&](auto stream) {
                                handlers.push_back(std::make_unique<RecordingHandler>());
                                accepted.push_back(*std::move(stream));
                                accepted.back()->set_handler(handlers.back().get());
                                net::Stream* raw = accepted.back().get();
                                handlers.back()->on_bytes = [raw] { raw->write("pong"); };
                              })
                      .value();
  struct Client {
    Client(World& world, Fabric& fabric, int n)
        : process(world, {.name = "c" + std::to_string(n), .host = "h" + std::to_string(n)}),
          net(fabric, process) {}
    SimProcess process;
    SimNet net;
    RecordingHandler handler;
    std::unique_ptr<net::Connecting> connecting;
    std::unique_ptr<net::Stream> stream;
    Timer timer;
    void tick() {
      if (stream != nullptr) stream->write(process.random().hex(8));
      process.log().info("tick");
      timer.after(process.executor(), process.random().between(milliseconds(1), milliseconds(90)),
                  [this] { tick(); });
    }
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(world, fabric, i));
    Client& it = *clients.back();
    it.connecting = it.net.connect({"hub", 1, {}}, nullptr, seconds(5), [&it](auto stream) {
      if (!stream) return;
      it.stream = *std::move(stream);
      it.stream->set_handler(&it.handler);
    });
    it.tick();
  }
  EXPECT_TRUE(world.run_for(seconds(1)));
  fabric.partition({"hub"}, {"h1", "h2"});
  EXPECT_TRUE(world.run_for(seconds(1)));
  clients[3]->process.kill();
  fabric.heal({"hub"}, {"h1", "h2"});
  EXPECT_TRUE(world.run_for(seconds(2)));
  return world.trace().text();
}

TEST(SimDeterminism, TheSameSeedGivesTheSameTraceByteForByte) {
  const std::string first = chat(42);
  EXPECT_GT(first.size(), 10'000U);
  EXPECT_EQ(first, chat(42));
  EXPECT_NE(first, chat(43));
}

}  // namespace
}  // namespace drover::sim
