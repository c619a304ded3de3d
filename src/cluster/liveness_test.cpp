#include "cluster/liveness.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::cluster {
namespace {

using std::chrono::seconds;

MonoTime at(int64_t s) {
  return MonoTime(seconds(s));
}
WallTime wall(int64_t s) {
  return from_unix_ms(s * 1000);
}

MemberReport member(const std::string& node, MemberState state, int64_t since, uint64_t epoch = 1,
                    uint64_t incarnation = 100) {
  MemberReport report;
  report.node = node;
  report.incarnation = incarnation;
  report.state = state;
  report.path_epoch = epoch;
  report.since = wall(since);
  if (state == MemberState::lost) report.why = "silent for 3 s";
  return report;
}

/// Liveness with two aggregators in touch and node n1 stored as `phase`.
class LivenessTest : public ::testing::Test {
 protected:
  LivenessTest() : live_({}, wall(0)) {
    live_.set_durable("n1", NodeRole::compute, PhaseState::unknown);
    live_.reporter_up("a");
    live_.reporter_up("b");
    live_.resynced("a", at(0));
    live_.resynced("b", at(0));
  }
  Verdict verdict(int64_t now) {
    last_ = live_.take(at(now));
    for (const Verdict& v : last_.verdicts) {
      if (v.node == "n1") now_ = v;
    }
    return now_;
  }
  void make_up() {
    live_.report("a", member("n1", MemberState::primary, 1), at(1));
    live_.report("b", member("n1", MemberState::secondary, 1), at(1));
    EXPECT_EQ(verdict(1).phase, PhaseState::up);
  }
  Liveness live_;
  Liveness::Outcome last_;
  Verdict now_;
};

TEST_F(LivenessTest, HeardIsUpWithItsPaths) {
  make_up();
  EXPECT_EQ(now_.primary, "a");
  EXPECT_EQ(now_.secondary, "b");
  EXPECT_TRUE(now_.confirmed);
  ASSERT_EQ(last_.durable.size(), 1U);
  EXPECT_EQ(last_.durable[0],
            (PhaseChange{"n1", NodeRole::compute, PhaseState::up, wall(1), "heard by a", "a"}));
  EXPECT_TRUE(live_.take(at(2)).verdicts.empty());
  EXPECT_TRUE(live_.take(at(2)).durable.empty());
}

TEST_F(LivenessTest, ANodeHeardBeforeItIsStoredGetsItsVerdictAgain) {
  live_.report("a", member("n2", MemberState::primary, 1), at(1));
  (void)live_.take(at(1));
  EXPECT_TRUE(live_.take(at(2)).verdicts.empty());
  live_.set_durable("n2", NodeRole::compute, PhaseState::unknown);
  const Liveness::Outcome outcome = live_.take(at(3));
  ASSERT_EQ(outcome.verdicts.size(), 1U);
  EXPECT_EQ(outcome.verdicts[0].node, "n2");
  EXPECT_TRUE(outcome.verdicts[0].confirmed);
}

TEST_F(LivenessTest, OneAggregatorsLossOfTheNodeIsNotItsDeath) {
  make_up();
  live_.report("a", member("n1", MemberState::lost, 2), at(2));
  verdict(2);
  EXPECT_EQ(now_.phase, PhaseState::up);
  EXPECT_EQ(now_.primary, "");
  EXPECT_EQ(now_.secondary, "b");
  EXPECT_TRUE(last_.durable.empty());
  live_.report("b", member("n1", MemberState::primary, 2, 2), at(2));
  verdict(2);
  EXPECT_EQ(now_.primary, "b");
  EXPECT_EQ(now_.secondary, "");
}

TEST_F(LivenessTest, LostByAllIsLostSinceTheLastOne) {
  make_up();
  live_.report("a", member("n1", MemberState::lost, 5), at(5));
  live_.report("b", member("n1", MemberState::lost, 4), at(5));
  verdict(5);
  EXPECT_EQ(now_.phase, PhaseState::lost);
  EXPECT_EQ(now_.since, wall(5));
  EXPECT_EQ(now_.who, "a");
  EXPECT_EQ(now_.why, "silent for 3 s");
  EXPECT_TRUE(now_.confirmed);
  ASSERT_EQ(last_.durable.size(), 1U);
  EXPECT_EQ(last_.durable[0].to, PhaseState::lost);
}

TEST_F(LivenessTest, ALostAggregatorIsNotADeadNode) {
  make_up();
  live_.reporter_lost("a", "closed by peer", at(2), wall(2));
  verdict(2);
  EXPECT_EQ(now_.phase, PhaseState::up);
  EXPECT_TRUE(now_.confirmed);
  live_.reporter_lost("b", "closed by peer", at(3), wall(3));
  verdict(3);
  EXPECT_EQ(now_.phase, PhaseState::up);
  EXPECT_FALSE(now_.confirmed);
  EXPECT_TRUE(last_.durable.empty());
  EXPECT_EQ(live_.next_deadline(), at(13));
  verdict(12);
  EXPECT_EQ(now_.phase, PhaseState::up);
  verdict(13);
  EXPECT_EQ(now_.phase, PhaseState::unknown);
  ASSERT_EQ(last_.durable.size(), 1U);
  EXPECT_EQ(last_.durable[0].to, PhaseState::unknown);
  EXPECT_EQ(last_.durable[0].why, "b, which heard it last, is out of touch: closed by peer");
  EXPECT_EQ(live_.next_deadline(), std::nullopt);
}

TEST_F(LivenessTest, AnAggregatorThatReturnsInTimeConfirmsAgain) {
  make_up();
  live_.report("b", member("n1", MemberState::lost, 2), at(2));
  live_.reporter_lost("a", "reset", at(3), wall(3));
  EXPECT_FALSE(verdict(3).confirmed);
  live_.reporter_up("a");
  EXPECT_FALSE(verdict(4).confirmed);
  live_.resync("a", [](const std::string&) { return false; });
  live_.resynced("a", at(5));
  verdict(5);
  EXPECT_TRUE(now_.confirmed);
  EXPECT_EQ(now_.phase, PhaseState::up);
  EXPECT_TRUE(last_.durable.empty());
  EXPECT_EQ(live_.next_deadline(), std::nullopt);
}

TEST_F(LivenessTest, AResyncForgetsWhatIsNotSentAgain) {
  make_up();
  live_.report("b", member("n1", MemberState::lost, 2), at(2));
  live_.reporter_lost("a", "reset", at(3), wall(3));
  live_.reporter_up("a");
  live_.resync("a", [](const std::string&) { return true; });
  live_.resynced("a", at(4));
  EXPECT_EQ(verdict(4).phase, PhaseState::lost);
}

TEST_F(LivenessTest, ALossReportedAfterTheOtherAggregatorWentDecides) {
  make_up();
  live_.reporter_lost("a", "reset", at(2), wall(2));
  live_.report("b", member("n1", MemberState::lost, 3), at(3));
  verdict(3);
  EXPECT_EQ(now_.phase, PhaseState::lost);
  EXPECT_EQ(now_.who, "b");
}

TEST_F(LivenessTest, ANewIncarnationIsNotTheOneThatDied) {
  make_up();
  live_.report("b", member("n1", MemberState::primary, 9, 1, 200), at(9));
  live_.report("a", member("n1", MemberState::lost, 10, 1, 100), at(10));
  verdict(10);
  EXPECT_EQ(now_.phase, PhaseState::up);
  EXPECT_EQ(now_.incarnation, 200U);
  EXPECT_EQ(now_.primary, "b");
  EXPECT_EQ(now_.secondary, "");
}

TEST_F(LivenessTest, TheNewestPathDecisionNamesThePrimary) {
  live_.report("a", member("n1", MemberState::primary, 5, 3), at(5));
  live_.report("b", member("n1", MemberState::primary, 4, 4), at(5));
  verdict(5);
  EXPECT_EQ(now_.primary, "b");
  EXPECT_EQ(now_.secondary, "a");
}

TEST_F(LivenessTest, AHaltThatWasAskedForEndsHalted) {
  make_up();
  live_.set_durable("n1", NodeRole::compute, PhaseState::halting);
  EXPECT_EQ(verdict(2).phase, PhaseState::up);
  live_.report("a", member("n1", MemberState::lost, 3), at(3));
  live_.report("b", member("n1", MemberState::lost, 3), at(3));
  verdict(3);
  ASSERT_EQ(last_.durable.size(), 1U);
  EXPECT_EQ(last_.durable[0].to, PhaseState::halted);
}

TEST_F(LivenessTest, WhoNobodySpeaksOfAnyMoreIsUnknownAndNeverLost) {
  make_up();
  live_.left("a", "n1", "a no longer hears it", wall(5));
  EXPECT_EQ(verdict(5).who, "b") << "another one still hears it";
  live_.left("b", "n1", "it ended its link while this master was silent", wall(6));
  EXPECT_EQ(verdict(6).phase, PhaseState::up) << "for the grace";
  EXPECT_FALSE(now_.confirmed);
  EXPECT_EQ(now_.since, wall(6));
  EXPECT_EQ(verdict(40).phase, PhaseState::unknown);
  ASSERT_EQ(last_.durable.size(), 1U);
  EXPECT_EQ(last_.durable[0].why, "it ended its link while this master was silent");
  live_.report("b", member("n1", MemberState::primary, 41), at(41));
  EXPECT_EQ(verdict(41).phase, PhaseState::up);
}

TEST_F(LivenessTest, AFailedWriteIsTriedAgain) {
  live_.report("a", member("n1", MemberState::primary, 1), at(1));
  EXPECT_EQ(live_.take(at(1)).durable.size(), 1U);
  live_.set_durable("n1", NodeRole::compute, PhaseState::unknown);
  EXPECT_EQ(live_.take(at(2)).durable.size(), 1U);
}

TEST_F(LivenessTest, ANodeThatIsNotStoredIsJudgedButNotWritten) {
  live_.report("a", member("n2", MemberState::primary, 1), at(1));
  auto outcome = live_.take(at(1));
  EXPECT_TRUE(
      std::ranges::any_of(outcome.verdicts, [](const Verdict& v) { return v.node == "n2"; }));
  EXPECT_TRUE(outcome.durable.empty());
  live_.set_durable("n2", NodeRole::compute, PhaseState::unknown);
  outcome = live_.take(at(2));
  ASSERT_EQ(outcome.durable.size(), 1U);
  EXPECT_EQ(outcome.durable[0].node, "n2");
}

TEST(LivenessRestart, StoredPhasesHoldUntilConfirmedOrTheGraceIsOver) {
  Liveness live({}, wall(100));
  live.set_durable("n1", NodeRole::compute, PhaseState::up);
  live.set_durable("n2", NodeRole::compute, PhaseState::up);
  live.set_durable("n3", NodeRole::compute, PhaseState::lost);
  auto outcome = live.take(at(0));
  ASSERT_EQ(outcome.verdicts.size(), 3U);
  EXPECT_EQ(outcome.verdicts[0].phase, PhaseState::up);
  EXPECT_FALSE(outcome.verdicts[0].confirmed);
  live.reporter_up("a");
  live.report("a", member("n1", MemberState::primary, 50), at(2));
  outcome = live.take(at(2));
  ASSERT_EQ(outcome.verdicts.size(), 1U);
  EXPECT_TRUE(outcome.verdicts[0].confirmed);
  EXPECT_TRUE(outcome.durable.empty());
  outcome = live.take(*live.next_deadline());
  ASSERT_EQ(outcome.durable.size(), 1U);
  EXPECT_EQ(outcome.durable[0].node, "n2");
  EXPECT_EQ(outcome.durable[0].to, PhaseState::unknown);
  EXPECT_NE(outcome.durable[0].why.find("since the master started"), std::string::npos);
  EXPECT_EQ(live.next_deadline(), std::nullopt);
}

/// Reports of distinct reporters in any order give the same verdict.
RC_GTEST_PROP(LivenessProperty, OrderOfReportersDoesNotMatter, ()) {
  struct Given {
    std::string reporter;
    MemberReport report;
  };
  std::vector<Given> given;
  for (const char* name : {"a", "b", "c"}) {
    const auto state = static_cast<MemberState>(*rc::gen::inRange(0, 3));
    given.push_back(
        {name, member("n1", state, *rc::gen::inRange(1, 4), *rc::gen::inRange<uint64_t>(1, 3),
                      *rc::gen::inRange<uint64_t>(100, 102))});
  }
  const auto verdict = [](const std::vector<Given>& order) {
    Liveness live({}, wall(0));
    for (const char* name : {"a", "b", "c"}) live.reporter_up(name);
    for (const Given& one : order) live.report(one.reporter, one.report, at(1));
    return live.take(at(1)).verdicts.at(0);
  };
  const Verdict first = verdict(given);
  std::ranges::sort(given, {}, &Given::reporter);
  do {
    RC_ASSERT(verdict(given) == first);
  } while (std::ranges::next_permutation(given, {}, &Given::reporter).found);
  const bool heard = std::ranges::any_of(
      given, [](const Given& one) { return one.report.state != MemberState::lost; });
  RC_ASSERT((first.phase == PhaseState::up) == heard);
}

/// Whatever happens: somebody in touch who hears it means up; up without anybody in touch who hears
/// it lasts no longer than the grace; writes follow verdicts.
RC_GTEST_PROP(LivenessProperty, NeverLies, ()) {
  const LivenessSettings settings;
  Liveness live(settings, wall(0));
  live.set_durable("n1", NodeRole::compute, PhaseState::unknown);
  std::map<std::string, std::optional<MemberState>> heard{{"a", {}}, {"b", {}}};
  std::map<std::string, bool> in_touch{{"a", false}, {"b", false}};
  PhaseState stored = PhaseState::unknown;
  Verdict last;
  int64_t now = 0;
  int64_t last_vouched = 0;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 6));
  for (const int step : steps) {
    now += *rc::gen::inRange(0, 6);
    const std::string who = *rc::gen::element<std::string>("a", "b");
    if (step == 0) {
      live.reporter_lost(who, "x", at(now), wall(now));
      in_touch[who] = false;
    } else if (step == 1) {
      live.reporter_up(who);
      live.resynced(who, at(now));
      in_touch[who] = true;
    } else if (in_touch[who]) {
      const auto state = static_cast<MemberState>(step % 3);
      live.report(who, member("n1", state, now), at(now));
      heard[who] = state;
    }
    const auto outcome = live.take(at(now));
    for (const Verdict& verdict : outcome.verdicts) last = verdict;
    for (const PhaseChange& change : outcome.durable) stored = change.to;
    const bool vouched = std::ranges::any_of(heard, [&](const auto& one) {
      return in_touch[one.first] && one.second && *one.second != MemberState::lost;
    });
    if (vouched) {
      last_vouched = now;
      RC_ASSERT(last.phase == PhaseState::up);
      RC_ASSERT(last.confirmed);
      RC_ASSERT(stored == PhaseState::up);
    } else {
      RC_ASSERT(!last.confirmed || last.phase == PhaseState::lost);
      if (now - last_vouched > 100) RC_ASSERT(last.phase != PhaseState::up);
    }
  }
  const auto end = live.take(at(now + 1000));
  for (const Verdict& verdict : end.verdicts) last = verdict;
  const bool vouched = std::ranges::any_of(heard, [&](const auto& one) {
    return in_touch[one.first] && one.second && *one.second != MemberState::lost;
  });
  RC_ASSERT((last.phase == PhaseState::up) == vouched);
}

}  // namespace
}  // namespace drover::cluster
