// Power cuts at every kind of moment: what was acknowledged is there, nothing is there by halves,
// and the change log tells the truth. The checker proves itself on a disk that lies about syncing.
#include "sim/sim_disk.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/test_power_cuts.hpp"
#include "store/store_conformance.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

namespace drover::store {
namespace {

using sim::DiskFault;
using sim::DiskOperation;
using sim::SimRandom;

constexpr const char* kPath = "/var/drover/store.db";

/// A disk whose sync returns at once and does nothing, as some do.
class LyingDisk final : public Disk {
 public:
  explicit LyingDisk(Disk& disk) : disk_(disk) {}
  Result<std::unique_ptr<File>> open(const std::string& path, bool create, uint32_t mode) override {
    DROVER_TRY(auto file, disk_.open(path, create, mode));
    return std::make_unique<LyingFile>(std::move(file));
  }
  Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  Result<std::vector<std::string>> list(const std::string& dir) override { return disk_.list(dir); }
  Status make_dirs(const std::string& dir, uint32_t mode) override {
    return disk_.make_dirs(dir, mode);
  }
  Status sync_dir(const std::string& dir) override { return disk_.sync_dir(dir); }

 private:
  class LyingFile final : public File {
   public:
    explicit LyingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
    Result<size_t> read(uint64_t offset, std::span<char> out) override {
      return file_->read(offset, out);
    }
    Status write(uint64_t offset, std::string_view bytes) override {
      return file_->write(offset, bytes);
    }
    Status truncate(uint64_t size) override { return file_->truncate(size); }
    Status sync() override { return {}; }
    Result<uint64_t> size() override { return file_->size(); }
    Status lock() override { return file_->lock(); }

   private:
    std::unique_ptr<File> file_;
  };
  Disk& disk_;
};

enum class Fate { waiting, acknowledged, refused, unknown };

/// One database through several lives, each ended by a power cut, a kill or a close.
class Lives {
 public:
  Lives(uint64_t seed, bool honest) : random_(seed, "crash"), harness_(seed), honest_(honest) {}

  /// Empty when all is well; otherwise what is wrong.
  std::string run() {
    for (int life = 0; life < 4; ++life) {
      if (const auto wrong = live(); !wrong.empty()) return fmt::format("life {}: {}", life, wrong);
    }
    return {};
  }
  struct Counts {
    uint64_t cuts = 0;          ///< in the middle of work
    uint64_t written_back = 0;  ///< pages that went from the write-ahead log to the database
    uint64_t acknowledged = 0;
    Counts& operator+=(const Counts& other) {
      cuts += other.cuts;
      written_back += other.written_back;
      acknowledged += other.acknowledged;
      return *this;
    }
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  std::string live() {
    auto opened = open_sqlite(harness_.executor(), honest_ ? static_cast<Disk&>(disk_) : liar_,
                              harness_.log(), kPath,
                              {.max_waiting = 1000, .max_batch = 1 + random_.below(20)});
    if (!opened) return "does not open: " + opened.error().text();
    store_ = *std::move(opened);
    if (auto wrong = check(); !wrong.empty()) return wrong;
    const uint64_t how = random_.below(5);
    // Some lives are long enough for the write-ahead log to be written back in them.
    const uint64_t rounds = 5 + random_.below(random_.below(4) == 0 ? 250 : 40);
    // A round is about one commit, which is two or three operations on the disk.
    const uint64_t moment = random_.below(how == 1 ? 20 : 4 * rounds);
    cut_at(how == 0 ? 0 : disk_.operations() + 1 + moment);
    work(rounds);
    if (how == 4) {
      (void)harness_.close(*store_);  // the cut may fall into closing
    }
    end(how);
    return {};
  }

  void cut_at(uint64_t number) {
    disk_.set_fault_hook([this, number](const DiskOperation& operation) {
      if (operation.kind == DiskOperation::Kind::write && operation.path == kPath)
        ++counts_.written_back;
      if (operation.number == number) ++counts_.cuts;
      return operation.number == number ? DiskFault::power_cut : DiskFault::none;
    });
  }

  void end(uint64_t how) {
    if (how == 0) {
      disk_.detach();
      store_.reset();
    } else {
      store_.reset();
      disk_.crash(random_);
    }
    disk_.set_fault_hook(nullptr);
    for (auto& [id, fate] : fates_) {
      if (fate == Fate::waiting) fate = Fate::unknown;
    }
  }

  void work(uint64_t rounds) {
    for (uint64_t round = 0; round < rounds; ++round) {
      const uint64_t burst = 1 + random_.below(8);
      for (uint64_t i = 0; i < burst; ++i) mutate();
      (void)harness_.world().run_for(std::chrono::milliseconds(random_.below(12)));
    }
  }

