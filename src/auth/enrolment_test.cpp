#include "auth/enrolment.hpp"

#include "auth/enrolment_rules.hpp"
#include "auth/join_token.hpp"
#include "auth/test_support.hpp"
#include "cluster/mutations.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::TestCa;

/// A master's enrolment on the real store, on a simulated disk and in simulated time.
class Enrolments : public ::testing::Test {
 public:
  ~Enrolments() override { stop(); }

 protected:
  Enrolments() { start(); }

  void start() {
    process_ = std::make_unique<sim::SimProcess>(
        world_, sim::ProcessOptions{.name = "master", .host = "h1", .disk = &disk_});
    auto opened = store::open_sqlite(process_->executor(), disk_, process_->log("store"),
                                     "/var/drover/store.db", {});
    ASSERT_TRUE(opened) << opened.error().text();
    store_ = std::move(*opened);
    enrolment_ = std::make_unique<Enrolment>(*store_, ca_.authority(), process_->executor(),
                                             process_->random(), process_->log("enrolment"),
                                             Enrolment::Options{.cluster = "alpha"});
    ASSERT_TRUE(enrolment_->start());
  }
  void stop() {
    enrolment_.reset();
    store_.reset();
    process_.reset();
  }
  /// kill -9 and a new start.
  void restart() {
    process_->kill();
    stop();
    disk_.detach();
    start();
  }

  template <typename T>
  T wait(std::optional<T>& result) {
    EXPECT_TRUE(world_.run_until([&result] { return result.has_value(); }, seconds(60)));
    return std::move(*result);
  }
  Result<CreatedToken> create(const TokenRequest& request) {
    std::optional<Result<CreatedToken>> out;
    enrolment_->create_token("user:root@master/m1", request,
                             [&out](Result<CreatedToken> token) { out = std::move(token); });
    return wait(out);
  }
  std::string token(const TokenRequest& request = {.role = "compute"}) {
    return create(request).value().text;
  }
  static JoinRequest join(const std::string& token, const KeyPair& key,
                          const std::string& name = "n1") {
    JoinRequest request;
    request.token = token;
    request.csr_pem = make_csr(key, name).value();
    request.role = "compute";
    request.name = name;
    return request;
  }
  Result<Admission> redeem(JoinRequest request) {
    std::optional<Result<Admission>> out;
    enrolment_->redeem(std::move(request),
                       [&out](Result<Admission> answer) { out = std::move(answer); });
    return wait(out);
  }
  Result<Admission> renew(const KeyPair& key, const std::string& proven,
                          WallTime proven_expires = {}, const std::string& name = "n1") {
    std::optional<Result<Admission>> out;
    RenewRequest request;
    request.role = "compute";
    request.name = name;
    request.csr_pem = make_csr(key, name).value();
    request.proven = {proven, proven_expires};
    enrolment_->renew(std::move(request),
                      [&out](Result<Admission> answer) { out = std::move(answer); });
    return wait(out);
  }
  Status revoke(const std::string& name) {
    std::optional<Status> out;
    enrolment_->revoke_daemon("user:root@master/m1", "compute", name, "stolen",
                              [&out](Status status) { out = std::move(status); });
    return wait(out);
  }
  void define(const std::string& node) {
    std::optional<Status> out;
    store_->write(
        "user:root@master/m1",
        [node](store::Transaction& tx) -> Status {
          return cluster::ensure_node(tx, node, cluster::NodeRole::compute, "id-" + node, "")
              .map([](bool) {});
        },
        [&out](const Result<store::Committed>& done) {
          out = done ? Status() : Status(tl::unexpected<Error>(done.error()));
        });
    ASSERT_TRUE(wait(out).has_value());
  }
  Status revoke_token(const std::string& id) {
    std::optional<Status> out;
    enrolment_->revoke_token("user:root@master/m1", id,
                             [&out](Status status) { out = std::move(status); });
    return wait(out);
  }
  /// The refusal's code and text, e.g. "denied: token x expired ...".
  std::string refusal(JoinRequest request) {
    auto answer = redeem(std::move(request));
    if (answer) return "accepted";
    return std::string(info(answer.error().code).name) + ": " + answer.error().message;
  }
  [[nodiscard]] uint32_t uses_left() const { return enrolment_->tokens().at(0).uses_left; }

