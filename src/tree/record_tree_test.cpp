// Records from their origins through aggregators to a master, whatever breaks on the way.
#include "proto/records.pb.h"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "tree/record_relay.hpp"
#include "tree/record_sender.hpp"
#include "tree/record_window.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using namespace std::chrono_literals;

/// Takes what is sent up and hands it to whoever is at the other end, after a while.
class Way final : public WayUp {
 public:
  using Arrive = Callback<void(const std::string&)>;
  Way(sim::World& world, Arrive arrive) : world_(world), arrive_(std::move(arrive)) {}
  Status send_up(MessageType type, std::string_view payload) override {
    EXPECT_EQ(type, MessageType::records);
    world_.after(1ms, [this, weak = std::weak_ptr<bool>(alive_), bytes = std::string(payload)] {
      if (!weak.expired()) arrive_(bytes);
    });
    return {};
  }

 private:
  sim::World& world_;
  Arrive arrive_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// What a master has in its store: effects and windows, changed together.
class Master {
 public:
  explicit Master(sim::World& world) : world_(world) {}

  /// Takes a message; the answer comes after the commit, unless the master dies before.
  void take(const std::string& bytes, Callback<void(std::string)> answer) {
    if (!up) return;
    world_.after(2ms, [this, life = life_, bytes, answer = std::move(answer)]() mutable {
      if (life != life_ || !up) return;
      proto::Records records;
      EXPECT_TRUE(records.ParseFromString(bytes));
      proto::RecordAcks acks;
      for (const auto& record : records.records()) commit(record, acks);
      answer(acks.SerializeAsString());
    });
  }
  void restart() { ++life_; }

  bool up = true;
  /// Payloads applied, by origin and kind, in order.
  std::map<std::string, std::map<std::string, std::vector<std::string>>> applied;
  std::set<RecordId> refuse;

 private:
  void commit(const proto::Record& record, proto::RecordAcks& acks) {
    const RecordId id = id_of(record);
    std::string& stored = windows_[id.origin];
    RecordWindow window = RecordWindow::decode(stored).value();
    const std::string snapshot = record.kind() == "inventory" ? "inventory" : "";
    const auto verdict = window.check(id.incarnation, id.sequence, snapshot);
    if (verdict == RecordWindow::Verdict::not_yet) return;
    if (verdict == RecordWindow::Verdict::stale || refuse.contains(id)) {
      window.mark(id.incarnation, id.sequence, snapshot);
      auto* refused = acks.add_refused();
      set_key(*refused->mutable_key(), id);
      refused->set_code("invalid-argument");
    } else {
      if (verdict == RecordWindow::Verdict::fresh && !record.kind().empty()) {
        applied[id.origin][record.kind()].push_back(record.payload());
      }
      window.mark(id.incarnation, id.sequence, snapshot);
      set_key(*acks.add_committed(), id);
    }
    stored = window.encode();
  }

  sim::World& world_;
  uint64_t life_ = 0;
  std::map<std::string, std::string> windows_;
};

class RecordTree;

struct Aggregator final : public Peers {
  Aggregator(RecordTree& t, std::string n, sim::World& world) : tree(t), name(std::move(n)) {
    start(world);
  }
  void start(sim::World& world);
  Status send(const std::string& peer, MessageType type, std::string_view payload) override;
  /// Loses power and comes back.
  void crash(sim::World& world) {
    way.reset();
    process->kill();
    relay.reset();
    process.reset();
    auto random = world.stream(fmt::format("crash{}{}", name, world.events_run()));
    disk.crash(random);
    start(world);
  }
  void link_master(sim::World& world);
  void break_master() {
    relay->use(nullptr);
    way.reset();
  }

