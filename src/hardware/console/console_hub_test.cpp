// The hub with consoles that do what the test says.
#include "hardware/console/console_hub.hpp"

#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// What a test sees of a line; it lives on when the line is gone.
struct Wire {
  std::string node;
  ConsoleLineEvents events;
  std::string typed;
  size_t unsent = 0;
  int breaks = 0;
  bool paused = false;
  bool gone = false;
  void open() { events.on_open({"ipmi", "10.0.0.7:623"}); }
};

class FakeLine final : public ConsoleLine {
 public:
  explicit FakeLine(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  FakeLine(const FakeLine&) = delete;
  FakeLine& operator=(const FakeLine&) = delete;
  ~FakeLine() override { wire_->gone = true; }
  void write(std::string_view bytes) override { wire_->typed += bytes; }
  [[nodiscard]] size_t unsent() const override { return wire_->unsent; }
  Status send_break() override {
    ++wire_->breaks;
    return {};
  }
  void pause(bool paused) override { wire_->paused = paused; }

 private:
  std::shared_ptr<Wire> wire_;
};

class FakeDialler final : public ConsoleDialler {
 public:
  std::unique_ptr<ConsoleLine> dial(const std::string& node, ConsoleLineEvents events) override {
    wires.push_back(std::make_shared<Wire>());
    wires.back()->node = node;
    wires.back()->events = std::move(events);
    return std::make_unique<FakeLine>(wires.back());
  }
  std::vector<std::shared_ptr<Wire>> wires;
};

class Person final : public ConsoleSink {
 public:
  [[nodiscard]] bool full() const override { return is_full; }
  void on_bytes(uint64_t at, std::string_view bytes) override {
    seen += bytes;
    end = at;
  }
  void on_lost(uint64_t bytes) override { lost += bytes; }
  void on_status(const ConsoleStatus& status) override {
    states.emplace_back(enum_name(status.state));
    why = status.why;
  }
  void on_viewers(const std::vector<ConsoleViewer>& viewers) override {
    there.clear();
    for (const ConsoleViewer& viewer : viewers) {
      there += (there.empty() ? "" : " ") + viewer.who + (viewer.writes ? "+" : "");
    }
  }
  void on_end(const Error& error) override { ended = error.message; }

  bool is_full = false;
  std::string seen;
  uint64_t end = 0;
  uint64_t lost = 0;
  std::vector<std::string> states;
  std::string why;
  std::string there;
  std::string ended;
};

class ConsoleHubTest : public ::testing::Test {
 protected:
  ConsoleHub::ViewerId come(Person& person, const std::string& who, bool writes,
                            std::optional<uint64_t> seen = {}) {
    const auto id = hub_.attach("n1", {{who, "master/m1", writes, {}}, seen}, person);
    EXPECT_TRUE(id);
    turn();
    return id.value_or(0);
  }
  void turn() { ASSERT_TRUE(world_.run_for(milliseconds(1))); }
  void pass(Duration time) { ASSERT_TRUE(world_.run_for(time)); }
  Wire& wire(size_t i) { return *dialler_.wires.at(i); }
  [[nodiscard]] size_t dialled() const { return dialler_.wires.size(); }
  [[nodiscard]] ConsoleState state() const { return hub_.status("n1")->state; }