  sim::World world_{5};
  sim::SimDisk disk_;
  TestCa ca_{"alpha", 1, world_.wall()};
  KeyPair key_ = KeyPair::make().value();
  KeyPair other_ = KeyPair::make().value();
  std::unique_ptr<sim::SimProcess> process_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Enrolment> enrolment_;
};

TEST_F(Enrolments, ATokenLetsOneDaemonIn) {
  const CreatedToken made = create({.role = "compute", .names = "n[1-8]"}).value();
  EXPECT_EQ(parse_join_token(made.text).value().id, made.record.id);
  EXPECT_EQ(made.record.expires, made.record.created + hours(1));
  const Admission admission = redeem(join(made.text, key_)).value();
  EXPECT_EQ(admission.cluster, "alpha");
  EXPECT_EQ(admission.name, "n1");
  EXPECT_EQ(admission.ca_pem, ca_.authority().ca_pem());
  const Certificate certificate = Certificate::from_pem(admission.certificate_pem).value();
  EXPECT_EQ(certificate.uri(), "drover://alpha/compute/n1");
  EXPECT_EQ(certificate.public_key().sha256(), key_.public_key().sha256());
  EXPECT_EQ(certificate.not_after(), admission.expires);
  const Credential& credential = enrolment_->credentials().at("compute/n1");
  EXPECT_EQ(credential.serial, certificate.serial());
  EXPECT_EQ(credential.key_sha256, key_.public_key().sha256());
  EXPECT_EQ(credential.token, made.record.id);
  EXPECT_EQ(uses_left(), 0U);
}

TEST_F(Enrolments, ABootedNodeGetsTheKeyOfEachBoot) {
  const auto boot = [&](const KeyPair& key, const std::string& node) {
    std::optional<Result<Admission>> out;
    enrolment_->enrol_booted({node, make_csr(key, node).value(), "b1", "4711"},
                             [&out](Result<Admission> answer) { out = std::move(answer); });
    return wait(out);
  };
  const auto stranger = boot(key_, "n1");
  ASSERT_FALSE(stranger.has_value());
  EXPECT_EQ(stranger.error().code, Code::not_found);
  define("n1");
  const Admission first = boot(key_, "n1").value();
  EXPECT_EQ(Certificate::from_pem(first.certificate_pem).value().uri(),
            "drover://alpha/compute/n1");
  ASSERT_TRUE(boot(other_, "n1").has_value());
  const Credential& credential = enrolment_->credentials().at("compute/n1");
  EXPECT_EQ(credential.key_sha256, other_.public_key().sha256());
  EXPECT_EQ(credential.token, "boot/b1");
  EXPECT_TRUE(enrolment_->revocations().empty()) << "a reboot is no theft";
  ASSERT_TRUE(revoke("n1").has_value());
  const auto revoked = boot(key_, "n1");
  ASSERT_FALSE(revoked.has_value());
  EXPECT_EQ(revoked.error().code, Code::denied);
}

TEST_F(Enrolments, TheSecretIsNowhereInTheStore) {
  const std::string text = token();
  const std::string secret = parse_join_token(text).value().secret;
  const std::vector<std::string> files = disk_.list("/var/drover").value();
  ASSERT_FALSE(files.empty());
  for (const std::string& name : files) {
    EXPECT_EQ(disk_.read_all("/var/drover/" + name).value().find(secret), std::string::npos);
  }
}

