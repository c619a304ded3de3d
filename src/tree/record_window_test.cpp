#include "tree/record_window.hpp"

#include "sim/sim_random.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using Verdict = RecordWindow::Verdict;

TEST(RecordWindow, SeesEachRecordOnce) {
  RecordWindow window;
  EXPECT_EQ(window.check(7, 1, ""), Verdict::fresh);
  window.mark(7, 1, "");
  EXPECT_EQ(window.check(7, 1, ""), Verdict::duplicate);
  EXPECT_EQ(window.check(7, 2, ""), Verdict::fresh);
  EXPECT_EQ(window.check(8, 1, ""), Verdict::fresh);
}

TEST(RecordWindow, StaysSmallWhenGapsCloseInAnyOrder) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    sim::SimRandom random(seed, "window");
    std::vector<uint64_t> sequences(500);
    for (size_t i = 0; i < sequences.size(); ++i) sequences[i] = i + 1;
    for (size_t i = sequences.size() - 1; i > 0; --i)
      std::swap(sequences[i], sequences[random.below(i + 1)]);
    RecordWindow window;
    std::set<uint64_t> seen;
    for (const uint64_t sequence : sequences) {
      const uint64_t probe = 1 + random.below(500);
      EXPECT_EQ(window.check(1, probe, ""),
                seen.contains(probe) ? Verdict::duplicate : Verdict::fresh);
      window.mark(1, sequence, "");
      seen.insert(sequence);
      if (random.below(20) == 0) window = RecordWindow::decode(window.encode()).value();
    }
    EXPECT_EQ(window.encode(),
              R"({"incarnations":[{"incarnation":1,"seen":[[1,500]]}],"newest":{}})");
  }
}

TEST(RecordWindow, RefusesIncarnationsItNoLongerRemembers) {
  RecordWindow window;
  for (uint64_t i = 1; i <= RecordWindow::kIncarnations + 2; ++i) window.mark(i * 10, 1, "");
  EXPECT_EQ(window.check(10, 1, ""), Verdict::stale);
  EXPECT_EQ(window.check(20, 2, ""), Verdict::stale);
  EXPECT_EQ(window.check(30, 1, ""), Verdict::duplicate);
  EXPECT_EQ(window.check(35, 1, ""), Verdict::fresh) << "one in between may still come";
  EXPECT_EQ(window.check(500, 1, ""), Verdict::fresh);
}

TEST(RecordWindow, AHostileOriginCannotGrowItWithGaps) {
  RecordWindow window;
  uint64_t sequence = 10;
  while (window.check(1, sequence, "") == Verdict::fresh) {
    window.mark(1, sequence, "");
    sequence += 2;
  }
  EXPECT_EQ(window.check(1, sequence, ""), Verdict::not_yet);
  EXPECT_EQ((sequence - 10) / 2, RecordWindow::kRanges);
  EXPECT_EQ(window.check(1, 11, ""), Verdict::fresh) << "closing a gap is always welcome";
  EXPECT_EQ(window.check(1, 1, ""), Verdict::fresh) << "so is the start";
}

TEST(RecordWindow, OlderSnapshotsAreMarkedButNotApplied) {
  RecordWindow window;
  window.mark(5, 9, "inventory");
  EXPECT_EQ(window.check(5, 8, "inventory"), Verdict::outdated);
  EXPECT_EQ(window.check(4, 100, "inventory"), Verdict::outdated);
  EXPECT_EQ(window.check(5, 8, ""), Verdict::fresh) << "an event is applied whenever it comes";
  window.mark(5, 8, "inventory");
  EXPECT_EQ(window.check(5, 8, "inventory"), Verdict::duplicate);
  EXPECT_EQ(window.check(5, 10, "inventory"), Verdict::fresh);
  EXPECT_EQ(window.check(6, 1, "inventory"), Verdict::fresh);
}

TEST(RecordWindow, DecodesWhatItEncodesAndNothingElse) {
  RecordWindow window;
  window.mark(1'700'000'000'000, 1, "");
  window.mark(1'700'000'000'000, 3, "inventory");
  window.mark(1'700'000'000'001, UINT64_MAX - 1, "");
  EXPECT_EQ(RecordWindow::decode(window.encode()).value(), window);
  EXPECT_EQ(RecordWindow::decode("").value(), RecordWindow());
  for (const char* bad :
       {"[]", "{}", "x", R"({"incarnations":{}})", R"({"incarnations":[1]})",
        R"({"incarnations":[{"incarnation":-1,"seen":[]}]})",
        R"({"incarnations":[{"incarnation":1,"seen":[[2,1]]}]})",
        R"({"incarnations":[{"incarnation":1,"seen":[[1,2],[3,4]]}]})",
        R"({"incarnations":[{"incarnation":1,"seen":[[5,6],[1,2]]}]})",
        R"({"incarnations":[{"incarnation":1,"seen":[[1]]}]})",
        R"({"incarnations":[],"newest":[]})", R"({"incarnations":[],"newest":{"k":[1]}})"}) {
    EXPECT_EQ(RecordWindow::decode(bad).error().code, Code::invalid_argument) << bad;
  }
}

}  // namespace
}  // namespace drover::tree
