#include "auth/rotation.hpp"

#include "auth/test_support.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::kNow;
using testing::TestCa;

TEST(RenewalTime, TwoThirdsLessAShareOfATwelfth) {
  const WallTime from = kNow;
  const WallTime to = kNow + hours(12);
  EXPECT_EQ(renewal_time(from, to, 0), kNow + hours(8));
  EXPECT_EQ(renewal_time(from, to, 1000), kNow + hours(7));
  EXPECT_EQ(renewal_time(from, to, 500), kNow + minutes(450));
  EXPECT_EQ(renewal_time(from, to, 5000), kNow + hours(7));
}

TEST(RetryTimes, FollowTheLifetimeWithinBounds) {
  EXPECT_EQ(retry_times(kDefaultLifetime).first, seconds(30));
  EXPECT_EQ(retry_times(kDefaultLifetime).longest, minutes(15));
  EXPECT_LT(retry_times(minutes(1)).longest, seconds(2));
  EXPECT_GT(retry_times(Duration::zero()).first, Duration::zero());
}

TEST(RotationAlarm, SilentThenWarningThenError) {
  RotationState state;
  state.not_after = kNow + hours(160);
  const WallTime from = kNow;
  EXPECT_FALSE(rotation_alarm(state, from, kNow + hours(110)));
  state.failures = 3;
  state.why = "no master answers";
  const auto warning = rotation_alarm(state, from, kNow + hours(110));
  ASSERT_TRUE(warning);
  EXPECT_FALSE(warning->error);
  EXPECT_EQ(warning->what,
            "the certificate expires in 2 days and renewal fails: no master answers");
  const auto error = rotation_alarm(state, from, kNow + hours(158));
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->error);
  EXPECT_EQ(error->what, "the certificate expires in 2 h and renewal fails: no master answers");
  EXPECT_FALSE(error->next.empty());
  const auto over = rotation_alarm(state, from, kNow + hours(161));
  ASSERT_TRUE(over && over->error);
  EXPECT_NE(over->what.find("expired 60 min ago"), std::string::npos);
}

class Rotations : public ::testing::Test {
 protected:
  static constexpr Duration kLife = hours(12);

  Rotations() { start_process(); }
  void start_process() {
    rotation_.reset();
    worker_.reset();
    process_ = std::make_unique<sim::SimProcess>(
        world_, sim::ProcessOptions{.name = "n1", .host = "h1", .disk = &disk_});
    worker_ = process_->executor().make_worker("identity");
    Rotation::Options options;
    options.dir = "/identity";
    options.uri = "drover://alpha/compute/n1";
    options.name = "n1";
    rotation_ = std::make_unique<Rotation>(
        process_->executor(), *worker_, process_->random(), disk_, tool_, process_->log("rotation"),
        options, [this](const std::string& csr, Callback<void(Result<Rotation::Renewed>)> answer) {
          asked_.push_back(world_.wall());
          if (answers_)
            answer(answers_(csr));
          else
            held_.push_back(std::move(answer));
        });
    rotation_->on_change([this](const Identity&, const IdentityFacts&) { ++changes_; });
  }
  /// Signs as a master would; `change` may spoil it.
  Result<Rotation::Renewed> sign(const std::string& csr, const std::string& name = "n1") {
    IssueRequest request = ca_.request(KeyPair::make().value(), "compute", name);
    request.csr_pem = csr;
    request.now = world_.wall();
    request.lifetime = kLife;
    DROVER_TRY(const IssuedCertificate issued, ca_.authority().issue(request));
    return Rotation::Renewed{issued.certificate_pem, ca_.authority().ca_pem()};
  }
  Identity joined() {
    const std::string key = tool_.make_key().value();
    const auto signed_csr = sign(tool_.make_csr(key, "n1").value()).value();
    return {key, signed_csr.certificate_pem, signed_csr.ca_pem};
  }

  sim::World world_{3};
  sim::SimDisk disk_;
  // The CA is made at the world's time, so that its certificates are good from the start.
  TestCa ca_{"alpha", 1, world_.wall()};
  OpensslIdentityTool tool_;
  std::vector<WallTime> asked_;
  std::vector<Callback<void(Result<Rotation::Renewed>)>> held_;
  Callback<Result<Rotation::Renewed>(const std::string&)> answers_ =
      [this](const std::string& csr) { return sign(csr); };
  int changes_ = 0;
  std::unique_ptr<sim::SimProcess> process_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Rotation> rotation_;
};

TEST_F(Rotations, WithoutAnIdentityItSaysToJoin) {
  const auto started = rotation_->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::not_found);
  EXPECT_NE(started.error().next.find("drover join"), std::string::npos);
}

TEST_F(Rotations, RenewsInTimeAgainAndAgainWithANewKey) {
  ASSERT_TRUE(rotation_->start_with(joined()));
  const std::string first_key = rotation_->facts().key_sha256;
  const WallTime joined_at = world_.wall();
  ASSERT_TRUE(world_.run_for(hours(9)));
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_GE(asked_[0], joined_at + hours(7) - kClockSlack);
  EXPECT_LE(asked_[0], joined_at + hours(8));
  EXPECT_NE(rotation_->facts().key_sha256, first_key);
  EXPECT_EQ(changes_, 1);
  ASSERT_TRUE(world_.run_for(hours(72)));
  EXPECT_GE(changes_, 8);
  EXPECT_FALSE(rotation_->alarm());
  EXPECT_EQ(rotation_->security().key_pem, rotation_->identity().key_pem);
}