TEST_F(Enrolments, BadTokenRequestsAreRefused) {
  const std::vector<TokenRequest> bad = {
      {.role = "emperor"},
      {.role = "compute", .names = "n[1-"},
      {.role = "compute", .names = "@group"},
      {.role = "compute", .names = "n/1"},
      {.role = "compute", .ttl = Duration::zero()},
      {.role = "compute", .ttl = hours(24 * 31)},
      {.role = "compute", .uses = 0},
      {.role = "compute", .uses = kMostTokenUses + 1},
  };
  for (const TokenRequest& request : bad) {
    auto created = create(request);
    ASSERT_FALSE(created) << request.role << " " << request.names;
    EXPECT_EQ(created.error().code, Code::invalid_argument) << created.error().text();
  }
  EXPECT_EQ(create({.role = "compute", .names = "n[1-100001]"}).error().code, Code::too_large);
  EXPECT_TRUE(enrolment_->tokens().empty());
}

TEST_F(Enrolments, ASecondKeyFindsTheTokenUsed) {
  const std::string text = token();
  ASSERT_TRUE(redeem(join(text, key_)));
  EXPECT_NE(refusal(join(text, other_)).find("already used"), std::string::npos);
  EXPECT_NE(refusal(join(text, other_, "n2")).find("denied: "), std::string::npos);
  EXPECT_NE(refusal(join(text, key_, "n2")).find("already used"), std::string::npos);
  EXPECT_EQ(enrolment_->credentials().size(), 1U);
}

TEST_F(Enrolments, TheSameRequestAgainIsAnsweredAgain) {
  const std::string text = token();
  ASSERT_TRUE(redeem(join(text, key_)));
  const Admission again = redeem(join(text, key_)).value();
  const Certificate certificate = Certificate::from_pem(again.certificate_pem).value();
  EXPECT_EQ(enrolment_->credentials().at("compute/n1").serial, certificate.serial());
  EXPECT_EQ(uses_left(), 0U);
  restart();
  EXPECT_TRUE(redeem(join(text, key_)));
  ASSERT_TRUE(world_.run_for(hours(1)));
  EXPECT_NE(refusal(join(text, key_)).find("expired at"), std::string::npos);
}

TEST_F(Enrolments, OfManyAtOnceExactlyAsManyAsUsesGetIn) {
  const std::string text = token({.role = "compute", .uses = 3});
  int in = 0;
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    enrolment_->redeem(join(text, KeyPair::make().value(), "n" + std::to_string(i)),
                       [&](const Result<Admission>& answer) { ++(answer ? in : refused); });
  }
  ASSERT_TRUE(world_.run_until([&] { return in + refused == 10; }, seconds(60)));
  EXPECT_EQ(in, 3);
  EXPECT_EQ(enrolment_->credentials().size(), 3U);
  EXPECT_EQ(uses_left(), 0U);
}

TEST_F(Enrolments, OnlyForItsRoleAndNames) {
  const std::string text = token({.role = "compute", .names = "n[1-8],login1"});
  JoinRequest request = join(text, key_);
  request.role = "aggregator";
  EXPECT_NE(refusal(std::move(request)).find("is for role compute, not for aggregator"),
            std::string::npos);
  EXPECT_NE(refusal(join(text, key_, "n9")).find("not for 'n9'"), std::string::npos);
  EXPECT_NE(refusal(join(text, key_, "n01")).find("not for 'n01'"), std::string::npos);
  EXPECT_EQ(uses_left(), 1U);
  EXPECT_EQ(refusal(join(text, key_, "n8")), "accepted");
}