  RecordTree& tree;
  std::string name;
  sim::SimDisk disk;
  RecordOutbox::Limits limits;
  std::unique_ptr<sim::SimProcess> process;
  std::unique_ptr<RecordRelay> relay;
  std::unique_ptr<Way> way;
};

struct Origin {
  std::unique_ptr<RecordSender> sender;
  std::unique_ptr<Way> way;
  std::string at;  ///< its aggregator; empty: none
  uint64_t incarnation = 0;
};

class RecordTree {
 public:
  RecordTree(uint64_t seed, int aggregators, int origins)
      : world(seed), process(world, {.name = "nodes", .host = "h"}), master(world) {
    for (int i = 1; i <= aggregators; ++i) {
      const std::string name = fmt::format("a{}", i);
      this->aggregators[name] = std::make_unique<Aggregator>(*this, name, world);
      this->aggregators[name]->link_master(world);
    }
    for (int i = 1; i <= origins; ++i) {
      const std::string name = fmt::format("n{}", i);
      boot(name);
      link(name, fmt::format("a{}", 1 + i % aggregators));
    }
  }

  void boot(const std::string& name) {
    Origin& origin = this->origins[name];
    unlink(name);
    ++origin.incarnation;
    origin.sender = std::make_unique<RecordSender>(
        process.executor(), process.log(),
        RecordSender::Config{.origin = name, .role = "compute", .incarnation = origin.incarnation},
        RecordOutbox::Limits{}, nullptr);
  }
  void link(const std::string& name, const std::string& aggregator) {
    unlink(name);
    Origin& origin = origins.at(name);
    origin.at = aggregator;
    origin.way = std::make_unique<Way>(world, [this, name, aggregator](const std::string& bytes) {
      aggregators.at(aggregator)->relay->on_records(name, bytes);
    });
    origin.sender->use(origin.way.get());
  }
  void unlink(const std::string& name) {
    Origin& origin = origins.at(name);
    if (origin.sender) origin.sender->use(nullptr);
    origin.way.reset();
    origin.at.clear();
  }
  /// Everything is put right again; all that is held must arrive.
  void heal() {
    master.up = true;
    for (auto& [name, aggregator] : aggregators) {
      if (!aggregator->way) aggregator->link_master(world);
    }
    for (auto& [name, origin] : origins) {
      if (origin.at.empty()) link(name, "a1");
    }
  }
  [[nodiscard]] size_t held() const {
    size_t out = 0;
    for (const auto& [name, origin] : origins) out += origin.sender->stats().records;
    for (const auto& [name, aggregator] : aggregators) out += aggregator->relay->stats().records;
    return out;
  }
  [[nodiscard]] Status settle(Duration limit = 300s) {
    return world.run_until([this] { return held() == 0; }, limit);
  }