  sim::World world_{5};
  sim::SimDisk disk_;
  sim::SimProcess process_{world_, {.name = "master", .host = "m1", .disk = &disk_}};
  FakeDialler dialler_;
  std::string logged_;
  std::vector<std::string> notes_;
  std::vector<std::string> comings_;
  ConsoleHub hub_{process_.executor(),
                  process_.random(),
                  dialler_,
                  {.kept = 100, .viewers = 3, .unsent = 10, .dialling = 2},
                  {[this](const std::string&, std::string_view bytes) { logged_ += bytes; },
                   [this](const std::string&, std::string_view text) { notes_.emplace_back(text); },
                   [this](const std::string&, const ConsoleViewer& viewer, bool came) {
                     comings_.push_back((came ? "+" : "-") + viewer.who);
                   }}};
};

TEST_F(ConsoleHubTest, OneConnectionServesEverybody) {
  Person alice;
  Person bob;
  come(alice, "alice", true);
  ASSERT_EQ(dialled(), 1U);
  EXPECT_EQ(alice.states, (std::vector<std::string>{"connecting"}));
  wire(0).open();
  wire(0).events.on_bytes("login: ");
  come(bob, "bob", false);
  EXPECT_EQ(dialled(), 1U);
  EXPECT_EQ(bob.seen, "login: ") << "who comes sees what was said last";
  EXPECT_EQ(bob.states, (std::vector<std::string>{"open"}));
  EXPECT_EQ(alice.there, "alice+ bob");
  EXPECT_EQ(bob.there, "alice+ bob");
  wire(0).events.on_bytes("root\r\n");
  EXPECT_EQ(alice.seen, "login: root\r\n");
  EXPECT_EQ(bob.seen, alice.seen);
  EXPECT_EQ(bob.end, 13U);
  EXPECT_EQ(logged_, "login: root\r\n");
  EXPECT_EQ(notes_, (std::vector<std::string>{"open by ipmi to 10.0.0.7:623"}));
}

TEST_F(ConsoleHubTest, OnlyWritersType) {
  Person alice;
  Person bob;
  const auto writer = come(alice, "alice", true);
  const auto spy = come(bob, "bob", false);
  const Status early = hub_.type(writer, "x");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::conflict);
  wire(0).open();
  EXPECT_TRUE(hub_.type(writer, "ls\r"));
  EXPECT_TRUE(hub_.send_break(writer));
  EXPECT_EQ(wire(0).typed, "ls\r");
  EXPECT_EQ(wire(0).breaks, 1);
  EXPECT_EQ(hub_.type(spy, "rm\r").error().code, Code::denied);
  EXPECT_EQ(hub_.send_break(spy).error().code, Code::denied);
  EXPECT_EQ(hub_.type(99, "x").error().code, Code::not_found);
  EXPECT_EQ(wire(0).typed, "ls\r");
  wire(0).unsent = 10;
  EXPECT_EQ(hub_.type(writer, "x").error().code, Code::exhausted);
}

TEST_F(ConsoleHubTest, WhoIsSlowLosesBytesAndNobodyElseDoes) {
  Person slow;
  Person quick;
  const auto id = come(slow, "slow", false);
  come(quick, "quick", false);
  wire(0).open();
  slow.is_full = true;
  for (int i = 0; i < 100; ++i) wire(0).events.on_bytes("0123456789");
  EXPECT_EQ(quick.seen.size(), 1000U);
  EXPECT_EQ(slow.seen, "");
  slow.is_full = false;
  hub_.drained(id);
  turn();
  EXPECT_GE(slow.seen.size(), 100U);
  EXPECT_LE(slow.seen.size(), 200U) << "no more than what is kept";
  EXPECT_EQ(slow.lost + slow.seen.size(), 1000U);
  EXPECT_EQ(slow.end, 1000U);
  wire(0).events.on_bytes("!");
  EXPECT_TRUE(slow.seen.ends_with("9!"));
}

TEST_F(ConsoleHubTest, WhoComesBackGoesOnWhereItWas) {
  Person first;
  const auto id = come(first, "a", false);
  wire(0).open();
  wire(0).events.on_bytes("before");
  hub_.detach(id);
  wire(0).events.on_bytes(" meanwhile");
  Person again;
  come(again, "a", false, first.end);
  EXPECT_EQ(again.seen, " meanwhile");
  Person of_another_master;
  come(of_another_master, "b", false, 1'000'000);
  EXPECT_EQ(of_another_master.seen, "before meanwhile");
  EXPECT_EQ(comings_, (std::vector<std::string>{"+a", "-a", "+a", "+b"}));
}

TEST_F(ConsoleHubTest, ABrokenConsoleIsTriedAgainEverMoreSeldom) {
  Person person;
  come(person, "a", true);
  wire(0).open();
  wire(0).events.on_closed({Code::unreachable, "the BMC is gone", {}, {}});
  EXPECT_TRUE(wire(0).gone);
  EXPECT_EQ(person.states.back(), "waiting");
  EXPECT_EQ(person.why, "the BMC is gone");
  for (size_t tries = 2; tries < 10; ++tries) {
    ASSERT_TRUE(world_.run_until([&] { return dialled() == tries; }, minutes(2)));
    wire(tries - 1).events.on_closed({Code::unreachable, "the BMC is gone", {}, {}});
  }
  const size_t before = dialled();
  pass(minutes(10));
  EXPECT_LE(dialled() - before, 1U) << "the next is under way";
  EXPECT_EQ(std::ranges::count(notes_, "closed: the BMC is gone"), 1) << "told once";
  wire(dialled() - 1).open();
  wire(dialled() - 1).events.on_bytes("back");
  EXPECT_EQ(person.seen, "back");
  EXPECT_EQ(state(), ConsoleState::open);
}

