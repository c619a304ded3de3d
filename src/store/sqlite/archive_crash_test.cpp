// Power cuts while old changes go to the archive: each change that was acknowledged is in the
// archive or in the store, in exactly one of them, whatever the moment. The checker proves itself
// on an archive that forgets to look at its mark.
#include "base/describe.hpp"
#include "base/text.hpp"
#include "sim/sim_disk.hpp"
#include "store/file_archive.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/test_power_cuts.hpp"
#include "store/store_conformance.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/core.h>

namespace drover::store {
namespace {

using sim::DiskFault;
using sim::DiskOperation;
using sim::SimRandom;

constexpr const char* kPath = "/var/drover/store.db";
constexpr const char* kDir = "/var/drover/history";

struct Line {
  static constexpr std::string_view kTypeName = "Line";
  uint64_t sequence = 0;
  std::string key;
  RawJson after;
  void describe(Visitor& v) {
    v.field("sequence", sequence, "");
    v.field("key", key, "");
    v.field("after", after, "");
  }
};

/// Appends wherever the file happens to end, as one that trusts the disk would.
class TrustingArchive final : public ChangeArchive {
 public:
  TrustingArchive(Disk& disk, Log log) : disk_(disk), log_(log) {}
  Result<std::string> append(std::span<const Change> changes, std::string_view) override {
    DROVER_CHECK_OK(disk_.make_dirs(kDir, 0700));
    DROVER_TRY(auto file, disk_.open(std::string(kDir) + "/changes-all.jsonl", true, 0600));
    DROVER_TRY(uint64_t end, file->size());
    for (const Change& change : changes) {
      const std::string line = encode(Line{change.sequence, change.key, {*change.after}}) + "\n";
      DROVER_CHECK_OK(file->write(end, line));
      end += line.size();
    }
    DROVER_CHECK_OK(file->sync());
    DROVER_CHECK_OK(disk_.sync_dir(kDir));
    return std::to_string(changes.empty() ? 0 : changes.back().sequence);
  }

 private:
  Disk& disk_;
  Log log_;
};

/// One database and its archive through several lives.
class Lives {
 public:
  Lives(uint64_t seed, bool careful)
      : random_(seed, "archive"), harness_(seed), careful_(careful) {}

  std::string run() {
    for (int life = 0; life < 6; ++life) {
      if (const auto wrong = live(); !wrong.empty()) return fmt::format("life {}: {}", life, wrong);
    }
    return {};
  }
  struct Counts {
    uint64_t cuts = 0;
    uint64_t cuts_in_archive = 0;
    uint64_t archived = 0;
    size_t files = 0;  ///< most at one time
    Counts& operator+=(const Counts& other) {
      cuts += other.cuts;
      cuts_in_archive += other.cuts_in_archive;
      archived += other.archived;
      files = std::max(files, other.files);
      return *this;
    }
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  std::string live() {
    auto opened = open_sqlite(harness_.executor(), disk_, harness_.log(), kPath,
                              {.max_waiting = 1000, .max_batch = 16});
    if (!opened) return "does not open: " + opened.error().text();
    store_ = *std::move(opened);
    if (careful_) {
      archive_ =
          std::make_unique<FileArchive>(disk_, harness_.log(), kDir, 2'000 + random_.below(8'000));
    } else {
      archive_ = std::make_shared<TrustingArchive>(disk_, harness_.log());
    }
    // The first look at the archive takes away what the last crash left too much.
    if (const auto tidied = harness_.prune(*store_, 0, UINT64_MAX, archive_.get()); !tidied) {
      return "the archive does not recover: " + tidied.error().text();
    }
    if (auto wrong = check(); !wrong.empty()) return wrong;
    const bool dies_at_once = random_.below(4) == 0;
    const uint64_t moment = disk_.operations() + 1 + random_.below(dies_at_once ? 15 : 250);
    disk_.set_fault_hook([this, moment](const DiskOperation& operation) {
      if (operation.number != moment) return DiskFault::none;
      ++counts_.cuts;
      if (operation.path.starts_with(kDir)) ++counts_.cuts_in_archive;
      return DiskFault::power_cut;
    });
    work();
    store_.reset();
    disk_.crash(random_);
    disk_.set_fault_hook(nullptr);
    return {};
  }