  sim::World world;
  sim::SimProcess process;
  Master master;
  std::map<std::string, std::unique_ptr<Aggregator>> aggregators;
  std::map<std::string, Origin> origins;
};

void Aggregator::start(sim::World& world) {
  process = std::make_unique<sim::SimProcess>(
      world, sim::ProcessOptions{.name = name, .host = name, .disk = &disk});
  process->set_log_observer([](const LogRecord& record) {
    if (record.severity == Severity::error) ADD_FAILURE() << record.text;
  });
  relay = std::make_unique<RecordRelay>(
      process->executor(), process->log(), *this, limits,
      std::make_unique<SpoolPlace>(SpoolPlace{disk, "/spool", {.segment_bytes = 4096}}));
}

Status Aggregator::send(const std::string& peer, MessageType type, std::string_view payload) {
  EXPECT_EQ(type, MessageType::record_acks);
  if (tree.origins.at(peer).at != name) return fail(Code::unreachable, "not linked");
  tree.world.after(1ms, [this, peer, bytes = std::string(payload)] {
    Origin& origin = tree.origins.at(peer);
    if (origin.at == name) origin.sender->on_acks(bytes);
  });
  return {};
}

void Aggregator::link_master(sim::World& world) {
  way = std::make_unique<Way>(world, [this](const std::string& bytes) {
    tree.master.take(bytes, [this, from = way.get()](const std::string& acks) {
      if (way.get() == from) relay->on_acks(acks);
    });
  });
  relay->use(way.get());
}

TEST(RecordTree, InAHealthyTreeRecordsArriveAndTheDiskIsNotTouched) {
  RecordTree tree(1, 2, 10);
  const uint64_t before = tree.aggregators["a1"]->disk.operations();
  for (int i = 0; i < 10; ++i) {
    for (auto& [name, origin] : tree.origins) {
      ASSERT_TRUE(origin.sender->add("event", fmt::format("e{}", i), Supersede::none));
    }
    ASSERT_TRUE(tree.world.run_for(50ms));
  }
  ASSERT_TRUE(tree.settle(1s));
  for (auto& [name, origin] : tree.origins) {
    EXPECT_EQ(
        tree.master.applied[name]["event"],
        (std::vector<std::string>{"e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9"}));
  }
  EXPECT_LE(tree.aggregators["a1"]->disk.operations(), before + 2) << "only the opening";
}

TEST(RecordTree, WhatIsSpooledOutlivesItsOriginAndTheAggregator) {
  RecordTree tree(2, 1, 3);
  tree.master.up = false;
  for (auto& [name, origin] : tree.origins) {
    ASSERT_TRUE(origin.sender->add("event", "last words", Supersede::none));
  }
  ASSERT_TRUE(tree.world.run_for(1s));
  EXPECT_EQ(tree.aggregators["a1"]->relay->stats().spooled, 3U);
  EXPECT_EQ(tree.aggregators["a1"]->relay->stats().memory_bytes, 0U);
  for (auto& [name, origin] : tree.origins) tree.boot(name);  // memory gone
  tree.aggregators["a1"]->crash(tree.world);
  ASSERT_TRUE(tree.world.run_for(1s));
  tree.heal();
  ASSERT_TRUE(tree.settle());
  for (auto& [name, origin] : tree.origins) {
    EXPECT_EQ(tree.master.applied[name]["event"], std::vector<std::string>{"last words"});
  }
  ASSERT_TRUE(tree.world.run_for(1s));
  EXPECT_EQ(tree.aggregators["a1"]->relay->stats().spool_bytes, 0U);
}

TEST(RecordTree, ReplaysDoNotGrowTheSpool) {
  RecordTree tree(3, 1, 1);
  tree.master.up = false;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(tree.origins["n1"].sender->add("event", std::string(1000, 'x'), Supersede::none));
  }
  ASSERT_TRUE(tree.world.run_for(2s));
  const size_t bytes = tree.aggregators["a1"]->relay->stats().spool_bytes;
  EXPECT_GT(bytes, 50'000U);
  for (int i = 0; i < 10; ++i) {
    tree.link("n1", "a1");
    ASSERT_TRUE(tree.world.run_for(2s));
  }
  EXPECT_EQ(tree.aggregators["a1"]->relay->stats().spool_bytes, bytes);
  EXPECT_EQ(tree.aggregators["a1"]->relay->stats().records, 50U);
}

TEST(RecordTree, ANewerSnapshotTakesThePlaceOfOneThatHasNotLeft) {
  RecordTree tree(4, 1, 1);
  tree.unlink("n1");
  RecordSender& sender = *tree.origins["n1"].sender;
  EXPECT_EQ(sender.add("inventory", "one", Supersede::older).value(), 1U);
  EXPECT_EQ(sender.add("event", "e", Supersede::none).value(), 2U);
  EXPECT_EQ(sender.add("inventory", "two", Supersede::older).value(), 1U);
  EXPECT_EQ(sender.stats().records, 2U);
  tree.heal();
  ASSERT_TRUE(tree.settle());
  EXPECT_EQ(tree.master.applied["n1"]["inventory"], std::vector<std::string>{"two"});
}

TEST(RecordTree, ASnapshotThatMayHaveArrivedIsSentAgainEmpty) {
  RecordTree tree(5, 1, 1);
  tree.master.up = false;
  RecordSender& sender = *tree.origins["n1"].sender;
  EXPECT_EQ(sender.add("inventory", std::string(100'000, 'x'), Supersede::older).value(), 1U);
  tree.unlink("n1");
  EXPECT_EQ(sender.add("inventory", "two", Supersede::older).value(), 2U);
  EXPECT_LT(sender.stats().memory_bytes, 1000U);
  tree.heal();
  ASSERT_TRUE(tree.settle());
  EXPECT_EQ(tree.master.applied["n1"]["inventory"].back(), "two");
}

TEST(RecordTree, RefusedRecordsAreDroppedAndDoNotHoldUpOthers) {
  RecordTree tree(6, 1, 1);
  tree.master.refuse.insert({"n1", 1, 1});
  ASSERT_TRUE(tree.origins["n1"].sender->add("event", "bad", Supersede::none));
  ASSERT_TRUE(tree.origins["n1"].sender->add("event", "good", Supersede::none));
  ASSERT_TRUE(tree.settle(1s));
  EXPECT_EQ(tree.master.applied["n1"]["event"], std::vector<std::string>{"good"});
}

TEST(RecordTree, ANodeSpeaksAboutItselfAlone) {
  RecordTree tree(7, 1, 2);
  proto::Records forged;
  auto* record = forged.add_records();
  record->set_origin("n2");
  record->set_incarnation(1);
  record->set_sequence(1);
  record->set_kind("event");
  tree.aggregators["a1"]->relay->on_records("n1", forged.SerializeAsString());
  tree.aggregators["a1"]->relay->on_records("n1", "\xff garbage");
  tree.aggregators["a1"]->relay->on_acks("\xff garbage");
  tree.origins["n1"].sender->on_acks("\xff garbage");
  ASSERT_TRUE(tree.world.run_for(1s));
  EXPECT_TRUE(tree.master.applied.empty());
  EXPECT_EQ(tree.held(), 0U);
}

TEST(RecordTree, FullOriginsSayNoAndTooLargeRecordsAreRefused) {
  RecordTree tree(8, 1, 1);
  tree.unlink("n1");
  RecordSender& sender = *tree.origins["n1"].sender;
  EXPECT_EQ(
      sender.add("event", std::string(kMaxRecordPayload + 1, 'x'), Supersede::none).error().code,
      Code::too_large);
  int taken = 0;
  while (sender.add("event", std::string(kMaxRecordPayload, 'x'), Supersede::none)) ++taken;
  EXPECT_EQ(taken, 31) << "16 MiB";
  EXPECT_EQ(sender.add("event", std::string(kMaxRecordPayload, 'x'), Supersede::none).error().code,
            Code::exhausted);
  tree.heal();
  ASSERT_TRUE(tree.settle());
  EXPECT_EQ(tree.master.applied["n1"]["event"].size(), 31U);
  EXPECT_TRUE(sender.add("event", "room again", Supersede::none));
}

TEST(RecordTree, AFullSpoolLosesNothing) {
  RecordTree tree(9, 1, 4);
  Aggregator& aggregator = *tree.aggregators["a1"];
  aggregator.limits = {.records = 50, .memory_bytes = 100'000, .resend_after = 2s};
  aggregator.crash(tree.world);
  for (auto& [name, origin] : tree.origins) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(origin.sender->add("event", fmt::format("{:4}", i) + std::string(2000, 'x'),
                                     Supersede::none));
    }
  }
  ASSERT_TRUE(tree.world.run_for(10s));
  EXPECT_EQ(aggregator.relay->stats().records, 49U) << "its memory was full before the disk had it";
  tree.heal();
  ASSERT_TRUE(tree.settle(600s));
  for (auto& [name, origin] : tree.origins) {
    auto events = tree.master.applied[name]["event"];
    EXPECT_EQ(std::set<std::string>(events.begin(), events.end()).size(), 100U);
    EXPECT_EQ(events.size(), 100U);
  }
}

TEST(RecordTree, AnOriginWithADiskSendsAfterARestartWhatItHadTaken) {
  sim::World world(10);
  sim::SimDisk disk;
  Master master(world);
  for (uint64_t life = 1; life <= 3; ++life) {
    sim::SimProcess process(world, {.name = "u1", .host = "u1", .disk = &disk});
    RecordSender sender(process.executor(), process.log(), {"u1", "utility", life},
                        {.spool_after = 0s},
                        std::make_unique<SpoolPlace>(SpoolPlace{disk, "/spool", {}}));
    ASSERT_TRUE(world.run_for(100ms));
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(sender.add("event", fmt::format("{}.{}", life, i), Supersede::none));
    }
    ASSERT_TRUE(world.run_for(100ms));
    EXPECT_EQ(sender.stats().spooled, 5U * life);
    if (life < 3) {
      process.kill();
      auto random = world.stream("crash");
      disk.crash(random);
      continue;
    }
    std::unique_ptr<Way> way;
    way = std::make_unique<Way>(world, [&](const std::string& bytes) {
      master.take(bytes, [&](const std::string& acks) { sender.on_acks(acks); });
    });
    sender.use(way.get());
    ASSERT_TRUE(world.run_until([&] { return sender.stats().records == 0; }, 10s));
    sender.use(nullptr);
  }
  const auto& events = master.applied["u1"]["event"];
  ASSERT_EQ(events.size(), 15U);
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end())) << "in the order of their making";
}

