// A DHCPv4 server over machines made for a test.
#pragma once

#include "boot/dhcp/server.hpp"
#include "boot/dhcp/test_packets.hpp"

#include <map>

namespace drover::boot::dhcp::test {

constexpr WallTime kNow{std::chrono::hours(500'000)};

struct Machines final : ReservationView {
  [[nodiscard]] const Reservation* by_hardware(const HardwareAddress& address) const override {
    return find(hardware, address.text());
  }
  [[nodiscard]] const Reservation* by_client_id(std::string_view id) const override {
    return find(client_ids, std::string(id));
  }
  [[nodiscard]] const Reservation* by_port(std::string_view circuit,
                                           std::string_view remote) const override {
    return find(ports, std::string(circuit) + "/" + std::string(remote));
  }
  static const Reservation* find(const std::map<std::string, Reservation>& all,
                                 const std::string& key) {
    const auto found = all.find(key);
    return found == all.end() ? nullptr : &found->second;
  }
  std::map<std::string, Reservation> hardware;
  std::map<std::string, Reservation> client_ids;
  std::map<std::string, Reservation> ports;
};

struct Journal final : LeaseJournal {
  void append(const Lease& lease) override { records.push_back(lease); }
  std::vector<Lease> records;
};

/// A decision with its reply read back.
struct Answer {
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  Decision decision;
  std::array<char, kMaxMessage> out{};
  std::array<char, kMaxMessage> join_space{};
  std::optional<PacketView> reply;
  [[nodiscard]] Ipv4 yiaddr() const { return reply ? reply->yiaddr() : Ipv4{}; }
};

struct ServerTest : testing::Test {
  ServerTest() {
    machines.hardware["52:54:00:77:00:01"] = node("n1", "10.77.0.113");
    machines.hardware["52:54:00:77:00:12"] = node("n18", "10.77.0.130");
    Subnet local;
    local.prefix = *Prefix4::parse("10.77.0.0/24");
    local.routers = {ip("10.77.0.254")};
    local.name_servers = {ip("10.77.0.1"), ip("10.77.0.2")};
    local.domain = "cluster.test";
    local.pool = 0;
    Subnet far;
    far.prefix = *Prefix4::parse("10.78.0.0/16");
    far.pool = 1;
    config.subnets = {local, far};
    config.own_addresses = {ip("10.77.0.1"), ip("10.99.0.1")};
    restart();
  }

  static Reservation node(std::string name, std::string_view address) {
    Reservation made;
    made.name = std::move(name);
    made.addresses = {ip(address)};
    return made;
  }
  void restart() { server = std::make_unique<Server>(config, machines, book); }

  const Answer& decide(const std::string& packet) { return decide(packet, arrival); }
  const Answer& decide(const std::string& packet, const Arrival& how) {
    answer = std::make_unique<Answer>();
    answer->decision = server->decide(packet, how, answer->out);
    if (answer->decision.reply) {
      EXPECT_GE(answer->decision.size, kMinMessage);
      auto view =
          PacketView::parse({answer->out.data(), answer->decision.size}, answer->join_space);
      EXPECT_TRUE(view);
      answer->reply = *view;
      EXPECT_EQ(view->op(), 2);
      EXPECT_EQ(view->xid(), answer->decision.xid);
      EXPECT_EQ(view->option_u8(kMessageType), static_cast<uint8_t>(*answer->decision.reply));
      EXPECT_EQ(view->hardware(), answer->decision.hardware);
    } else {
      EXPECT_EQ(answer->decision.size, 0U);
    }
    return *answer;
  }
  /// One that was caught on the wire.
  const Answer& captured(std::string_view name) { return decide(boot::test::corpus("dhcp", name)); }
  Outcome outcome(const Message& message) { return decide(message.bytes()).decision.outcome; }
  static Message request(Ipv4 wanted, Ipv4 server_id,
                         std::string_view hardware = "52:54:00:77:00:01") {
    Message message(MessageType::request, hardware);
    message.with(kRequestedAddress, wanted).with(kServerId, server_id);
    return message;
  }

  Machines machines;
  Journal journal;
  LeaseBook book{
      {{ip("10.77.0.200"), ip("10.77.0.201")}, {ip("10.78.1.0"), ip("10.78.1.9")}}, {}, journal};
  ServerConfig config;
  Arrival arrival{ip("10.77.0.1"), {}, kClientPort, kServerPort, kNow};
  std::unique_ptr<Server> server;
  std::unique_ptr<Answer> answer;
};

}  // namespace drover::boot::dhcp::test