  void work() {
    for (uint64_t round = 0; round < 30; ++round) {
      for (uint64_t i = 0; i < 1 + random_.below(12); ++i) add();
      (void)harness_.world().run_for(std::chrono::milliseconds(random_.below(12)));
      if (random_.below(3) != 0) continue;
      store_->prune({0, 1 + random_.below(40), archive_}, [](const Result<uint64_t>&) {});
    }
    (void)harness_.world().run_for(std::chrono::seconds(1));
  }

  void add() {
    const uint64_t number = next_++;
    const std::string body = fmt::format("\"{} {}\"", number, std::string(random_.below(400), 'x'));
    store_->write(
        "user:test",
        [=](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("item", std::to_string(number), body));
          return {};
        },
        [this, number, body](const Result<Committed>& committed) {
          if (committed) acknowledged_[committed->first] = {std::to_string(number), body};
        });
  }

  std::string check() {
    std::map<uint64_t, std::pair<std::string, std::string>> found;
    if (auto wrong = read_archive(found); !wrong.empty()) return wrong;
    counts_.archived += found.size();
    auto page = harness_.changes(*store_, {.limit = 100'000});
    if (!page) return "the log does not read: " + page.error().text();
    for (const Change& change : page->changes) {
      const bool is_new =
          found.emplace(change.sequence, std::pair(change.key, *change.after)).second;
      if (!is_new)
        return fmt::format("change {} is in the archive and in the log", change.sequence);
    }
    if (found.size() != store_->head()) {
      return fmt::format("{} changes of {} are there", found.size(), store_->head());
    }
    for (const auto& [sequence, what] : acknowledged_) {
      const auto at = found.find(sequence);
      if (at == found.end()) return fmt::format("change {} was lost", sequence);
      if (at->second != what) return fmt::format("change {} is another now", sequence);
    }
    return {};
  }

  std::string read_archive(std::map<uint64_t, std::pair<std::string, std::string>>& found) {
    const auto there = disk_.exists(kDir);
    if (!there || !*there) return {};
    const auto names = disk_.list(kDir);
    if (!names) return "the archive does not list";
    counts_.files = std::max(counts_.files, names->size());
    uint64_t last = 0;
    for (const std::string& name : *names) {
      const auto text = disk_.read_all(std::string(kDir) + "/" + name);
      if (!text) return "the archive does not read";
      if (!text->empty() && !text->ends_with('\n')) return name + " ends in half a line";
      for (size_t at = 0; at < text->size();) {
        const size_t end = text->find('\n', at);
        const auto line = decode_text<Line>(text->substr(at, end - at), Unknown::ignore);
        at = end + 1;
        if (!line) return name + " has a line that does not read: " + line.error().message;
        if (line->sequence != last + 1) {
          return fmt::format("{} after {} in {}", line->sequence, last, name);
        }
        last = line->sequence;
        found[last] = {line->key, line->after.text};
      }
    }
    return {};
  }

  SimRandom random_;
  testing::Harness harness_;
  bool careful_;
  sim::SimDisk disk_;
  std::shared_ptr<ChangeArchive> archive_;
  std::unique_ptr<Store> store_;
  std::map<uint64_t, std::pair<std::string, std::string>> acknowledged_;
  uint64_t next_ = 1;
  Counts counts_;
};

class ArchiveCrash : public ::testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Lots, ArchiveCrash, testing::all_lots());

TEST_P(ArchiveCrash, EachChangeIsInTheArchiveOrInTheLog) {
  const auto counts = testing::run_lot<Lives>(GetParam());
  EXPECT_GT(counts.cuts, 150U);
  EXPECT_GT(counts.cuts_in_archive, 20U);
  EXPECT_GT(counts.archived, 5'000U);
  EXPECT_GT(counts.files, 3U) << "rotated";
}

TEST(ArchiveCrashChecker, FindsAnArchiveThatIgnoresItsMark) {
  EXPECT_GT(testing::count_found<Lives>(30), 8U);
}

}  // namespace
}  // namespace drover::store
