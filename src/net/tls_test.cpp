// TLS: who is let in, who is not, and in which words each side is told.
#include "net/certificates_for_tests.hpp"
#include "net/real_net.hpp"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;
using testing::BioPtr;
using testing::Issued;
using testing::KeyPtr;
using testing::TestCa;
using testing::X509Ptr;

struct Ending final : StreamHandler {
  void on_data(std::string_view bytes) override { data += bytes; }
  void on_closed(const Error& why) override { closed = why; }
  std::string data;
  std::optional<Error> closed;
};

class TlsTest : public ::testing::Test {
 protected:
  using Accepted = tl::expected<std::unique_ptr<Stream>, AcceptFailure>;

  std::shared_ptr<Security> security(const SecurityConfig& config) {
    auto made = net_->make_security(config);
    EXPECT_TRUE(made) << made.error().text();
    return *made;
  }

  /// What one connection came to, on both sides.
  struct Outcome {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
    std::optional<Error> client_error;  ///< of connect, or what the stream was told afterwards
    std::optional<Error> server_error;
  };
  Outcome meet(const SecurityConfig& server_config, const SecurityConfig& client_config) {
    Outcome outcome;
    auto server_security = security(server_config);
    const auto listener = net_->listen(
                                  {"127.0.0.1", 0, ""}, [&] { return server_security; },
                                  [&](Accepted accepted) {
                                    if (accepted) {
                                      outcome.server = *std::move(accepted);
                                    } else {
                                      outcome.server_error = accepted.error().error;
                                    }
                                  })
                              .value();
    const auto connecting = net_->connect(listener->endpoint(), security(client_config), 5s,
                                          [&](Result<std::unique_ptr<Stream>> got) {
                                            if (got) {
                                              outcome.client = *std::move(got);
                                            } else {
                                              outcome.client_error = got.error();
                                            }
                                          });
    EXPECT_TRUE(loop_->run_until(
        [&] {
          return (outcome.client || outcome.client_error) &&
                 (outcome.server || outcome.server_error);
        },
        10s));
    if (outcome.client && outcome.server_error) {
      Ending ending;
      outcome.client->set_handler(&ending);
      outcome.client->write("a hello that is never read");
      EXPECT_TRUE(loop_->run_until([&] { return ending.closed.has_value(); }, 5s));
      outcome.client_error = ending.closed;
      outcome.client.reset();
    }
    return outcome;
  }

  static void expect_words(const std::optional<Error>& error, Code code, const std::string& words) {
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, code) << error->text();
    EXPECT_NE(error->text().find(words), std::string::npos) << error->text();
  }

  TestCa ca_;
  TestCa foreign_{"foreign CA"};
  std::unique_ptr<Loop> loop_ = Loop::make().value();
  std::unique_ptr<RealNet> net_ = std::make_unique<RealNet>(*loop_);
};

TEST_F(TlsTest, BothEndsLearnTheOthersIdentity) {
  const auto outcome = meet(ca_.config({.uri = "drover://test/master/m1"}),
                            ca_.config({.uri = "drover://test/compute/n1", .valid_to_s = 7200}));
  ASSERT_TRUE(outcome.client && outcome.server);
  EXPECT_EQ(outcome.client->peer().certificate_uri, "drover://test/master/m1");
  EXPECT_EQ(outcome.server->peer().certificate_uri, "drover://test/compute/n1");
  EXPECT_TRUE(outcome.server->peer().address.starts_with("127.0.0.1:"));
  EXPECT_FALSE(outcome.server->peer().local);
  ASSERT_TRUE(outcome.server->peer().certificate_expiry);
  const Duration left = *outcome.server->peer().certificate_expiry - loop_->wall();
  EXPECT_LT(left, 7201s);
  EXPECT_GT(left, 7100s);
}

TEST_F(TlsTest, ExpiredClientIsRefusedAndBothSaySo) {
  const auto outcome = meet(ca_.config(), ca_.config({.valid_to_s = -1}));
  EXPECT_FALSE(outcome.server);
  expect_words(outcome.server_error, Code::unauthenticated,
               "certificate has expired (drover://test/compute/n1)");
  expect_words(outcome.client_error, Code::unauthenticated,
               "peer refused our certificate: certificate expired");
  EXPECT_FALSE(outcome.client_error->next.empty());
}

TEST_F(TlsTest, ExpiredServerIsRefusedAndBothSaySo) {
  const auto outcome = meet(ca_.config({.valid_to_s = -1}), ca_.config());
  EXPECT_FALSE(outcome.client);
  expect_words(outcome.client_error, Code::unauthenticated, "certificate has expired");
  expect_words(outcome.server_error, Code::unauthenticated,
               "peer refused our certificate: certificate expired");
}