TEST_F(ConsoleHubTest, AMachineThatIsSwitchedOnIsTriedAtOnce) {
  hub_.hold({"n1"});
  turn();
  for (int i = 0; i < 8; ++i) {
    const size_t tries = dialled();
    wire(tries - 1).events.on_closed({Code::unreachable, "it is off", {}, {}});
    ASSERT_TRUE(world_.run_until([&] { return dialled() > tries; }, minutes(2)));
  }
  const size_t tries = dialled();
  wire(tries - 1).events.on_closed({Code::unreachable, "it is off", {}, {}});
  for (int i = 0; i < 20; ++i) hub_.hurry("n1");
  pass(milliseconds(1100));
  EXPECT_EQ(dialled(), tries + 1);
  hub_.hurry("n1");
  hub_.hurry("n9");
  pass(milliseconds(1100));
  EXPECT_EQ(dialled(), tries + 1) << "it is being opened";
}

TEST_F(ConsoleHubTest, ARefusedPasswordIsNotTriedAgainAtOnce) {
  Person person;
  const auto id = come(person, "a", true);
  wire(0).events.on_closed({Code::unauthenticated, "the BMC refused it", {}, {}});
  pass(minutes(10));
  EXPECT_EQ(dialled(), 1U);
  hub_.detach(id);
  Person other;
  come(other, "b", true);
  EXPECT_EQ(dialled(), 2U) << "somebody asks, and that was ten minutes ago";
  wire(1).events.on_closed({Code::unauthenticated, "the BMC refused it", {}, {}});
  Person third;
  come(third, "c", true);
  EXPECT_EQ(dialled(), 2U);
  hub_.redial("n1");
  turn();
  EXPECT_EQ(dialled(), 3U) << "there is another password now";
}

TEST_F(ConsoleHubTest, WhatIsHeldIsOpenWithoutAnybody) {
  hub_.hold({"n1", "n2", "n3"});
  turn();
  EXPECT_EQ(dialled(), 2U) << "so many at a time";
  wire(0).open();
  EXPECT_EQ(dialled(), 3U);
  wire(0).events.on_bytes("boot\n");
  EXPECT_EQ(logged_, "boot\n");
  pass(minutes(5));
  EXPECT_FALSE(wire(0).gone);
  hub_.hold({"n2"});
  pass(minutes(1));
  EXPECT_TRUE(wire(0).gone);
  EXPECT_EQ(state(), ConsoleState::idle);
  EXPECT_EQ(hub_.nodes(), (std::vector<std::string>{"n1", "n2", "n3"}));
}

TEST_F(ConsoleHubTest, WhatNobodyNeedsIsClosedAfterAWhile) {
  Person person;
  const auto id = come(person, "a", true);
  wire(0).open();
  hub_.detach(id);
  pass(seconds(20));
  EXPECT_FALSE(wire(0).gone);
  const auto again = come(person, "a", true);
  pass(minutes(2));
  EXPECT_FALSE(wire(0).gone) << "somebody came back in time";
  hub_.detach(again);
  pass(minutes(1));
  EXPECT_TRUE(wire(0).gone);
  EXPECT_EQ(state(), ConsoleState::idle);
}

TEST_F(ConsoleHubTest, WhoComesAndGoesDoesNotHammerTheBmc) {
  for (int i = 0; i < 50; ++i) {
    Person person;
    const auto id = come(person, "a", true);
    hub_.detach(id);
    pass(milliseconds(100));
  }
  EXPECT_LE(dialled(), 3U);
}

TEST_F(ConsoleHubTest, AFloodIsHeldBackAndGoesOn) {
  Person person;
  come(person, "a", false);
  wire(0).open();
  const std::string much(size_t{1} << 20, 'x');
  wire(0).events.on_bytes(much);
  EXPECT_FALSE(wire(0).paused) << "a burst is let through";
  wire(0).events.on_bytes(much.substr(0, size_t{256} << 10));
  EXPECT_TRUE(wire(0).paused);
  pass(milliseconds(900));
  EXPECT_TRUE(wire(0).paused);
  pass(milliseconds(200));
  EXPECT_FALSE(wire(0).paused);
}

TEST_F(ConsoleHubTest, TooManyPeopleAndANodeThatGoes) {
  std::array<Person, 4> people;
  for (size_t i = 0; i < 3; ++i) come(people[i], fmt::format("p{}", i), false);
  const auto fourth = hub_.attach("n1", {{"p3", "", false, {}}, {}}, people[3]);
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Code::exhausted);
  wire(0).open();
  hub_.remove("n1");
  EXPECT_TRUE(wire(0).gone);
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(people[i].ended.find("was removed"), std::string::npos);
  EXPECT_FALSE(hub_.status("n1"));
  hub_.detach(1);  // nothing of it is left
}

}  // namespace
}  // namespace drover::hardware