TEST_F(Enrolments, UnknownForgedAndForeignTokensAreRefused) {
  const std::string text = token();
  JoinToken forged = parse_join_token(text).value();
  forged.secret[3] = forged.secret[3] == 'a' ? 'b' : 'a';
  EXPECT_EQ(refusal(join(forged.text(), key_)).substr(0, 17), "unauthenticated: ");
  JoinToken unknown = parse_join_token(text).value();
  unknown.id = "aaaaaaaa";
  EXPECT_EQ(refusal(join(unknown.text(), key_)).substr(0, 17), "unauthenticated: ");
  JoinToken foreign = parse_join_token(text).value();
  foreign.ca_sha256.assign(64, '0');
  EXPECT_NE(refusal(join(foreign.text(), key_)).find("another cluster"), std::string::npos);
  EXPECT_NE(refusal(join("hello", key_)).find("not a join token"), std::string::npos);
  EXPECT_EQ(uses_left(), 1U);
}

TEST_F(Enrolments, BadRequestsSpendNothing) {
  const std::string text = token();
  JoinRequest request = join(text, key_);
  request.csr_pem = "nonsense";
  EXPECT_NE(refusal(std::move(request)).find("not a signing request"), std::string::npos);
  request = join(text, key_);
  request.name = "../n1";
  EXPECT_NE(refusal(std::move(request)).find("invalid-argument"), std::string::npos);
  request = join(text, key_);
  request.also = [](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(tx.put("node", "n1", "{}"));
    return fail(Code::conflict, "the node is locked");
  };
  EXPECT_NE(refusal(std::move(request)).find("the node is locked"), std::string::npos);
  EXPECT_EQ(uses_left(), 1U);
  EXPECT_TRUE(enrolment_->credentials().empty());
}

TEST_F(Enrolments, WhatElseIsToBeStoredIsStoredWithIt) {
  JoinRequest request = join(token(), key_);
  request.also = [](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(tx.put("node", "n1", "{}"));
    return {};
  };
  ASSERT_TRUE(redeem(std::move(request)));
  std::optional<Status> read;
  store_->read(
      [](store::Transaction& tx) -> Status {
        DROVER_TRY(const auto node, tx.get("node", "n1"));
        return node ? Status() : Status(fail(Code::not_found, "no node"));
      },
      [&read](Status status) { read = std::move(status); });
  EXPECT_TRUE(wait(read));
}

TEST_F(Enrolments, ATakenNameNeedsATokenThatReplaces) {
  ASSERT_TRUE(redeem(join(token(), key_)));
  EXPECT_NE(refusal(join(token(), other_)).find("conflict: compute n1 joined at"),
            std::string::npos);
  EXPECT_EQ(refusal(join(token(), key_)), "accepted");
  EXPECT_EQ(refusal(join(token({.role = "compute", .replace = true}), other_)), "accepted");
  const std::string old_key = key_.public_key().sha256();
  EXPECT_EQ(enrolment_->check_daemon("compute", "n1", {old_key}).error().code, Code::denied);
  EXPECT_TRUE(enrolment_->check_daemon("compute", "n1", {other_.public_key().sha256()}));
  EXPECT_EQ(renew(key_, old_key).error().code, Code::denied);
}

TEST_F(Enrolments, RenewalKeepsTheIdentityAndTakesTheNewKey) {
  ASSERT_TRUE(redeem(join(token(), key_)));
  ASSERT_TRUE(world_.run_for(hours(24)));
  const Admission renewed = renew(other_, key_.public_key().sha256()).value();
  const Certificate certificate = Certificate::from_pem(renewed.certificate_pem).value();
  EXPECT_EQ(certificate.uri(), "drover://alpha/compute/n1");
  const Credential& credential = enrolment_->credentials().at("compute/n1");
  EXPECT_EQ(credential.key_sha256, other_.public_key().sha256());
  EXPECT_EQ(credential.serial, certificate.serial());
  EXPECT_GE(credential.renewed, credential.enrolled + hours(24));
  EXPECT_GE(credential.expires, credential.enrolled + hours(24) + kDefaultLifetime - seconds(1));
}

