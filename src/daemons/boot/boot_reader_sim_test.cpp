// A master asks its boot daemons over their links: progress and logs, once and as they go on.
#include "api/boot_fan.hpp"
#include "api/boot_view.hpp"
#include "daemons/boot/boot_reader.hpp"
#include "daemons/boot/test_boot.hpp"
#include "daemons/boot_doors.hpp"
#include "daemons/test_tree.hpp"

namespace drover::daemons::testing {
namespace {

using Ph = cluster::PhaseState;

/// A boot daemon with its books and what a master may read of them.
struct Told {
  Told(sim::World& world, sim::Fabric& fabric, Disk& disk, const Timing& timing,
       const std::string& name)
      : boot(world, fabric, disk, timing, name),
        stages(executor(), [](const cluster::BootReport&) {}),
        logs(executor(), disk, boot.host.process.log(), "/logs", {}),
        reader({executor(), boot.daemon->channels(), stages, logs, name, [this] { return leases; }},
               boot.host.process.log()) {
    EXPECT_TRUE(reader.start());
  }
  Executor& executor() { return boot.host.process.executor(); }
  SimBoot boot;
  StageBook stages;
  NodeLogs logs;
  std::vector<boot::dhcp::Lease> leases;
  BootReader reader;
};

class BootReaderSim : public TreeSim {
 protected:
  void SetUp() override {
    TreeSim::SetUp();
    told_ = std::make_unique<Told>(world, fabric, disk_, timing, "boot1");
    ASSERT_TRUE(
        reach([this] { return told_->boot.daemon->masters().up() != nullptr; }, seconds(30)));
    doors_ =
        std::make_unique<BootDoors>(master->host.process.executor(), *master->tree, master->model);
    ASSERT_TRUE(reach([this] { return !doors_->known().empty() && doors_->known()[0].linked; },
                      seconds(10)));
  }
  template <typename Query>
  std::unique_ptr<api::BootFan> ask(std::string_view path, const Query& query) {
    api::BootFan::Events events;
    events.on_line = [this](size_t, std::string_view line) {
      if (line != "{}") lines_.emplace_back(line);
    };
    events.on_end = [this](size_t, const Status& end) {
      ended_ = end ? "well" : end.error().text();
    };
    return std::make_unique<api::BootFan>(*doors_, path, encode(query), std::move(events));
  }
  [[nodiscard]] std::string log_texts() const {
    std::string out;
    for (const std::string& line : lines_) {
      const auto event = decode_text<api::BootLogEvent>(line, Unknown::ignore).value();
      if (event.line) out += event.line->node + ":" + event.line->text + " ";
      if (event.caught_up) out += "| ";
    }
    return out;
  }
  static api::BootLogQuery query(const std::string& nodes, bool follow = false) {
    api::BootLogQuery out;
    out.nodes = nodes;
    out.follow = follow;
    return out;
  }