/// Random trouble; in the end each record of a living origin, and each that an aggregator had on
/// disk, has been applied exactly once, and the newest inventory is the one that stands.
class Trouble {
 public:
  explicit Trouble(uint64_t seed) : tree_(seed, 3, 6), random_(tree_.world.stream("trouble")) {}

  void run() {
    for (int step = 0; step < 120; ++step) {
      one();
      ASSERT_TRUE(tree_.world.run_for(random_.between(0ms, 300ms)));
    }
    tree_.heal();
    const Status settled = tree_.settle();
    ASSERT_TRUE(settled) << settled.error().text() << " held " << tree_.held();
    check();
  }

 private:
  std::string any_origin() { return fmt::format("n{}", 1 + random_.below(6)); }
  Aggregator& any_aggregator() {
    return *tree_.aggregators.at(fmt::format("a{}", 1 + random_.below(3)));
  }

  void add(const std::string& name) {
    Origin& origin = tree_.origins.at(name);
    const std::string payload =
        fmt::format("{:08}", ++made_) + std::string(random_.below(3000), 'x');
    if (random_.below(3) == 0) {
      if (origin.sender->add("inventory", payload, Supersede::older)) inventory_[name] = payload;
    } else if (origin.sender->add("event", payload, Supersede::none)) {
      events_[name].insert(payload);
    }
  }