TEST_F(Rotations, WhatIsUsedIsWhatARestartFinds) {
  ASSERT_TRUE(rotation_->start_with(joined()));
  ASSERT_TRUE(world_.run_for(hours(9)));
  const Identity used = rotation_->identity();
  disk_.crash(process_->random());
  start_process();
  ASSERT_TRUE(rotation_->start());
  EXPECT_EQ(rotation_->identity(), used);
}

TEST_F(Rotations, FailuresAreRetriedSlowerAndRaiseTheAlarm) {
  answers_ = [](const std::string&) { return fail(Code::unreachable, "no way up"); };
  ASSERT_TRUE(rotation_->start_with(joined()));
  ASSERT_TRUE(world_.run_for(hours(10)));
  EXPECT_GE(rotation_->state().failures, 3U);
  EXPECT_LE(asked_.size(), 60U);
  ASSERT_TRUE(rotation_->alarm());
  EXPECT_NE(rotation_->alarm()->what.find("renewal fails: no way up"), std::string::npos);
  EXPECT_FALSE(rotation_->alarm()->error);
  ASSERT_TRUE(world_.run_for(minutes(90)));
  EXPECT_TRUE(rotation_->alarm()->error);
  answers_ = [this](const std::string& csr) { return sign(csr); };
  ASSERT_TRUE(world_.run_for(hours(1)));
  EXPECT_FALSE(rotation_->alarm());
  EXPECT_EQ(changes_, 1);
}

TEST_F(Rotations, AnAnswerThatNeverComesTimesOutAndALateOneIsDropped) {
  answers_ = {};
  ASSERT_TRUE(rotation_->start_with(joined()));
  rotation_->renew_now();
  rotation_->renew_now();
  ASSERT_EQ(held_.size(), 1U);
  const Identity before = rotation_->identity();
  ASSERT_TRUE(world_.run_for(seconds(61)));
  EXPECT_EQ(rotation_->state().failures, 1U);
  EXPECT_EQ(rotation_->state().why, "no master answered the request");
  held_[0](Rotation::Renewed{"late", "late"});
  ASSERT_TRUE(world_.run_for(seconds(1)));
  EXPECT_EQ(rotation_->identity(), before);
}

TEST_F(Rotations, BadAnswersChangeNothing) {
  ASSERT_TRUE(rotation_->start_with(joined()));
  const Identity before = rotation_->identity();
  answers_ = [this](const std::string& csr) { return sign(csr, "n2"); };
  rotation_->renew_now();
  EXPECT_EQ(rotation_->state().why, "the master issued 'drover://alpha/compute/n2'");
  answers_ = [](const std::string&) { return Rotation::Renewed{"garbage", "garbage"}; };
  rotation_->renew_now();
  EXPECT_EQ(rotation_->state().failures, 2U);
  answers_ = [this](const std::string&) {
    return sign(tool_.make_csr(tool_.make_key().value(), "n1").value());
  };
  rotation_->renew_now();
  EXPECT_NE(rotation_->state().why.find("for another key"), std::string::npos);
  ASSERT_TRUE(world_.run_for(seconds(1)));
  EXPECT_EQ(rotation_->identity(), before);
  EXPECT_EQ(IdentityFiles(disk_, "/identity").load().value(), before);
}

TEST_F(Rotations, ADiskThatRefusesKeepsTheOldPairInUse) {
  ASSERT_TRUE(rotation_->start_with(joined()));
  const Identity before = rotation_->identity();
  disk_.set_fault_hook([](const sim::DiskOperation& operation) {
    return operation.kind == sim::DiskOperation::Kind::write ? sim::DiskFault::full
                                                             : sim::DiskFault::none;
  });
  rotation_->renew_now();
  ASSERT_TRUE(world_.run_for(seconds(1)));
  EXPECT_EQ(rotation_->state().failures, 1U);
  EXPECT_EQ(rotation_->identity(), before);
  EXPECT_EQ(changes_, 0);
}

TEST_F(Rotations, AnotherDaemonsIdentityIsRefused) {
  const std::string key = tool_.make_key().value();
  const auto other = sign(tool_.make_csr(key, "n2").value(), "n2").value();
  EXPECT_EQ(rotation_->start_with({key, other.certificate_pem, other.ca_pem}).error().code,
            Code::conflict);
}

TEST_F(Rotations, AClockSetForwardIsNoticedWithinTheHour) {
  ASSERT_TRUE(rotation_->start_with(joined()));
  process_->jump_clock(hours(9));
  ASSERT_TRUE(world_.run_for(minutes(61)));
  EXPECT_GE(asked_.size(), 1U);
  // Every certificate looks due at once to such a clock; that must not become a storm.
  ASSERT_TRUE(world_.run_for(hours(3)));
  EXPECT_LE(asked_.size(), 20U);
}

TEST_F(Rotations, DestroyedWhileAskingNothingHappens) {
  answers_ = {};
  ASSERT_TRUE(rotation_->start_with(joined()));
  rotation_->renew_now();
  rotation_.reset();
  held_[0](Rotation::Renewed{"late", "late"});
  EXPECT_TRUE(world_.run_for(hours(1)));
}

}  // namespace
}  // namespace drover::auth
