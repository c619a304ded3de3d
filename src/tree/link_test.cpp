// Links between two simulated hosts: hello and refusals, lanes, channels, silence, and bad bytes.
#include "tree/link.hpp"

#include "proto/link.pb.h"
#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Introduction introduce(Role role, const std::string& name) {
  Introduction self;
  self.cluster = "c1";
  self.role = role;
  self.name = name;
  self.incarnation = 1;
  self.protocol_min = 1;
  self.protocol_max = 1;
  self.features = kFeatures;
  self.version = "1.0";
  return self;
}

/// One end: its process, and what it heard.
struct End : LinkEvents {
  End(sim::World& world, sim::Fabric& fabric, Role role, const std::string& name, Disk& disk)
      : process(world, {.name = name, .host = name, .disk = &disk}),
        net(fabric, process),
        context{process.executor(), process.log("link"), introduce(role, name), seconds(3),
                seconds(5)},
        certificate_role(std::string(tree::name(role))),
        certificate_name(name) {}

  std::shared_ptr<net::Security> security() {
    net::SecurityConfig config;
    config.certificate_pem = sim::sim_certificate(
        certificate_uri(certificate_cluster, certificate_role, certificate_name),
        process.executor().wall() + certificate_life, "ca");
    config.trust_pem = sim::sim_ca("ca");
    return net.make_security(config).value();
  }
  void on_link_ready(Link&) override { ready = true; }
  void on_link_message(Link&, MessageType type, std::string_view payload) override {
    messages.emplace_back(type, std::string(payload));
  }
  void on_link_channel(Link&, const std::string& kind, const std::string& head,
                       std::unique_ptr<Channel> opened) override {
    channel_kind = kind + "/" + head;
    channel = std::move(opened);
    if (on_channel) on_channel();
  }
  void on_link_closed(Link&, const Error& why) override {
    closed = why.text();
    if (on_closed) on_closed();
    process.executor().post([this] { link.reset(); });
  }

  sim::SimProcess process;
  sim::SimNet net;
  LinkContext context;
  std::string certificate_cluster = "c1";
  std::string certificate_role;
  std::string certificate_name;
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<net::Connecting> connecting;
  std::unique_ptr<net::Stream> raw;
  std::unique_ptr<Link> link;
  bool ready = false;
  std::string closed;
  std::vector<std::pair<MessageType, std::string>> messages;
  std::string channel_kind;
  std::unique_ptr<Channel> channel;
  Callback<void()> on_channel;
  Callback<void()> on_closed;
  Duration certificate_life = std::chrono::hours(1);
};

/// Collects a channel's events.
struct Reader : ChannelHandler {
  explicit Reader(Channel& c) : channel(c) {}
  void on_channel_data(std::string_view bytes) override {
    data.append(bytes);
    if (consume) channel.consumed(bytes.size());
  }
  void on_channel_end() override { ended = true; }
  void on_channel_reset(const Error& why) override { reset = why.text(); }
  Channel& channel;
  std::string data;
  bool consume = true;
  bool ended = false;
  std::string reset;
};

class LinkTest : public ::testing::Test {
 protected:
  void listen(const LinkExpectation& expectation) {
    parent.listener = parent.net
                          .listen(
                              {"agg1", 9800, {}}, [this] { return parent.security(); },
                              [this, expectation](auto stream) {
                                if (!stream) {
                                  parent.closed = stream.error().error.text();
                                  return;
                                }
                                parent.link =
                                    std::make_unique<Link>(parent.context, std::move(*stream),
                                                           LinkSide::acceptor, expectation, parent);
                              })
                          .value();
  }
  void dial(const LinkExpectation& expectation) {
    connect([this, expectation](std::unique_ptr<net::Stream> stream) {
      child.link = std::make_unique<Link>(child.context, std::move(stream), LinkSide::dialler,
                                          expectation, child);
    });
  }
  void connect(Callback<void(std::unique_ptr<net::Stream>)> done) {
    child.connecting = child.net.connect(
        {"agg1", 9800, {}}, child.security(), seconds(5),
        [this, done = std::move(done)](Result<std::unique_ptr<net::Stream>> stream) mutable {
          if (stream) {
            done(std::move(*stream));
          } else {
            child.closed = stream.error().text();
          }
        });
  }
  void link_both() {
    listen({{Role::compute}, {}});
    dial({{Role::aggregator}, "agg1"});
    ASSERT_TRUE(world.run_until([&] { return parent.ready && child.ready; }, seconds(2)));
  }
  /// Runs until both ends have heard of the end of the link.
  void run_to_refusal() {
    EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty() && !child.closed.empty(); },
                                seconds(20)));
    EXPECT_FALSE(child.ready && parent.ready);
  }

  sim::World world{7};
  sim::Fabric fabric{world};
  sim::SimDisk disk;
  End parent{world, fabric, Role::aggregator, "agg1", disk};
  End child{world, fabric, Role::compute, "n1", disk};
};