TEST_F(Enrolments, ARenewalWhoseAnswerWasLostCanBeAskedAgainWithTheOldKey) {
  ASSERT_TRUE(redeem(join(token(), key_)));
  const std::string old_key = key_.public_key().sha256();
  ASSERT_TRUE(renew(other_, old_key));
  const KeyPair third = KeyPair::make().value();
  ASSERT_TRUE(renew(third, old_key));
  EXPECT_EQ(enrolment_->credentials().at("compute/n1").key_sha256, third.public_key().sha256());
  EXPECT_TRUE(enrolment_->check_daemon("compute", "n1", {old_key}));
  ASSERT_TRUE(renew(KeyPair::make().value(), third.public_key().sha256()));
  EXPECT_FALSE(enrolment_->check_daemon("compute", "n1", {old_key}));
}

TEST_F(Enrolments, ARevokedDaemonIsRefusedEverywhere) {
  ASSERT_TRUE(redeem(join(token(), key_)));
  EXPECT_FALSE(enrolment_->is_revoked("compute", "n1"));
  ASSERT_TRUE(revoke("n1"));
  EXPECT_TRUE(enrolment_->is_revoked("compute", "n1"));
  const Error refused = enrolment_->check_daemon("compute", "n1", {""}).error();
  EXPECT_EQ(refused.code, Code::denied);
  EXPECT_NE(refused.message.find("was revoked by user:root@master/m1 at "), std::string::npos);
  EXPECT_NE(refused.message.find(": stolen"), std::string::npos);
  EXPECT_EQ(renew(other_, key_.public_key().sha256()).error().code, Code::denied);
  EXPECT_NE(refusal(join(token(), key_)).find("was revoked"), std::string::npos);
  restart();
  EXPECT_TRUE(enrolment_->is_revoked("compute", "n1"));
  EXPECT_EQ(refusal(join(token({.role = "compute", .replace = true}), other_)), "accepted");
  EXPECT_FALSE(enrolment_->is_revoked("compute", "n1"));
  EXPECT_EQ(revoke("n2").error().code, Code::not_found);
}

TEST_F(Enrolments, ARevokedDaemonDoesNotComeBackByRepeatingItsJoin) {
  const std::string text = token();
  ASSERT_TRUE(redeem(join(text, key_)));
  ASSERT_TRUE(revoke("n1"));
  EXPECT_EQ(refusal(join(text, key_)).substr(0, 8), "denied: ");
}