  /// Writes its number to both halves of a pair, a body of random size somewhere, and a quiet mark.
  void mutate() {
    const uint64_t id = next_++;
    const std::string number = std::to_string(id);
    const std::string key = std::to_string(random_.below(30));
    const std::string body(random_.below(random_.below(4) == 0 ? 20'000 : 300), 'x');
    const bool erases = random_.below(6) == 0;
    const bool refuses = random_.below(8) == 0;
    fates_[id] = refuses ? Fate::refused : Fate::waiting;
    store_->write(
        "user:test",
        [=](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("pair", "left", number));
          if (erases) {
            DROVER_CHECK_OK(t.erase("item", key));
          } else {
            DROVER_CHECK_OK(t.put("item", key, number + body));
          }
          DROVER_CHECK_OK(t.put_quiet("mark", "last", number));
          DROVER_CHECK_OK(t.put("pair", "right", number));
          if (refuses) return fail(Code::cancelled, "by lot");
          return {};
        },
        [this, id](const Result<Committed>& committed) {
          if (committed) {
            fates_[id] = Fate::acknowledged;
            last_acknowledged_ = committed->last;
            ++counts_.acknowledged;
          } else if (fates_[id] == Fate::waiting) {
            fates_[id] = Fate::unknown;  // the power went while it was being committed
          }
        });
  }

  std::string check() {
    auto page = harness_.changes(*store_, {.since = 0, .limit = 100'000});
    if (!page) return "the log does not read: " + page.error().text();
    const auto& log = page->changes;
    if (store_->head() < last_acknowledged_) return "the log is shorter than was acknowledged";
    if (log.size() != store_->head()) return "the log has gaps";
    std::map<std::pair<std::string, std::string>, Object> objects;
    std::set<uint64_t> seen;
    for (size_t i = 0; i < log.size(); ++i) {
      const Change& change = log[i];
      if (change.sequence != i + 1) return fmt::format("no change {}", i + 1);
      auto& object = objects[{change.kind, change.key}];
      if (change.before.value_or("") != object.body)
        return "a change does not follow from the last";
      object = {change.kind, change.key, change.after.value_or(""), change.sequence};
      if (!change.after) objects.erase({change.kind, change.key});
      if (change.key == "right") seen.insert(std::stoull(*change.after));
    }
    if (auto wrong = check_objects(objects); !wrong.empty()) return wrong;
    return check_fates(seen);
  }

  std::string check_objects(const std::map<std::pair<std::string, std::string>, Object>& replayed) {
    std::vector<Object> expected;
    for (const auto& [name, object] : replayed) expected.push_back(object);
    std::vector<Object> stored;
    for (const char* kind : {"item", "pair"}) {
      const auto some = store_->load(kind);
      if (!some) return "the objects do not load: " + some.error().text();
      stored.insert(stored.end(), some->begin(), some->end());
    }
    if (stored != expected) return "the objects are not what the log says";
    const auto marks = store_->load("mark");
    if (!marks) return "the marks do not load";
    const std::string mark = marks->empty() ? "" : marks->front().body;
    const auto half = [&](const char* key) {
      const auto found = replayed.find({"pair", key});
      return found == replayed.end() ? "" : found->second.body;
    };
    if (half("left") != half("right")) return "half a mutation is there";
    if (mark != half("right")) return "the bookkeeping is of another moment";
    return {};
  }

  std::string check_fates(const std::set<uint64_t>& seen) {
    for (auto& [id, fate] : fates_) {
      const bool there = seen.contains(id);
      if (fate == Fate::acknowledged && !there) return fmt::format("{} was lost", id);
      if (fate == Fate::refused && there) return fmt::format("{} was refused, but is there", id);
      if (fate == Fate::unknown) fate = there ? Fate::acknowledged : Fate::refused;
    }
    if (!std::ranges::all_of(seen, [&](uint64_t id) { return fates_.contains(id); })) {
      return "something that nobody wrote is there";
    }
    return {};
  }

  SimRandom random_;
  testing::Harness harness_;
  bool honest_;
  sim::SimDisk disk_;
  LyingDisk liar_{disk_};
  std::unique_ptr<Store> store_;
  std::map<uint64_t, Fate> fates_;
  uint64_t next_ = 1;
  uint64_t last_acknowledged_ = 0;
  Counts counts_;
};

class StoreCrash : public ::testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Lots, StoreCrash, testing::all_lots());

TEST_P(StoreCrash, WhatWasAcknowledgedSurvivesEveryPowerCut) {
  const auto counts = testing::run_lot<Lives>(GetParam());
  EXPECT_GT(counts.cuts, 50U);
  EXPECT_GT(counts.acknowledged, 3'000U);
  EXPECT_GT(counts.written_back, 3'000U);
}

TEST(StoreCrashChecker, FindsADiskThatLies) {
  EXPECT_GT(testing::count_found<Lives>(20), 15U);
}

}  // namespace
}  // namespace drover::store
