// What every implementation of datagrams owes its users, as tests: net_test runs them over real
// sockets, sim_test over the simulated network. Instantiate with INSTANTIATE_TEST_SUITE_P.
#pragma once

#include "net/datagram.hpp"
#include "net/net.hpp"

#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::sim {

/// One implementation under test: a client's and a server's view of a network (they may be one).
class DatagramRig {
 public:
  DatagramRig() = default;
  DatagramRig(const DatagramRig&) = delete;
  DatagramRig& operator=(const DatagramRig&) = delete;
  virtual ~DatagramRig() = default;
  virtual net::Net& client_net() = 0;
  virtual net::Net& server_net() = 0;
  virtual bool run_until(Callback<bool()> done, Duration limit) = 0;
  /// Where both bind: any address.
  virtual net::InetAddress any() = 0;
  /// The server's address as the client reaches it, without a port.
  virtual net::InetAddress server() = 0;
  /// A broadcast or group that the server hears (none: such a network has none), and the interface
  /// to reach it by.
  virtual net::InetAddress group() = 0;
  virtual uint32_t client_interface() = 0;
  virtual uint32_t server_interface() = 0;
};

struct DatagramRigFactory {
  std::string name;
  std::unique_ptr<DatagramRig> (*make)();
  static std::string name_of(const testing::TestParamInfo<DatagramRigFactory>& info) {
    return info.param.name;
  }
  friend void PrintTo(const DatagramRigFactory& factory, std::ostream* out) {
    *out << factory.name;
  }
};

/// Keeps what came; does `on_batch` after each batch.
class RecordingDatagrams final : public net::DatagramHandler {
 public:
  struct Seen {
    std::string bytes;
    net::Datagram about;
  };
  void on_datagrams(std::span<const net::Datagram> batch) override {
    EXPECT_FALSE(in_call) << "an event inside a call into the socket";
    EXPECT_FALSE(batch.empty());
    EXPECT_LE(batch.size(), net::kDatagramBatch);
    for (const net::Datagram& it : batch) {
      seen.push_back({std::string(it.bytes), it});
      seen.back().about.bytes = {};
    }
    if (on_batch) on_batch();
  }
  std::vector<Seen> seen;
  bool in_call = false;
  Callback<void()> on_batch;
};

class DatagramContract : public testing::TestWithParam<DatagramRigFactory> {
 protected:
  static constexpr Duration kLimit = std::chrono::seconds(30);

  void SetUp() override {
    rig_ = GetParam().make();
    server_ = open(rig_->server_net(), at_server_);
    client_ = open(rig_->client_net(), at_client_);
    ASSERT_NE(server_, nullptr);
    ASSERT_NE(client_, nullptr);
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    rig_.reset();
  }
  std::unique_ptr<net::DatagramSocket> open(net::Net& net, net::DatagramHandler& handler) {
    net::DatagramOptions options;
    options.at = rig_->any();
    options.broadcast = true;
    options.receive_buffer = size_t{1} << 20;  // the whole of the largest test
    auto made = net.open_datagrams(options, handler);
    EXPECT_TRUE(made) << made.error().text();
    return made ? *std::move(made) : nullptr;
  }
  size_t send(net::DatagramSocket& socket, const std::vector<net::OutgoingDatagram>& batch) {
    at_client_.in_call = at_server_.in_call = true;
    const size_t done = socket.send(batch);
    at_client_.in_call = at_server_.in_call = false;
    return done;
  }
  [[nodiscard]] net::InetAddress server_address() {
    return rig_->server().with_port(server_->bound().port);
  }
  bool wait_for(RecordingDatagrams& at, size_t count) {
    return rig_->run_until([&at, count] { return at.seen.size() >= count; }, kLimit);
  }

  std::unique_ptr<DatagramRig> rig_;
  RecordingDatagrams at_client_;
  RecordingDatagrams at_server_;
  std::unique_ptr<net::DatagramSocket> server_;
  std::unique_ptr<net::DatagramSocket> client_;
};