TEST_F(TlsTest, NotYetValidIsRefused) {
  const auto outcome = meet(ca_.config(), ca_.config({.valid_from_s = 600}));
  expect_words(outcome.server_error, Code::unauthenticated, "certificate is not yet valid");
}

TEST_F(TlsTest, ForeignClientIsRefusedAndBothSaySo) {
  SecurityConfig client = foreign_.config();
  client.trust_pem = ca_.pem();
  const auto outcome = meet(ca_.config(), client);
  expect_words(outcome.server_error, Code::unauthenticated,
               "unable to get local issuer certificate (drover://test/compute/n1)");
  expect_words(outcome.client_error, Code::unauthenticated,
               "peer refused our certificate: unknown CA");
}

TEST_F(TlsTest, ForeignServerIsRefused) {
  SecurityConfig server = foreign_.config();
  server.trust_pem = ca_.pem();
  const auto outcome = meet(server, ca_.config());
  expect_words(outcome.client_error, Code::unauthenticated,
               "unable to get local issuer certificate");
  expect_words(outcome.server_error, Code::unauthenticated, "unknown CA");
}

TEST_F(TlsTest, MissingClientCertificateIsRefused) {
  SecurityConfig client;
  client.trust_pem = ca_.pem();
  const auto outcome = meet(ca_.config(), client);
  expect_words(outcome.server_error, Code::unauthenticated, "peer sent no certificate");
  expect_words(outcome.client_error, Code::unauthenticated,
               "peer refused our certificate: certificate required");
}

TEST_F(TlsTest, OneSidedListenerTakesNobodyAndSomebodyButNoForeigner) {
  SecurityConfig server = ca_.config();
  server.verify_peer = false;
  SecurityConfig nobody;
  nobody.trust_pem = ca_.pem();
  const auto anonymous = meet(server, nobody);
  ASSERT_TRUE(anonymous.server);
  EXPECT_TRUE(anonymous.server->peer().certificate_uri.empty());
  const auto known = meet(server, ca_.config());
  ASSERT_TRUE(known.server);
  EXPECT_EQ(known.server->peer().certificate_uri, "drover://test/compute/n1");
  SecurityConfig foreign = foreign_.config();
  foreign.trust_pem = ca_.pem();
  EXPECT_FALSE(meet(server, foreign).server);
}

TEST_F(TlsTest, CertificateForAnotherPurposeIsRefused) {
  const auto as_client = meet(ca_.config(), ca_.config({.usage = "serverAuth"}));
  expect_words(as_client.server_error, Code::unauthenticated, "purpose");
  const auto as_server = meet(ca_.config({.usage = "clientAuth"}), ca_.config());
  expect_words(as_server.client_error, Code::unauthenticated, "purpose");
}

TEST_F(TlsTest, AClientWithoutTrustTrustsNobody) {
  SecurityConfig client = ca_.config();
  client.trust_pem.clear();
  expect_words(meet(ca_.config(), client).client_error, Code::unauthenticated, "refused");
}

TEST_F(TlsTest, PinnedCaIsEnough) {
  SecurityConfig server = ca_.config();
  server.verify_peer = false;
  server.certificate_pem += ca_.pem();
  SecurityConfig client;
  client.pinned_ca_sha256 = ca_.sha256();
  const auto outcome = meet(server, client);
  ASSERT_TRUE(outcome.client) << outcome.client_error->text();
  EXPECT_EQ(outcome.client->peer().certificate_uri, "drover://test/compute/n1");
}

TEST_F(TlsTest, PinRefusesAnotherCaAndAChainWithoutItsRoot) {
  SecurityConfig client;
  client.pinned_ca_sha256 = ca_.sha256();
  SecurityConfig foreign = foreign_.config();
  foreign.verify_peer = false;
  foreign.certificate_pem += foreign_.pem();
  expect_words(meet(foreign, client).client_error, Code::unauthenticated, "pinned");
  // A foreign leaf beside the true root: the root is known to all, so sending it proves nothing.
  SecurityConfig liar = foreign_.config();
  liar.verify_peer = false;
  liar.certificate_pem += ca_.pem();
  EXPECT_FALSE(meet(liar, client).client);
  SecurityConfig bare = ca_.config();
  bare.verify_peer = false;
  expect_words(meet(bare, client).client_error, Code::unauthenticated, "pinned");
}