  void one() {
    const std::string name = any_origin();
    switch (random_.below(16)) {
      case 0:
        return tree_.unlink(name);
      case 1:
      case 2:
        return tree_.link(name, any_aggregator().name);
      case 3: {
        // What only this node held is gone with it; what was applied or spooled is not.
        tree_.boot(name);
        lost_[name].merge(events_[name]);
        events_[name].clear();
        inventory_.erase(name);
        return tree_.link(name, any_aggregator().name);
      }
      case 4: {
        Aggregator& aggregator = any_aggregator();
        aggregator.crash(tree_.world);
        for (auto& [node, origin] : tree_.origins) {
          if (origin.at != aggregator.name) continue;
          // Back at once, before the spool has been read, or not.
          if (random_.below(2) == 0) {
            tree_.link(node, aggregator.name);
          } else {
            tree_.unlink(node);
          }
        }
        if (random_.below(2) == 0) aggregator.link_master(tree_.world);
        return;
      }
      case 5:
      case 6: {
        Aggregator& aggregator = any_aggregator();
        if (aggregator.way) return aggregator.break_master();
        return aggregator.link_master(tree_.world);
      }
      case 7:
        tree_.master.up = !tree_.master.up;
        return;
      case 8:
        tree_.master.restart();
        return;
      default:
        return add(name);
    }
  }