TEST_P(DatagramContract, WhatLeavesTogetherComesOneByOne) {
  RecordingDatagrams at_other;
  const auto other = open(rig_->server_net(), at_other);
  ASSERT_NE(other, nullptr);
  const net::InetAddress to_other = rig_->server().with_port(other->bound().port);
  std::vector<std::string> texts;
  const std::vector<size_t> sizes{300, 300, 300,  200,  200, 301, 1, 1, 0,    0,
                                  300, 100, 1400, 1400, 700, 9,   9, 9, 1800, 1800};
  for (size_t i = 0; i < 150; ++i) {
    texts.emplace_back(sizes[i % sizes.size()], static_cast<char>('a' + i % 26));
  }
  std::vector<net::OutgoingDatagram> batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i];
    const size_t cut = i % 3 == 0 ? text.size() : text.size() / 2;
    batch.push_back({.head = text.substr(0, cut),
                     .body = text.substr(cut),
                     .to = i / 50 == 1 ? to_other : server_address()});
  }
  ASSERT_EQ(send(*client_, batch), batch.size());
  ASSERT_TRUE(wait_for(at_server_, 100) && wait_for(at_other, 50));
  // In any order: networks promise none.
  std::multiset<std::string> got;
  std::multiset<std::string> got_other;
  for (const auto& it : at_server_.seen) got.insert(it.bytes);
  for (const auto& it : at_other.seen) got_other.insert(it.bytes);
  const auto middle = texts.begin() + 50;
  std::multiset<std::string> wanted(texts.begin(), middle);
  wanted.insert(middle + 50, texts.end());
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(got_other, std::multiset<std::string>(middle, middle + 50));
  EXPECT_EQ(at_server_.seen.back().about.from.port, client_->bound().port);
  EXPECT_EQ(client_->stats().sent, texts.size());
  EXPECT_EQ(client_->stats().refused, 0U);
}

TEST_P(DatagramContract, AnswersFromTheAddressAndInterfaceThatWereAsked) {
  ASSERT_EQ(send(*client_, {{.head = "ping", .to = server_address()}}), 1U);
  ASSERT_TRUE(wait_for(at_server_, 1));
  const auto& seen = at_server_.seen[0];
  EXPECT_EQ(seen.bytes, "ping");
  EXPECT_EQ(seen.about.from.port, client_->bound().port);
  EXPECT_EQ(seen.about.to, server_address());
  EXPECT_EQ(seen.about.local, server_address());
  EXPECT_NE(seen.about.interface, 0U);
  EXPECT_FALSE(seen.about.truncated);
  send(*server_, {{.head = "pong",
                   .to = seen.about.from,
                   .from = seen.about.local,
                   .interface = seen.about.interface}});
  ASSERT_TRUE(wait_for(at_client_, 1));
  EXPECT_EQ(at_client_.seen[0].bytes, "pong");
  EXPECT_EQ(at_client_.seen[0].about.from, server_address());
  EXPECT_EQ(server_->stats().received, 1U);
  EXPECT_EQ(server_->stats().sent, 1U);
}

TEST_P(DatagramContract, KeepsTheBoundsOfManyAndJoinsTheirPieces) {
  constexpr size_t kCount = 150;
  std::vector<std::string> bodies;
  for (size_t i = 0; i < kCount; ++i) bodies.emplace_back(i * 9, static_cast<char>('a' + i % 26));
  std::vector<net::OutgoingDatagram> batch;
  for (const std::string& body : bodies) {
    batch.push_back({.head = "head", .body = body, .to = server_address()});
  }
  batch[3].head = {};
  batch[3].body = {};
  ASSERT_EQ(send(*client_, batch), kCount);
  ASSERT_TRUE(wait_for(at_server_, kCount));
  std::vector<std::string> expected;
  for (const std::string& body : bodies) expected.push_back("head" + body);
  expected[3] = "";
  std::vector<std::string> got;
  for (const auto& it : at_server_.seen) got.push_back(it.bytes);
  std::sort(expected.begin(), expected.end());  // datagrams may overtake each other
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, expected);
}