TEST_F(Enrolments, ARestoredStoreLetsADaemonRenewWithTheKeyThatItGotSince) {
  ASSERT_TRUE(redeem(join(token(), key_)));
  const WallTime on_record = enrolment_->credentials().at("compute/n1").expires;
  const std::string since = other_.public_key().sha256();  // renewed after the back-up
  EXPECT_FALSE(enrolment_->check_daemon("compute", "n1", {since, on_record}));
  EXPECT_FALSE(enrolment_->check_daemon("compute", "n1", {since, on_record - hours(24)}))
      << "a key from before the last renewal";
  EXPECT_EQ(renew(KeyPair::make().value(), since, on_record).error().code, Code::denied);
  EXPECT_TRUE(enrolment_->check_daemon("compute", "n1", {since, on_record + hours(1)}));
  const KeyPair third = KeyPair::make().value();
  ASSERT_TRUE(renew(third, since, on_record + hours(1)));
  EXPECT_EQ(enrolment_->credentials().at("compute/n1").key_sha256, third.public_key().sha256());
  EXPECT_TRUE(enrolment_->check_daemon("compute", "n1", {since}));
  EXPECT_FALSE(enrolment_->check_daemon("compute", "n1", {key_.public_key().sha256(), on_record}));
  // A revoked name stays out whatever it shows, and so does a key that another host's has replaced.
  ASSERT_TRUE(redeem(join(token({.role = "compute", .replace = true}), key_)));
  EXPECT_FALSE(enrolment_->check_daemon("compute", "n1",
                                        {third.public_key().sha256(), on_record + hours(10'000)}));
  ASSERT_TRUE(revoke("n1"));
  EXPECT_FALSE(
      enrolment_->check_daemon("compute", "n1", {"a key never seen", on_record + hours(10'000)}));
}

TEST_F(Enrolments, ADaemonThatTheStoreForgotIsRecordedAtRenewal) {
  EXPECT_TRUE(enrolment_->check_daemon("compute", "n1", {"any"}));
  ASSERT_TRUE(renew(key_, ""));
  EXPECT_EQ(enrolment_->credentials().at("compute/n1").key_sha256, key_.public_key().sha256());
}

TEST_F(Enrolments, ARevokedTokenIsGoneAndOldOnesAreSweptUp) {
  const CreatedToken first = create({.role = "compute"}).value();
  ASSERT_TRUE(revoke_token(first.record.id));
  EXPECT_TRUE(enrolment_->tokens().empty());
  EXPECT_EQ(revoke_token(first.record.id).error().code, Code::not_found);
  EXPECT_EQ(refusal(join(first.text, key_)).substr(0, 15), "unauthenticated");
  ASSERT_TRUE(create({.role = "compute"}));
  ASSERT_TRUE(world_.run_for(hours(24)));
  ASSERT_TRUE(create({.role = "compute"}));
  EXPECT_EQ(enrolment_->tokens().size(), 2U);
  ASSERT_TRUE(world_.run_for(hours(2)));
  ASSERT_TRUE(create({.role = "compute"}));
  EXPECT_EQ(enrolment_->tokens().size(), 2U);
}

class EnrolmentCrash : public Enrolments {
 protected:
  /// Lets `name` join, cuts the power at the `cut`th disk operation of that, starts again and
  /// checks what is left. True when the answer came before the cut.
  bool cut_and_check(uint64_t cut, const std::string& name) {
    const CreatedToken made = create({.role = "compute", .names = name}).value();
    const uint64_t at = disk_.operations() + cut;
    disk_.set_fault_hook([at](const sim::DiskOperation& operation) {
      return operation.number == at ? sim::DiskFault::power_cut : sim::DiskFault::none;
    });
    std::optional<Result<Admission>> first;
    enrolment_->redeem(join(made.text, key_, name),
                       [&first](Result<Admission> answer) { first = std::move(answer); });
    EXPECT_TRUE(world_.run_for(seconds(5)));
    const bool answered = first && first->has_value();
    const bool uncut = disk_.operations() < at;
    process_->kill();
    stop();
    disk_.set_fault_hook({});
    sim::SimRandom lots = world_.stream("crash of " + name);
    disk_.crash(lots);
    start();
    check_after(made, name, answered);
    return answered && uncut;
  }
  void check_after(const CreatedToken& made, const std::string& name, bool answered) {
    const bool let_in = enrolment_->credentials().contains("compute/" + name);
    for (const TokenRecord& record : enrolment_->tokens()) {
      if (record.id != made.record.id) continue;
      EXPECT_EQ(record.uses_left, let_in ? 0U : 1U) << name;
    }
    if (answered) EXPECT_TRUE(let_in) << name << " was answered and forgotten";
    if (let_in) EXPECT_EQ(refusal(join(made.text, other_, name)).substr(0, 8), "denied: ");
    EXPECT_EQ(refusal(join(made.text, key_, name)), "accepted") << name;
    EXPECT_TRUE(revoke_token(made.record.id));
  }
};

TEST_F(EnrolmentCrash, PowerCutAtAnyOperationSpendsATokenOnceOrNotAtAll) {
  for (int round = 0; round < 10; ++round) {
    uint64_t cut = 1;
    while (!cut_and_check(cut, "n" + std::to_string(round) + "-" + std::to_string(cut))) {
      ASSERT_LT(++cut, 100U) << "the answer never came";
    }
    EXPECT_GT(cut, 2U) << "a commit takes a write and a sync at least";
  }
}

}  // namespace
}  // namespace drover::auth