  sim::SimDisk disk_;
  std::unique_ptr<Told> told_;
  std::unique_ptr<BootDoors> doors_;
  std::vector<std::string> lines_;
  std::string ended_;
};

TEST_F(BootReaderSim, TheLogOfANodeIsReadAndEnds) {
  told_->logs.add("n1", LogSource::boot, "one");
  told_->logs.add("n2", LogSource::kernel, "two");
  const auto fan = ask(api::kBootLogPath, query("n[1-3]"));
  ASSERT_TRUE(reach([this] { return !ended_.empty(); }, seconds(5)));
  EXPECT_EQ(ended_, "well");
  EXPECT_EQ(log_texts(), "n1:one n2:two | ");
  const auto first = decode_text<api::BootLogEvent>(lines_.at(0), Unknown::ignore).value();
  EXPECT_EQ(first.line->source, "boot");
  EXPECT_EQ(first.line->daemon, "boot1");
}

TEST_F(BootReaderSim, AFollowedLogMissesNothingAndTellsNothingTwice) {
  told_->logs.add("n1", LogSource::boot, "before");
  const auto fan = ask(api::kBootLogPath, query("n[1-2]", true));
  // Lines at every moment of its beginning.
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    told_->logs.add(i % 2 == 0 ? "n1" : "n2", LogSource::kernel, std::to_string(i));
    told_->logs.add("n3", LogSource::kernel, "not asked for");
    ASSERT_TRUE(world.run_for(std::chrono::microseconds(500)));
  }
  ASSERT_TRUE(world.run_for(seconds(1)));
  const std::string texts = log_texts();
  EXPECT_EQ(texts.find("not asked"), std::string::npos);
  for (int i = 0; i < 200; ++i) {
    const std::string one = fmt::format("{}:{} ", i % 2 == 0 ? "n1" : "n2", i);
    const size_t at = texts.find(one);
    ASSERT_NE(at, std::string::npos) << one << texts;
    EXPECT_EQ(texts.find(one, at + 1), std::string::npos) << one;
  }
  EXPECT_NE(texts.find("| "), std::string::npos);
  // It lives for as long as it is wanted, also when nothing is said.
  ASSERT_TRUE(world.run_for(std::chrono::minutes(2)));
  EXPECT_EQ(ended_, "");
}

TEST_F(BootReaderSim, PatternsAreHeededLiveToo) {
  told_->logs.add("n1", LogSource::kernel, "error: old");
  api::BootLogQuery asked = query("n1", true);
  asked.grep = "^kernel: error";
  const auto fan = ask(api::kBootLogPath, asked);
  ASSERT_TRUE(world.run_for(seconds(1)));
  told_->logs.add("n1", LogSource::kernel, "fine");
  told_->logs.add("n1", LogSource::boot, "error: of another");
  told_->logs.add("n1", LogSource::kernel, "error: new");
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(log_texts(), "n1:error: old | n1:error: new ");
}

TEST_F(BootReaderSim, ProgressIsToldWithinATenthOfASecond) {
  told_->stages.seen("n1", Ph::kernel, "fetches");
  told_->stages.seen("n9", Ph::kernel, "another");
  api::BootProgressQuery asked;
  asked.nodes = "n[1-2]";
  asked.follow = true;
  const auto fan = ask(api::kBootProgressPath, asked);
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[0].find(R"("node":"n1","stage":"kernel")"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[1].find(R"("caught_up":true)"), std::string::npos);
  told_->stages.progress("n1", "kernel", 7, 9);
  ASSERT_TRUE(reach([this] { return lines_.size() == 3; }, milliseconds(100)));
  EXPECT_NE(lines_[2].find(R"("item":"kernel","done":7,"total":9)"), std::string::npos);
  told_->stages.ended("n1");
  ASSERT_TRUE(reach([this] { return lines_.size() == 4; }, milliseconds(100)));
  EXPECT_NE(lines_[3].find(R"("ended":"n1")"), std::string::npos);
}

TEST_F(BootReaderSim, ALinkThatIsLostEndsWhatWasAsked) {
  const auto fan = ask(api::kBootLogPath, query("n1", true));
  ASSERT_TRUE(world.run_for(seconds(1)));
  told_->boot.host.process.kill();
  ASSERT_TRUE(reach([this] { return !ended_.empty(); }, seconds(10)));
  EXPECT_NE(ended_, "well");
  EXPECT_FALSE(doors_->known().at(0).linked);
}

TEST_F(BootReaderSim, WhatIsNoQuestionIsRefused) {
  const auto bad = ask("/boot/nosuch", query("n1"));
  ASSERT_TRUE(reach([this] { return !ended_.empty(); }, seconds(5)));
  EXPECT_NE(ended_.find("knows no /boot/nosuch"), std::string::npos) << ended_;
  ended_.clear();
  // A name that would lead out of the folder of the logs.
  const auto path = ask(api::kBootLogPath, query("\"../../etc/shadow\""));
  ASSERT_TRUE(reach([this] { return !ended_.empty(); }, seconds(5)));
  EXPECT_NE(ended_, "well");
}

TEST_F(BootReaderSim, LeasesAreToldWithTheirClients) {
  const auto leases = [&](bool all) {
    lines_.clear();
    ended_.clear();
    api::BootLeaseQuery asked;
    asked.all = all;
    const auto fan = ask(api::kBootLeasesPath, asked);
    EXPECT_TRUE(reach([this] { return !ended_.empty(); }, seconds(5)));
    EXPECT_EQ(ended_, "well");
    std::string out;
    for (const std::string& line : lines_) {
      const auto event = decode_text<api::BootLeaseEvent>(line, Unknown::ignore).value();
      if (!event.lease) continue;
      const api::BootLease& lease = *event.lease;
      out += fmt::format("{} {} {} {}|", lease.address, lease.state, lease.client, lease.name);
    }
    return out;
  };
  using boot::dhcp::LeaseState;
  told_->leases = {{*boot::Ipv4::parse("10.0.0.200"),
                    LeaseState::leased,
                    std::string("h\x01\x02\0\0\0\0\x07", 8),
                    "pro\x1b"
                    "be",
                    {},
                    {}},
                   {*boot::Ipv4::parse("10.0.0.201"), LeaseState::free, "i\xff\x01", "", {}, {}},
                   {*boot::Ipv4::parse("10.0.0.202"), LeaseState::quarantined, "", "", {}, {}}};
  const std::string some = leases(false);
  EXPECT_EQ(some.find("10.0.0.201"), std::string::npos);
  EXPECT_NE(some.find("10.0.0.200 leased 02:00:00:00:00:07 "), std::string::npos) << some;
  EXPECT_NE(some.find("10.0.0.202 quarantined  |"), std::string::npos) << some;
  EXPECT_EQ(some.find('\x1b'), std::string::npos);
  EXPECT_NE(leases(true).find("10.0.0.201 free id:ff01 |"), std::string::npos);
  // More than one reader takes at once.
  told_->leases.assign(20'000, told_->leases[0]);
  const std::string many = leases(false);
  EXPECT_EQ(std::ranges::count(many, '|'), 20'000);
}

}  // namespace
}  // namespace drover::daemons::testing
