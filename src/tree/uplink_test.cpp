// An uplink whose link is replaced for a new certificate, when the parent lets go of the old link
// at the worst moments.
#include "tree/uplink.hpp"

#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

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

/// One process with its identity.
struct End {
  End(sim::World& world, sim::Fabric& fabric, Role role, const std::string& name, Disk& disk)
      : process(world, {.name = name, .host = name, .disk = &disk}),
        net(fabric, process),
        links{process.executor(), process.log("link"), introduce(role, name), seconds(3),
              seconds(5)} {}
  std::shared_ptr<net::Security> security() {
    net::SecurityConfig config;
    config.certificate_pem = sim::sim_certificate(
        certificate_uri("c1", std::string(tree::name(links.self.role)), links.self.name),
        process.executor().wall() + std::chrono::hours(1), "ca");
    config.trust_pem = sim::sim_ca("ca");
    return net.make_security(config).value();
  }
  sim::SimProcess process;
  sim::SimNet net;
  LinkContext links;
};

/// Accepts every link; while `holding`, a new stream waits and says nothing.
struct Parent : LinkEvents {
  explicit Parent(End& end) : self(end) { listen(); }
  void listen() {
    listener = self.net
                   .listen(
                       {"m1", 9815, {}}, [this] { return self.security(); },
                       [this](auto stream) {
                         if (!stream) return;
                         held = std::move(*stream);
                         if (!holding) answer();
                       })
                   .value();
  }
  void answer() {
    links.push_back(std::make_unique<Link>(self.links, std::move(held), LinkSide::acceptor,
                                           LinkExpectation{{Role::utility}, {}}, *this));
  }
  void on_link_ready(Link&) override {}
  void on_link_message(Link&, MessageType, std::string_view) override {}
  void on_link_channel(Link&, const std::string&, const std::string&,
                       std::unique_ptr<Channel>) override {}
  void on_link_closed(Link& link, const Error&) override {
    for (auto it = links.begin(); it != links.end(); ++it) {
      if (it->get() != &link) continue;
      self.process.executor().post([gone = std::move(*it)]() mutable { gone.reset(); });
      links.erase(it);
      return;
    }
  }
  End& self;
  bool holding = false;
  std::unique_ptr<net::Stream> held;
  std::unique_ptr<net::Listener> listener;
  std::vector<std::unique_ptr<Link>> links;
};

class UplinkTest : public ::testing::Test, public UplinkEvents {
 protected:
  void on_uplink_ready(Link&) override { ++ready; }
  void on_uplink_message(Link&, MessageType, std::string_view) override {}
  void on_uplink_lost(Link&, const Error&) override { ++lost; }
  void on_uplink_replaced(Link&, Link&) override { ++replaced; }

  void link_up() {
    uplink.set_targets({{"m1", 9815, {}}}, false);
    ASSERT_TRUE(world.run_until([&] { return uplink.link() != nullptr; }, seconds(5)));
  }

  sim::World world{7};
  sim::Fabric fabric{world};
  sim::SimDisk disk;
  End parent_end{world, fabric, Role::master, "m1", disk};
  End child{world, fabric, Role::utility, "login1", disk};
  Parent parent{parent_end};
  UplinkContext context{child.links, child.net, child.process.random(),
                        [this] { return child.security(); }};
  Uplink uplink{context, {{Role::master}, {}}, *this};
  int ready = 0;
  int lost = 0;
  int replaced = 0;
};

TEST_F(UplinkTest, ReplacesItsLinkWithoutAGap) {
  link_up();
  uplink.refresh();
  ASSERT_TRUE(world.run_until([&] { return replaced == 1; }, seconds(5)));
  EXPECT_NE(uplink.link(), nullptr);
  EXPECT_EQ(lost, 0);
}

TEST_F(UplinkTest, TheNewLinkTakesOverWhenTheOldOneEndsBeforeItsHello) {
  link_up();
  parent.holding = true;
  uplink.refresh();
  world.run_for(std::chrono::milliseconds(500));
  ASSERT_NE(parent.held, nullptr);
  parent.links.clear();
  world.run_for(std::chrono::milliseconds(500));
  parent.answer();
  ASSERT_TRUE(world.run_until([&] { return replaced == 1; }, seconds(1)));
  EXPECT_NE(uplink.link(), nullptr);
  EXPECT_TRUE(uplink.status().up);
  EXPECT_EQ(lost, 0);
}

TEST_F(UplinkTest, TheLossIsToldWhenTheNewLinkFailsToo) {
  link_up();
  parent.holding = true;
  uplink.refresh();
  world.run_for(std::chrono::milliseconds(500));
  parent.links.clear();
  world.run_for(std::chrono::milliseconds(500));
  parent.holding = false;
  parent.held.reset();
  ASSERT_TRUE(world.run_until([&] { return lost == 1 && ready == 2; }, seconds(5)));
  EXPECT_EQ(replaced, 0);
}

TEST_F(UplinkTest, DialsOnWhenTheOldLinkEndsWhileTheNewOneIsDialled) {
  link_up();
  parent.listener.reset();
  uplink.refresh();
  parent.links.clear();
  ASSERT_TRUE(world.run_until([&] { return lost == 1; }, seconds(1)));
  world.run_for(seconds(3));
  parent.listen();
  ASSERT_TRUE(world.run_until([&] { return ready == 2; }, seconds(10)));
  uplink.refresh();  // and can be refreshed again
  ASSERT_TRUE(world.run_until([&] { return replaced == 1; }, seconds(10)));
}

}  // namespace
}  // namespace drover::tree