TEST_P(DatagramContract, ShortensWhatIsTooLongAndSaysSo) {
  const std::string longest(net::kMaxDatagram, 'x');
  const std::string more(net::kMaxDatagram + 1, 'y');
  send(*client_, {{.head = longest, .to = server_address()}});
  ASSERT_TRUE(wait_for(at_server_, 1));
  send(*client_, {{.head = more, .to = server_address()}});
  ASSERT_TRUE(wait_for(at_server_, 2));
  EXPECT_EQ(at_server_.seen[0].bytes, longest);
  EXPECT_FALSE(at_server_.seen[0].about.truncated);
  EXPECT_EQ(at_server_.seen[1].bytes, more.substr(0, net::kMaxDatagram));
  EXPECT_TRUE(at_server_.seen[1].about.truncated);
}

TEST_P(DatagramContract, OneThatCannotBeSentDoesNotStopTheOthers) {
  const std::string monster(size_t{70} * 1024, 'x');
  ASSERT_EQ(send(*client_, {{.head = "one", .to = server_address()},
                            {.head = monster, .to = server_address()},
                            {.head = "two", .to = server_address()}}),
            3U);
  ASSERT_TRUE(wait_for(at_server_, 2));
  EXPECT_EQ(client_->stats().refused, 1U);
  EXPECT_EQ(client_->stats().sent, 2U);
}

TEST_P(DatagramContract, HearsBroadcastsAndTheGroupsItJoined) {
  const net::InetAddress group = rig_->group();
  if (group.is_none()) GTEST_SKIP() << "no groups on this network";
  if (group.is_v6()) {
    ASSERT_TRUE(server_->join(group, rig_->server_interface()));
    ASSERT_TRUE(server_->join(group, rig_->server_interface())) << "again is fine";
  }
  send(*client_, {{.head = "all",
                   .to = group.with_port(server_->bound().port),
                   .interface = rig_->client_interface()}});
  ASSERT_TRUE(wait_for(at_server_, 1));
  EXPECT_EQ(at_server_.seen[0].about.to.with_port(0), group);
  EXPECT_EQ(at_server_.seen[0].about.interface, rig_->server_interface());
  if (group.is_v4()) {
    EXPECT_EQ(at_server_.seen[0].about.local, server_address()) << "an address to answer from";
  }
}

TEST_P(DatagramContract, APortBelongsToOne) {
  RecordingDatagrams other;
  net::DatagramOptions options;
  options.at = server_->bound();
  const auto again = rig_->server_net().open_datagrams(options, other);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::already_exists);
  server_.reset();
  EXPECT_TRUE(rig_->server_net().open_datagrams(options, other)) << "free once it was closed";
}

TEST_P(DatagramContract, MayBeDestroyedByItsHandler) {
  at_server_.on_batch = [this] { server_.reset(); };
  for (int i = 0; i < 100; ++i) send(*client_, {{.head = "ping", .to = server_address()}});
  ASSERT_TRUE(rig_->run_until([this] { return server_ == nullptr; }, kLimit));
  const size_t seen = at_server_.seen.size();
  rig_->run_until([] { return false; }, std::chrono::milliseconds(20));
  EXPECT_EQ(at_server_.seen.size(), seen) << "an event after the socket was destroyed";
}

TEST_P(DatagramContract, KnowsTheInterfacesOfItsHost) {
  const auto all = rig_->server_net().interfaces();
  ASSERT_TRUE(all) << all.error().text();
  bool found = false;
  for (const net::NetInterface& it : *all) {
    for (const auto& address : it.addresses) {
      if (address.address == rig_->server()) found = it.index == rig_->server_interface();
    }
    EXPECT_FALSE(it.name.empty());
    EXPECT_NE(it.index, 0U);
  }
  EXPECT_TRUE(found) << "the address by which the client reaches it";
}

TEST_P(DatagramContract, RefusesNonsense) {
  RecordingDatagrams handler;
  EXPECT_EQ(rig_->server_net().open_datagrams({}, handler).error().code, Code::invalid_argument);
  net::DatagramOptions options;
  options.at = rig_->any();
  options.interface = "no-such-if0";
  EXPECT_FALSE(rig_->server_net().open_datagrams(options, handler));
  EXPECT_FALSE(server_->join(rig_->server(), 0)) << "not a group";
}

}  // namespace drover::sim