TEST_F(LinkTest, BothEndsAgreeAndKnowEachOther) {
  link_both();
  EXPECT_EQ(parent.link->peer().name, "n1");
  EXPECT_EQ(child.link->peer().name, "agg1");
  EXPECT_EQ(child.link->protocol(), 1U);
  EXPECT_EQ(child.link->features(), kFeatures);
}

TEST_F(LinkTest, TheHighestCommonVersionAndTheCommonFeaturesAreUsed) {
  parent.context.self.protocol_max = 4;
  child.context.self.protocol_max = 3;
  child.context.self.features = kFeatureFold | 0x100;
  link_both();
  EXPECT_EQ(parent.link->protocol(), 3U);
  EXPECT_EQ(parent.link->features(), kFeatureFold);
}

TEST_F(LinkTest, AWrongClusterIsRefusedAndBothSay) {
  child.context.self.cluster = "c2";
  child.certificate_cluster = "c2";
  listen({{Role::compute}, {}});
  dial({{Role::aggregator}, {}});
  run_to_refusal();
  EXPECT_NE(parent.closed.find("the peer is of cluster c2, this is c1"), std::string::npos)
      << parent.closed;
  EXPECT_NE(child.closed.find("refused by the peer: the peer is of cluster c2"), std::string::npos)
      << child.closed;
}

TEST_F(LinkTest, ARoleThatIsNotExpectedIsRefused) {
  child.context.self.role = Role::utility;
  child.certificate_role = "utility";
  listen({{Role::compute}, {}});
  dial({{Role::aggregator}, {}});
  run_to_refusal();
  EXPECT_NE(child.closed.find("the peer is a utility, expected compute"), std::string::npos);
}

TEST_F(LinkTest, ANameThatIsNotTheCertificatesIsRefused) {
  child.certificate_name = "n2";
  listen({{Role::compute}, {}});
  dial({{Role::aggregator}, {}});
  run_to_refusal();
  EXPECT_NE(child.closed.find("hello says name n1, its certificate says n2"), std::string::npos)
      << child.closed;
}

TEST_F(LinkTest, TheDiallerRefusesAParentOfAnotherName) {
  listen({{Role::compute}, {}});
  dial({{Role::aggregator}, "agg2"});
  run_to_refusal();
  EXPECT_NE(parent.closed.find("the peer is named agg1, expected agg2"), std::string::npos)
      << parent.closed;
}

TEST_F(LinkTest, NoCommonVersionIsRefusedWithBothRanges) {
  child.context.self.protocol_min = 5;
  child.context.self.protocol_max = 6;
  listen({{Role::compute}, {}});
  dial({{Role::aggregator}, {}});
  run_to_refusal();
  EXPECT_NE(child.closed.find("speaks 5 to 6, this (1.0) 1 to 1"), std::string::npos)
      << child.closed;
}

TEST_F(LinkTest, APeerThatNeverSaysHelloIsDropped) {
  listen({{Role::compute}, {}});
  connect([this](std::unique_ptr<net::Stream> stream) { child.raw = std::move(stream); });
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(6)));
  EXPECT_NE(parent.closed.find("did not say hello within 5000 ms"), std::string::npos);
}

TEST_F(LinkTest, GarbageInsteadOfAHelloIsRefused) {
  listen({{Role::compute}, {}});
  connect([this](std::unique_ptr<net::Stream> stream) {
    child.raw = std::move(stream);
    child.raw->write("GET / HTTP/1.1\r\nHost: drover\r\n\r\n");
  });
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(12)));
  EXPECT_NE(parent.closed.find("a frame of"), std::string::npos) << parent.closed;
}

TEST_F(LinkTest, AMessageBeforeTheHelloIsRefused) {
  listen({{Role::compute}, {}});
  connect([this](std::unique_ptr<net::Stream> stream) {
    child.raw = std::move(stream);
    std::string bytes;
    append_frame(bytes, MessageType::heartbeat, 0, "");
    child.raw->write(bytes);
  });
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(12)));
  EXPECT_NE(parent.closed.find("a heartbeat message before any hello"), std::string::npos);
}