TEST_F(TlsTest, CertificatesRotateWithoutANewListener) {
  auto current = security(ca_.config({.uri = "drover://test/master/old"}));
  std::vector<std::unique_ptr<Stream>> accepted;
  const auto listener = net_->listen(
                                {"127.0.0.1", 0, ""}, [&] { return current; },
                                [&](Accepted got) { accepted.push_back(std::move(got).value()); })
                            .value();
  const auto client = security(ca_.config());
  std::vector<std::unique_ptr<Stream>> streams;
  auto dial = [&] {
    const size_t wanted = streams.size() + 1;
    const auto connecting = net_->connect(listener->endpoint(), client, 5s, [&](auto got) {
      streams.push_back(std::move(got).value());
    });
    EXPECT_TRUE(loop_->run_until(
        [&] { return streams.size() == wanted && accepted.size() == wanted; }, 5s));
  };
  dial();
  current = security(ca_.config({.uri = "drover://test/master/new"}));
  dial();
  EXPECT_EQ(streams[0]->peer().certificate_uri, "drover://test/master/old");
  EXPECT_EQ(streams[1]->peer().certificate_uri, "drover://test/master/new");
  Ending ending;
  streams[0]->set_handler(&ending);
  accepted[0]->write("the old one still works");
  EXPECT_TRUE(loop_->run_until([&] { return !ending.data.empty(); }, 5s));
}

TEST_F(TlsTest, APeerThatDoesNotSpeakTlsIsToldApart) {
  auto with = security(ca_.config());
  std::optional<AcceptFailure> failure;
  const auto listener = net_->listen(
                                {"127.0.0.1", 0, ""}, [&] { return with; },
                                [&](Accepted got) { failure = got.error(); })
                            .value();
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(4000, '\xff'),
        std::string("\x16\x03\x01\x00\x05hello", 10)}) {
    failure.reset();
    std::unique_ptr<Stream> client;
    const auto connecting = net_->connect(listener->endpoint(), nullptr, 5s,
                                          [&](auto got) { client = std::move(got).value(); });
    ASSERT_TRUE(loop_->run_until([&] { return client != nullptr; }, 5s));
    client->write(garbage);
    ASSERT_TRUE(loop_->run_until([&] { return failure.has_value(); }, 5s));
    EXPECT_EQ(failure->error.code, Code::corrupt) << failure->error.text();
    EXPECT_EQ(failure->error.text(), "TLS handshake: peer does not speak TLS");
    EXPECT_TRUE(failure->peer_address.starts_with("127.0.0.1:"));
  }
}

TEST_F(TlsTest, AServerThatDoesNotSpeakTlsIsToldApart) {
  std::unique_ptr<Stream> server;
  const auto listener = net_->listen({"127.0.0.1", 0, ""}, {},
                                     [&](Accepted got) {
                                       server = std::move(got).value();
                                       server->write("220 smtp.example ready\r\n");
                                     })
                            .value();
  std::optional<Error> error;
  const auto connecting =
      net_->connect(listener->endpoint(), security(ca_.config()), 5s,
                    [&](Result<std::unique_ptr<Stream>> got) { error = got.error(); });
  ASSERT_TRUE(loop_->run_until([&] { return error.has_value(); }, 5s));
  expect_words(error, Code::corrupt, "peer does not speak TLS");
  EXPECT_NE(error->text().find("TLS handshake to 127.0.0.1:"), std::string::npos);
}

TEST_F(TlsTest, SilentPeersTimeOutOnBothSides) {
  RealNet hasty(*loop_, {.handshake_limit = 1100ms});
  auto with = security(ca_.config());
  std::optional<AcceptFailure> failure;
  const auto listener = hasty
                            .listen(
                                {"127.0.0.1", 0, ""}, [&] { return with; },
                                [&](Accepted got) { failure = got.error(); })
                            .value();
  std::unique_ptr<Stream> silent;
  const auto plain = net_->connect(listener->endpoint(), nullptr, 5s,
                                   [&](auto got) { silent = std::move(got).value(); });
  std::unique_ptr<Stream> mute;
  const auto mute_listener =
      net_->listen({"127.0.0.1", 0, ""}, {}, [&](Accepted got) { mute = std::move(got).value(); })
          .value();
  std::optional<Error> error;
  const auto connecting =
      net_->connect(mute_listener->endpoint(), with, 100ms,
                    [&](Result<std::unique_ptr<Stream>> got) { error = got.error(); });
  ASSERT_TRUE(loop_->run_until([&] { return failure && error; }, 5s));
  EXPECT_EQ(failure->error.code, Code::timed_out);
  EXPECT_EQ(error->code, Code::timed_out);
}

TEST_F(TlsTest, AKilledPeerIsNotAnOrderlyEnd) {
  auto outcome = meet(ca_.config(), ca_.config());
  Ending ending;
  outcome.server->set_handler(&ending);
  outcome.client.reset();  // what the kernel does when a process dies: FIN without close_notify
  ASSERT_TRUE(loop_->run_until([&] { return ending.closed.has_value(); }, 5s));
  EXPECT_EQ(ending.closed->code, Code::unreachable);
}

