// Scans of a simulated network: what is found, what is left out, and that nothing which answers
// holds the scan up.
#include "hardware/discovery/bmc_scan.hpp"

#include "hardware/discovery/rmcp.hpp"
#include "net/datagram.hpp"
#include "net/http/http_server.hpp"
#include "sim/bmc/bmc_fleet.hpp"
#include "sim/bmc/bmc_harm.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"

#include <map>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::FoundBmc;
using cluster::ScanRequest;

/// Answers every datagram with what a test gave it.
class Parrot final : public net::DatagramHandler {
 public:
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& datagram : batch) {
      ++asked;
      if (deaf_for > 0) {
        --deaf_for;
        continue;
      }
      for (const std::string& answer : answers) {
        const net::OutgoingDatagram out{.head = answer, .to = datagram.from};
        socket->send({&out, 1});
      }
    }
  }
  std::vector<std::string> answers;
  int deaf_for = 0;
  int asked = 0;
  std::unique_ptr<net::DatagramSocket> socket;
};

/// What a BMC of IPMI 2.0 answers (see rmcp_test.cpp).
std::string capable() {
  std::string out("\x06\x00\xff\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10", 14);
  std::string message("\x81\x1c\x63\x20\x04\x38\x00\x01\x97\x04\x03\x00\x00\x00\x00", 15);
  unsigned sum = 0;
  for (size_t i = 3; i < message.size(); ++i) sum += static_cast<unsigned char>(message[i]);
  message.push_back(static_cast<char>(0x100U - (sum & 0xffU)));
  return out + message;
}

class BmcScanTest : public ::testing::Test {
 protected:
  BmcScanTest() {
    fabric_.datagrams().attach("manager", "mgmt", {2, 0, 0, 0, 0, 250}, "10.0.0.250/24");
    request_.networks = {"10.0.0.0/24"};
  }

  struct Host {
    std::unique_ptr<sim::SimProcess> process;
    std::unique_ptr<sim::SimNet> net;
    std::unique_ptr<sim::BmcServer> bmc;
    std::unique_ptr<net::HttpServer> harmful;
    std::vector<std::shared_ptr<net::HttpExchange>> held;
    Parrot parrot;
  };
  Host& host(int last) {
    auto& made = hosts_[last];
    if (made.process) return made;
    const std::string name = fmt::format("bmc{}", last);
    made.process =
        std::make_unique<sim::SimProcess>(world_, sim::ProcessOptions{.name = name, .host = name});
    made.net = std::make_unique<sim::SimNet>(fabric_, *made.process);
    fabric_.add_address(name, fmt::format("10.0.0.{}", last));
    fabric_.datagrams().attach(name, "mgmt", {2, 0, 0, 0, 0, static_cast<uint8_t>(last)},
                               fmt::format("10.0.0.{}/24", last));
    return made;
  }
  sim::BmcServer& add_redfish(int last, sim::BmcTraits traits = {}, uint16_t port = 443,
                              bool tls = true) {
    Host& at = host(last);
    traits.number = static_cast<uint32_t>(last);
    at.bmc = std::make_unique<sim::BmcServer>(
        sim::BmcSeams{at.process->executor(), *at.net, at.process->random(), at.process->log()},
        traits);
    Callback<std::shared_ptr<net::Security>()> security;
    if (tls) {
      net::SecurityConfig config;
      config.certificate_pem = sim::sim_certificate("bmc", world_.wall() + 24h, "self");
      config.verify_peer = false;
      security = [made = at.net->make_security(config).value()] { return made; };
    }
    EXPECT_TRUE(at.bmc->listen({fmt::format("10.0.0.{}", last), port, ""}, std::move(security)));
    return *at.bmc;
  }
  /// A service whose very root does harm.
  void add_harm(int last, sim::BmcHostility kind) {
    Host& at = host(last);
    at.harmful = std::make_unique<net::HttpServer>(
        at.process->executor(), *at.net, at.process->log(),
        [&at, kind](const net::HttpRequest& request, std::shared_ptr<net::HttpExchange> exchange) {
          net::HttpResponse answer;
          answer.body = R"({"RedfishVersion":"1.0.0","@odata.type":"#ServiceRoot.v1.S"})";
          auto held = sim::do_harm(kind, at.process->executor(), request, std::move(answer),
                                   std::move(exchange));
          if (held) at.held.push_back(std::move(held));
        });
    EXPECT_TRUE(at.harmful->listen({fmt::format("10.0.0.{}", last), 80, ""}, {}));
  }
  Parrot& add_ipmi(int last, std::vector<std::string> answers) {
    Host& at = host(last);
    at.parrot.answers = std::move(answers);
    net::DatagramOptions options;
    options.at = net::InetAddress::v4(0, 623);
    at.parrot.socket = at.net->open_datagrams(options, at.parrot).value();
    return at.parrot;
  }

  /// Scans 10.0.0.1 to 10.0.0.`last`.
  std::map<std::string, FoundBmc> scan(int last = 20) {
    std::vector<std::string> addresses;
    for (int i = 1; i <= last; ++i) addresses.push_back(fmt::format("10.0.0.{}", i));
    std::map<std::string, FoundBmc> found;
    size_t left = addresses.size();
    const Duration begin = world_.now();
    std::map<std::string, int> times;
    BmcScan scan(ground_, request_, addresses,
                 [&](const std::string& address, Result<FoundBmc> bmc) {
                   EXPECT_EQ(++times[address], 1);
                   if (bmc) {
                     found[address] = *bmc;
                   } else {
                     EXPECT_EQ(bmc.error().code, Code::not_found) << bmc.error().text();
                     none_[address] = bmc.error().message;
                   }
                   --left;
                 });
    EXPECT_TRUE(world_.run_until([&] { return left == 0; }, 30min));
    took_ = world_.now() - begin;
    return found;
  }