TEST_F(LinkTest, AMessageOverTheLimitIsRefusedAtTheSender) {
  link_both();
  EXPECT_EQ(child.link->send_encoded(MessageType::records, std::string(kMaxFramePayload + 1, 'x'))
                .error()
                .code,
            Code::too_large);
  EXPECT_TRUE(child.link->send_encoded(MessageType::records, std::string(kMaxFramePayload, 'x')));
  EXPECT_TRUE(world.run_until([&] { return parent.messages.size() == 1; }, seconds(5)));
  EXPECT_EQ(parent.messages[0].second.size(), kMaxFramePayload);
}

TEST_F(LinkTest, ControlOvertakesRequestsAndRequestsOvertakeBulk) {
  fabric.set_bandwidth("n1", "agg1", 1 << 20);
  link_both();
  auto bulk = child.link->open_channel("file", "big");
  Reader unused(*bulk);
  bulk->set_handler(&unused);
  bulk->write(std::string(200'000, 'b'));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(child.link->send_encoded(MessageType::records, std::string(100'000, 'r')));
  }
  ASSERT_TRUE(child.link->send_encoded(MessageType::heartbeat, "beat"));
  ASSERT_TRUE(world.run_until([&] { return parent.messages.size() == 9; }, seconds(10)));
  size_t place = 0;
  while (parent.messages[place].first != MessageType::heartbeat) ++place;
  EXPECT_LE(place, 2U) << "the beat waits for what was already in the stream, and no longer";
}

TEST_F(LinkTest, SilenceLosesTheLinkAndFramesKeepIt) {
  child.context.silence_limit = Duration::zero();
  link_both();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(world.run_for(seconds(2)));
    ASSERT_TRUE(child.link->send_encoded(MessageType::heartbeat, ""));
  }
  EXPECT_EQ(parent.closed, "");
  child.process.pause();
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, milliseconds(5500)));
  EXPECT_NE(parent.closed.find("silent for 3"), std::string::npos) << parent.closed;
}

TEST_F(LinkTest, AJudgeThatWasStoppedItselfDeclaresNobodyDead) {
  child.context.silence_limit = Duration::zero();
  link_both();
  parent.process.pause();
  ASSERT_TRUE(world.run_for(seconds(20)));
  parent.process.resume();
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(parent.closed, "");
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(4)))
      << "but it judges again afterwards";
}

TEST_F(LinkTest, AShortStopAtTheEndOfTheWaitDeclaresNobodyDead) {
  child.context.silence_limit = Duration::zero();
  link_both();
  // Stopped for less than the limit, so that the timer is only a little late; what the child says
  // meanwhile waits unread.
  ASSERT_TRUE(world.run_for(milliseconds(1900)));
  parent.process.pause();
  ASSERT_TRUE(world.run_for(milliseconds(1100)));
  parent.process.resume();
  ASSERT_TRUE(world.run_for(milliseconds(500)));
  EXPECT_EQ(parent.closed, "");
}

TEST_F(LinkTest, WhoIsCutForSilenceLearnsItWhenItWakes) {
  link_both();
  child.process.pause();
  ASSERT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(5)));
  bool missed = false;
  child.on_closed = [&] { missed = child.link->peer_missed_us(); };
  child.process.resume();
  ASSERT_TRUE(world.run_until([&] { return !child.closed.empty(); }, seconds(1)));
  EXPECT_TRUE(missed) << child.closed;
  EXPECT_NE(child.closed.find("peer said: silent for 3"), std::string::npos) << child.closed;
}

TEST_F(LinkTest, ALinkEndsWithTheCertificateOfItsPeer) {
  child.certificate_life = seconds(20);
  link_both();
  Timer beat;
  Callback<void()> speak = [&] {
    if (child.link) (void)child.link->send_encoded(MessageType::heartbeat, {});
    if (parent.link) (void)parent.link->send_encoded(MessageType::heartbeat, {});
    beat.after(child.process.executor(), seconds(1), [&] { speak(); });
  };
  speak();
  ASSERT_TRUE(world.run_for(seconds(17)));
  EXPECT_EQ(parent.closed, "");
  ASSERT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(7)));
  EXPECT_NE(parent.closed.find("expired"), std::string::npos) << parent.closed;
  ASSERT_TRUE(world.run_until([&] { return !child.closed.empty(); }, seconds(1)));
  EXPECT_NE(child.closed.find("expired"), std::string::npos) << child.closed;
  beat.cancel();
}

TEST_F(LinkTest, AChannelCarriesBytesBothWaysUnderCredit) {
  link_both();
  auto ours = child.link->open_channel("http", "head");
  Reader ours_reader(*ours);
  ours->set_handler(&ours_reader);
  std::unique_ptr<Reader> theirs;
  parent.on_channel = [&] {
    theirs = std::make_unique<Reader>(*parent.channel);
    parent.channel->set_handler(theirs.get());
    parent.channel->write("welcome");
    parent.channel->end();
  };
  const std::string big(3'000'000, 'x');
  ours->write(big);
  ours->end();
  ASSERT_TRUE(
      world.run_until([&] { return theirs && theirs->ended && ours_reader.ended; }, seconds(10)));
  EXPECT_EQ(parent.channel_kind, "http/head");
  EXPECT_EQ(theirs->data.size(), big.size());
  EXPECT_EQ(ours_reader.data, "welcome");
  EXPECT_EQ(theirs->reset, "");
}