TEST_F(TlsTest, AnyCertificateProvesItsKeyAndNothingElse) {
  SecurityConfig any;
  any.any_certificate = true;
  SecurityConfig server = foreign_.config({.valid_to_s = -1});
  server.verify_peer = false;
  const auto outcome = meet(server, any);
  ASSERT_TRUE(outcome.client) << outcome.client_error->text();
  EXPECT_EQ(outcome.client->peer().certificate_uri, "");
  EXPECT_EQ(outcome.client->peer().certificate_key_sha256.size(), 64U);
  const auto same = meet(server, any);
  EXPECT_EQ(same.client->peer().certificate_key_sha256,
            outcome.client->peer().certificate_key_sha256);
  SecurityConfig other = foreign_.config();
  other.verify_peer = false;
  const auto changed = meet(other, any);
  EXPECT_NE(changed.client->peer().certificate_key_sha256,
            outcome.client->peer().certificate_key_sha256);
}

/// A peer of an older age: one connection, TLS 1.2 alone, says "hi".
class OldServer {
 public:
  explicit OldServer(const Issued& identity) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    const BioPtr pem(BIO_new_mem_buf(identity.certificate_pem.data(), -1));
    const X509Ptr certificate(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    const BioPtr key_pem(BIO_new_mem_buf(identity.key_pem.data(), -1));
    const KeyPtr key(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    acceptor_.reset(BIO_new_accept("127.0.0.1:0"));
    BIO_do_accept(acceptor_.get());  // the first call binds
    port_ = static_cast<uint16_t>(std::stoi(BIO_get_accept_port(acceptor_.get())));
    thread_ = std::thread([this] { serve(); });
  }
  OldServer(const OldServer&) = delete;
  OldServer& operator=(const OldServer&) = delete;
  ~OldServer() { thread_.join(); }
  [[nodiscard]] Endpoint at() const { return {"127.0.0.1", port_, ""}; }

 private:
  void serve() {
    if (BIO_do_accept(acceptor_.get()) <= 0) return;
    const std::unique_ptr<SSL, testing::Freer<SSL_free>> ssl(SSL_new(context_.get()));
    BIO* connection = BIO_pop(acceptor_.get());
    SSL_set_bio(ssl.get(), connection, connection);
    if (SSL_accept(ssl.get()) == 1) SSL_write(ssl.get(), "hi", 2);
    SSL_shutdown(ssl.get());
  }

  std::unique_ptr<SSL_CTX, testing::Freer<SSL_CTX_free>> context_;
  BioPtr acceptor_;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(TlsTest, OlderTlsOnlyWhereItIsAllowed) {
  for (const bool allowed : {false, true}) {
    const OldServer old(foreign_.issue());
    SecurityConfig config;
    config.any_certificate = true;
    config.allow_tls12 = allowed;
    std::optional<Result<std::unique_ptr<Stream>>> got;
    const auto connecting =
        net_->connect(old.at(), security(config), 5s,
                      [&](Result<std::unique_ptr<Stream>> stream) { got = std::move(stream); });
    ASSERT_TRUE(loop_->run_until([&] { return got.has_value(); }, 10s));
    ASSERT_EQ(got->has_value(), allowed);
    if (!allowed) continue;
    Ending ending;
    (**got)->set_handler(&ending);
    EXPECT_TRUE(loop_->run_until([&] { return ending.closed.has_value(); }, 5s));
    EXPECT_EQ(ending.data, "hi");
    EXPECT_EQ((**got)->peer().certificate_key_sha256.size(), 64U);
  }
}

TEST_F(TlsTest, BrokenKeysAreRefusedWithAReason) {
  const auto good = ca_.config();
  auto expect_refused = [&](const SecurityConfig& config, const std::string& words) {
    const auto made = net_->make_security(config);
    ASSERT_FALSE(made) << words;
    EXPECT_EQ(made.error().code, Code::invalid_argument);
    EXPECT_NE(made.error().text().find(words), std::string::npos) << made.error().text();
  };
  SecurityConfig config = good;
  config.certificate_pem = "not PEM";
  expect_refused(config, "certificate");
  config = good;
  config.certificate_pem.resize(config.certificate_pem.size() / 2);
  expect_refused(config, "certificate");
  config = good;
  config.key_pem.clear();
  expect_refused(config, "private key");
  config = good;
  config.key_pem = ca_.issue().key_pem;
  expect_refused(config, "not the certificate's");
  config = good;
  config.trust_pem = "garbage";
  expect_refused(config, "trusted CA");
  config = SecurityConfig{};
  config.pinned_ca_sha256 = "abc";
  expect_refused(config, "64 hexadecimal digits");
}

}  // namespace
}  // namespace drover::net
