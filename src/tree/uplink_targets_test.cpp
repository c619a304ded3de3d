// Uplinks between simulated hosts: other targets, a parent that ends every link, and an owner that
// goes before its link.
#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"
#include "tree/uplink.hpp"

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
  self.protocol_min = self.protocol_max = 1;
  self.features = kFeatures;
  self.version = "1.0";
  return self;
}

std::shared_ptr<net::Security> security(sim::SimNet& net, sim::SimProcess& process, Role role) {
  net::SecurityConfig config;
  config.certificate_pem =
      sim::sim_certificate(certificate_uri("c1", name(role), process.name()),
                           process.executor().wall() + std::chrono::hours(1), "ca");
  config.trust_pem = sim::sim_ca("ca");
  return net.make_security(config).value();
}

/// A parent that keeps every link it accepts, or answers none of the hellos.
struct Parent : LinkEvents {
  Parent(sim::World& world, sim::Fabric& fabric, const std::string& host, Disk& disk)
      : process(world, {.name = host, .host = host, .disk = &disk}),
        net(fabric, process),
        context{process.executor(), process.log("link"), introduce(Role::master, host), seconds(0),
                seconds(60)} {
    listener = net.listen(
                      {host, 9815, {}}, [this] { return security(net, process, Role::master); },
                      [this](auto stream) {
                        if (!stream) return;
                        if (mute) {
                          mutes.push_back(std::move(*stream));
                          return;
                        }
                        links.push_back(
                            std::make_unique<Link>(context, std::move(*stream), LinkSide::acceptor,
                                                   LinkExpectation{{Role::utility}, {}}, *this));
                      })
                   .value();
  }
  void on_link_ready(Link& link) override {
    ++ready;
    if (end_all) link.close(Error{Code::denied, "not you", {}, {}});
  }
  void on_link_message(Link&, MessageType, std::string_view) override {}
  void on_link_channel(Link&, const std::string&, const std::string&,
                       std::unique_ptr<Channel>) override {}
  void on_link_closed(Link&, const Error&) override {}

  sim::SimProcess process;
  sim::SimNet net;
  LinkContext context;
  std::unique_ptr<net::Listener> listener;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<std::unique_ptr<net::Stream>> mutes;
  bool mute = false;
  bool end_all = false;
  int ready = 0;
};

class UplinkTargets : public ::testing::Test, public UplinkEvents {
 protected:
  void on_uplink_ready(Link&) override {}
  void on_uplink_message(Link&, MessageType, std::string_view) override {}
  void on_uplink_lost(Link&, const Error&) override { ++lost; }
  void on_uplink_replaced(Link&, Link&) override {}

  void dial(Parent& parent) {
    uplink->set_targets({net::Endpoint{parent.process.name(), 9815, {}}}, false);
    ASSERT_TRUE(world.run_until([&] { return uplink->link() != nullptr; }, seconds(5)));
  }

  sim::World world{3};
  sim::Fabric fabric{world};
  sim::SimDisk m1_disk;
  sim::SimDisk m2_disk;
  sim::SimDisk child_disk;
  Parent m1{world, fabric, "m1", m1_disk};
  Parent m2{world, fabric, "m2", m2_disk};
  sim::SimProcess process{world, {.name = "u1", .host = "u1", .disk = &child_disk}};
  sim::SimNet net{fabric, process};
  LinkContext links{process.executor(), process.log("link"), introduce(Role::utility, "u1"),
                    seconds(0), seconds(5)};
  UplinkContext context{links, net, process.random(),
                        [this] { return security(net, process, Role::utility); }};
  std::unique_ptr<Uplink> uplink =
      std::make_unique<Uplink>(context, LinkExpectation{{Role::master}, {}}, *this);
  int lost = 0;
};

TEST_F(UplinkTargets, OtherTargetsAreDialledInPlaceOfALinkInItsHello) {
  m1.mute = true;
  uplink->set_targets({net::Endpoint{"m1", 9815, {}}}, true);
  ASSERT_TRUE(world.run_until([&] { return m1.mutes.size() == 1; }, seconds(5)));
  uplink->set_targets({net::Endpoint{"m2", 9815, {}}}, true);
  EXPECT_TRUE(world.run_until([&] { return uplink->link() != nullptr; }, seconds(5)));
  EXPECT_EQ(uplink->status().target, "m2:9815");
}

TEST_F(UplinkTargets, AParentThatEndsEveryLinkIsAskedEverMoreSeldom) {
  m1.end_all = true;
  uplink->set_targets({net::Endpoint{"m1", 9815, {}}}, false);
  ASSERT_TRUE(world.run_for(seconds(60)));
  EXPECT_GT(m1.ready, 5);
  EXPECT_LT(m1.ready, 60);
}

TEST_F(UplinkTargets, ALinkThatWasClosedSaysNothingToAnOwnerThatIsGone) {
  dial(m1);
  uplink->close(Error{Code::cancelled, "stopping", {}, {}});
  uplink.reset();  // the link itself goes a little later
  m1.links.clear();
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(lost, 1);
}

}  // namespace
}  // namespace drover::tree