TEST_F(LinkTest, AReaderThatDoesNotConsumeStopsTheWriter) {
  link_both();
  auto ours = child.link->open_channel("file", "");
  std::unique_ptr<Reader> theirs;
  parent.on_channel = [&] {
    theirs = std::make_unique<Reader>(*parent.channel);
    theirs->consume = false;
    parent.channel->set_handler(theirs.get());
  };
  ours->write(std::string(1'000'000, 'x'));
  ASSERT_TRUE(world.run_for(seconds(2)));
  EXPECT_EQ(theirs->data.size(), size_t{256} << 10) << "one window";
  EXPECT_EQ(ours->unsent(), 1'000'000 - (size_t{256} << 10));
  parent.channel->consumed(theirs->data.size());
  theirs->consume = true;
  ASSERT_TRUE(world.run_until([&] { return theirs->data.size() == 1'000'000; }, seconds(5)));
}

TEST_F(LinkTest, DroppingAChannelResetsItAtThePeer) {
  link_both();
  auto ours = child.link->open_channel("http", "");
  std::unique_ptr<Reader> theirs;
  parent.on_channel = [&] {
    theirs = std::make_unique<Reader>(*parent.channel);
    parent.channel->set_handler(theirs.get());
  };
  ASSERT_TRUE(world.run_until([&] { return theirs != nullptr; }, seconds(1)));
  ours.reset();
  EXPECT_TRUE(world.run_until([&] { return !theirs->reset.empty(); }, seconds(1)));
}

TEST_F(LinkTest, ALostLinkResetsItsChannels) {
  link_both();
  auto ours = child.link->open_channel("http", "");
  Reader reader(*ours);
  ours->set_handler(&reader);
  parent.process.kill();
  EXPECT_TRUE(world.run_until([&] { return !reader.reset.empty(); }, seconds(1)));
  ours->write("into the void");
  ours->consumed(5);
  ours->end();
}

TEST_F(LinkTest, BytesBeyondTheCreditEndTheLink) {
  // A peer that ignores credit, by hand: a hello, a channel, and more than a window of bytes.
  listen({{Role::compute}, {}});
  connect([this](std::unique_ptr<net::Stream> stream) {
    child.raw = std::move(stream);
    proto::Hello hello;
    encode(child.context.self, hello);
    proto::ChannelOpen open;
    open.set_kind("http");
    std::string bytes;
    append_frame(bytes, MessageType::hello, 0, hello.SerializeAsString());
    append_frame(bytes, MessageType::channel_open, 1, open.SerializeAsString());
    for (int i = 0; i < 17; ++i) {
      append_frame(bytes, MessageType::channel_data, 1, std::string(kMaxChunk, 'x'));
    }
    child.raw->write(bytes);
  });
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(2)));
  EXPECT_NE(parent.closed.find("beyond the credit"), std::string::npos) << parent.closed;
}

TEST_F(LinkTest, AGoodbyeTellsWhy) {
  link_both();
  child.link->close(Error{Code::cancelled, "going for maintenance", {}, {}});
  EXPECT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(1)));
  EXPECT_NE(parent.closed.find("going for maintenance"), std::string::npos);
}

TEST_F(LinkTest, APeerThatDoesNotReadLosesItsLink) {
  parent.context.queue_limit = 200'000;
  parent.context.silence_limit = seconds(0);
  child.context.silence_limit = seconds(0);
  link_both();
  fabric.block("agg1", "n1");
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 2000 && parent.link; ++i) {
    (void)parent.link->send_encoded(MessageType::heartbeat, kilobyte);
    ASSERT_LT(parent.link->queued_bytes(), 300'000U);
  }
  ASSERT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(1)));
  EXPECT_NE(parent.closed.find("does not read"), std::string::npos) << parent.closed;
}

TEST_F(LinkTest, APeersLastWordsAreShortAndPrintable) {
  link_both();
  child.link->close(Error{Code::cancelled, "\x1b[2J" + std::string(900'000, 'w'), {}, {}});
  ASSERT_TRUE(world.run_until([&] { return !parent.closed.empty(); }, seconds(5)));
  EXPECT_LT(parent.closed.size(), 1000U);
  EXPECT_EQ(parent.closed.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace drover::tree