  sim::World world_{11};
  sim::Fabric fabric_{world_};
  sim::SimProcess near_{world_, {.name = "manager", .host = "manager"}};
  sim::SimNet net_{fabric_, near_};
  BmcGround ground_{near_.executor(), net_, near_.random(), 256};
  std::map<int, Host> hosts_;
  ScanRequest request_;
  Duration took_{};
  std::map<std::string, std::string> none_;  ///< why there is none
};

TEST_F(BmcScanTest, FindsWhatSpeaksAtThePortsInTheirOrder) {
  add_redfish(3);
  add_redfish(4, {}, 8443);
  add_redfish(5, {}, 80, false);
  add_ipmi(6, {capable()});
  host(7);  // somebody, but no BMC
  request_.ports = {443, 8443};
  const auto found = scan();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(summary_of(found.at("10.0.0.3")), "Redfish 1.15.0 at port 443 (Contoso Controller)");
  EXPECT_EQ(found.at("10.0.0.3").uuid, "6f0e0000-0000-4000-8000-000000000003");
  EXPECT_EQ(found.at("10.0.0.4").port, 8443);
  EXPECT_FALSE(found.at("10.0.0.4").plain);
  EXPECT_TRUE(found.at("10.0.0.5").plain);
  EXPECT_EQ(summary_of(found.at("10.0.0.6")), "IPMI 2.0");
  EXPECT_EQ(found.at("10.0.0.6").ipmi_port, 623);
  EXPECT_EQ(none_.at("10.0.0.7"), "the connection is refused");
}

TEST_F(BmcScanTest, BothProtocolsOfOneBmcAndALostQuestion) {
  add_redfish(3);
  add_ipmi(3, {capable()});
  add_ipmi(4, {capable()}).deaf_for = 2;  // the first round is lost
  const auto found = scan();
  EXPECT_EQ(summary_of(found.at("10.0.0.3")),
            "Redfish 1.15.0 at port 443 (Contoso Controller), IPMI 2.0");
  EXPECT_EQ(summary_of(found.at("10.0.0.4")), "IPMI 2.0");
}

TEST_F(BmcScanTest, TheHostileAndTheSilentHoldNobodyUp) {
  using enum sim::BmcHostility;
  int last = 0;
  for (const auto kind : {silent, slow, endless, huge, deep, garbage, cut, redirect}) {
    add_harm(++last, kind);
  }
  add_harm(++last, wrong_types);
  add_ipmi(10, {std::string(1500, '\x06'), "", "garbage", rmcp_ping(0)});
  add_redfish(12);
  request_.patience_ms = 2000;
  const auto found = scan();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.contains("10.0.0.12"));
  EXPECT_EQ(none_.at("10.0.0.4"), "something else answers");
  EXPECT_LE(took_, 2100ms);
}

TEST_F(BmcScanTest, SoManyAtATimeAndASecond) {
  request_.ipmi = false;
  request_.patience_ms = 1000;
  for (int i = 1; i <= 20; ++i) {
    sim::BmcTraits traits;
    traits.hostility = sim::BmcHostility::silent;
    add_redfish(i, traits);
  }
  request_.at_a_time = 5;
  EXPECT_TRUE(scan().empty());
  EXPECT_GE(took_, 4s);
  EXPECT_LE(took_, 4200ms);
  request_.at_a_time = 20;
  request_.per_second = 10;
  EXPECT_TRUE(scan().empty());
  EXPECT_GE(took_, 2900ms);
}

TEST_F(BmcScanTest, EndsWhenItIsDestroyedInTheMiddle) {
  add_redfish(1);
  add_ipmi(2, {capable(), capable(), capable()});
  std::unique_ptr<BmcScan> scan;
  int heard = 0;
  scan = std::make_unique<BmcScan>(ground_, request_,
                                   std::vector<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
                                   [&](const std::string&, const Result<FoundBmc>&) {
                                     ++heard;
                                     scan.reset();
                                   });
  ASSERT_TRUE(world_.run_for(1min));
  EXPECT_EQ(heard, 1);
}

TEST(ServiceRoot, IsToldFromOtherDocuments) {
  EXPECT_TRUE(
      read_service_root(R"({"@odata.type":"#ServiceRoot.v1_5_0.ServiceRoot","UUID":"AB-CD"})"));
  EXPECT_EQ(
      read_service_root(
          R"({"RedfishVersion":"1.0.0","UUID":"AB","Systems":{"@odata.id":"/redfish/v1/Systems"}})")
          ->uuid,
      "ab");
  for (const char* other :
       {"", "null", "[]", "{}", "<html></html>", R"({"RedfishVersion":"1.0.0"})",
        R"({"Systems":{"@odata.id":"http://elsewhere/redfish/v1/Systems"},"RedfishVersion":"1"})",
        R"({"Vendor":"x","Systems":{"@odata.id":"/redfish/v1/Systems"}})",
        R"({"@odata.type":7,"RedfishVersion":{}})"}) {
    EXPECT_FALSE(read_service_root(other)) << other;
  }
  const auto hostile = read_service_root(
      "{\"@odata.type\":\"#ServiceRoot.v1.ServiceRoot\",\"Vendor\":\"\\u001b[2J\",\"Product\":7}");
  ASSERT_TRUE(hostile);
  EXPECT_EQ(hostile->vendor.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace drover::hardware