  void check() {
    for (const auto& [name, origin] : tree_.origins) {
      SCOPED_TRACE(name);
      auto& applied = tree_.master.applied[name];
      const std::set<std::string> once(applied["event"].begin(), applied["event"].end());
      EXPECT_EQ(once.size(), applied["event"].size()) << "an event was applied twice";
      for (const std::string& event : events_[name]) {
        EXPECT_TRUE(once.contains(event)) << event.substr(0, 8) << " is missing";
      }
      for (const std::string& event : once) {
        EXPECT_TRUE(events_[name].contains(event) || lost_[name].contains(event));
      }
      if (inventory_.contains(name)) {
        ASSERT_FALSE(applied["inventory"].empty());
        EXPECT_EQ(applied["inventory"].back(), inventory_[name]);
      }
    }
  }

  RecordTree tree_;
  sim::SimRandom random_;
  uint64_t made_ = 0;
  std::map<std::string, std::set<std::string>> events_;  ///< of living origins
  std::map<std::string, std::set<std::string>> lost_;    ///< that may or may not have arrived
  std::map<std::string, std::string> inventory_;         ///< the newest one taken
};

TEST(RecordTree, NothingIsLostOrAppliedTwiceWhateverBreaks) {
  for (uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Trouble(seed).run();
  }
}

TEST(RecordShares, OneOriginCannotTakeThePlaceOfAll) {
  sim::World world(1);
  sim::SimDisk disk;
  sim::SimProcess process(world, {.name = "agg1", .host = "agg1", .disk = &disk});
  RecordOutbox::Limits limits;
  limits.origin_records = 10;
  limits.origin_bytes = 5000;
  RecordOutbox outbox(process.executor(), process.log(), limits, nullptr);
  for (uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(outbox.put({"n1", 1, i}, "record"));
  EXPECT_EQ(outbox.put({"n1", 1, 11}, "record").error().code, Code::exhausted);
  EXPECT_TRUE(outbox.put({"n2", 1, 1}, std::string(4000, 'x')));
  EXPECT_EQ(outbox.put({"n2", 1, 2}, std::string(4000, 'x')).error().code, Code::exhausted);
  EXPECT_TRUE(outbox.replace({"n2", 1, 1}, "short"));
  EXPECT_TRUE(outbox.put({"n2", 1, 2}, std::string(4000, 'x')));
  EXPECT_TRUE(outbox.drop({"n1", 1, 3}));
  EXPECT_TRUE(outbox.put({"n1", 1, 11}, "record"));
}

/// Takes messages up and remembers the keys in them.
struct Listening : WayUp {
  Status send_up(MessageType, std::string_view payload) override {
    proto::Records records;
    if (records.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
      for (const proto::Record& record : records.records()) ++times[record.sequence()];
    }
    return {};
  }
  std::map<uint64_t, int> times;
};

TEST(RecordResend, OneThatWasNotTakenGoesAgainWhileOthersAreAcknowledged) {
  sim::World world(1);
  sim::SimDisk disk;
  sim::SimProcess process(world, {.name = "n1", .host = "n1", .disk = &disk});
  RecordOutbox outbox(process.executor(), process.log(), {}, nullptr);
  Listening way;
  outbox.use(&way);
  const auto put = [&](uint64_t sequence) {
    proto::Record record;
    record.set_origin("n1");
    record.set_incarnation(1);
    record.set_sequence(sequence);
    ASSERT_TRUE(outbox.put({"n1", 1, sequence}, record.SerializeAsString()));
  };
  put(1);  // nobody answers for this one
  for (uint64_t sequence = 2; sequence < 42; ++sequence) {
    put(sequence);
    ASSERT_TRUE(world.run_for(std::chrono::seconds(1)));
    ASSERT_TRUE(outbox.drop({"n1", 1, sequence}));
  }
  EXPECT_GE(way.times[1], 2) << "an acknowledgement of another one starts its wait anew";
  EXPECT_EQ(outbox.stats().records, 1U);
  EXPECT_EQ(outbox.stats().oldest, std::chrono::seconds(40));
}

}  // namespace
}  // namespace drover::tree
