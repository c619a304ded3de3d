// A boot from the command line to an identity, over real TLS to a server of the test's own and with
// a machine that only remembers; and each way in which it may fail.
#include "nodeboot/boot.hpp"

#include "auth/test_support.hpp"
#include "base/json_values.hpp"
#include "net/http/http_server.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "net/sha256.hpp"
#include "nodeboot/test_disks.hpp"

#include <functional>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::nodeboot {
namespace {

using namespace std::chrono_literals;

const std::string kToken = "abcdefghijklmnopqrstuvwxyz234567";
const std::string kMac = "52:54:00:00:00:01";

struct FakeMachine final : Machine {
  Result<std::string> command_line() override { return line; }
  size_t load_drivers() override {
    if (++looked == appears_at) present.push_back({2, "eth0", kMac, false});
    return 0;
  }
  Result<std::vector<os::LinkFacts>> links() override { return present; }
  Status set_up(const os::LinkFacts& link, const BootCommand&) override {
    did.push_back("up " + link.name);
    for (auto& one : present) one.carrier = has_carrier;
    return {};
  }
  Status configure(const os::LinkFacts&, const BootCommand& command) override {
    did.push_back("address " + command.address);
    return {};
  }
  void set_clock(int64_t seconds) override { did.push_back(fmt::format("clock {}", seconds)); }
  Status catch_panics(const os::LinkFacts&, const BootCommand& command) override {
    did.push_back("panics to " + command.log->text());
    return {};
  }
  Status mount_image(const std::string& path, const std::string& at) override {
    did.push_back(fmt::format("mount {} {}", path, at));
    return mounts ? Status{} : fail(Code::io, "not a squashfs");
  }
  Status keep_secrets(const std::map<std::string, std::string>& secrets) override {
    for (const auto& [name, value] : secrets) did.push_back("secret " + name + "=" + value);
    return {};
  }
  void say(int, const std::string& text) override { said += text + "\n"; }

  std::string line;
  std::vector<os::LinkFacts> present{{1, "lo", "00:00:00:00:00:00", true},
                                     {3, "eth1", "52:54:00:00:00:99", false}};
  int looked = 0;
  int appears_at = 1;
  bool has_carrier = true;
  bool mounts = true;
  std::vector<std::string> did;
  std::string said;
};

struct FakeSink final : ImageSink {
  Status begin() override {
    bytes.clear();
    return {};
  }
  Status add(std::string_view more) override {
    bytes += more;
    return {};
  }
  Result<std::string> finish() override { return net::sha256_hex(bytes); }
  [[nodiscard]] std::string path() const override { return "/ram/root"; }
  std::string bytes;
};

class BootTest : public ::testing::Test {
 protected:
  using ExchangePtr = std::shared_ptr<net::HttpExchange>;

  BootTest() {
    const auto key = auth::KeyPair::make().value();
    const auth::Identity own{key.pem().value(), certify(key, "boot", "b1"), ca_pem()};
    auto config = auth::security_config(own);
    config.verify_peer = false;
    config.certificate_pem += ca_pem();
    security_ = net_.make_security(config).value();
    at_ = server_.listen({"127.0.0.1", 0, ""}, [this] { return security_; }).value();
    http_at_ = server_.listen({"127.0.0.1", 0, ""}).value();
    machine_.line = line("lean");
  }

  std::string ca_pem() { return ca_.authority().ca_pem(); }
  std::string certify(const auth::KeyPair& key, const std::string& role, const std::string& name) {
    auth::IssueRequest issue = ca_.request(key, role, name);
    issue.now = loop_->wall();
    return ca_.authority().issue(issue).value().certificate_pem;
  }
  [[nodiscard]] std::string line(const std::string& mode, const std::string& more = {}) {
    return fmt::format(
        "drover.node=n1 drover.mode={} drover.boot={} drover.http=http://{} drover.ca={} "
        "drover.token={} drover.mac={} drover.ip=10.0.0.2/24 drover.log=10.0.0.1:6666 {}",
        mode, at_.text(), http_at_.text(),
        auth::Certificate::from_pem(ca_pem()).value().fingerprint(), kToken, kMac, more);
  }

  void serve_file(std::string_view target, net::HttpResponse& response) {
    files_.emplace_back(target.substr(0, target.find('?')));
    if (files_.back().starts_with("/boot/loaders/")) {
      response.status = has_loaders_ ? 200 : 404;
      response.body = "loader";
    } else {
      response.body = files_.back().ends_with(net::sha256_hex("kernel"))   ? "kernel"
                      : files_.back().ends_with(net::sha256_hex("initrd")) ? "initrd"
                                                                           : image_;
    }
  }

  void serve(const net::HttpRequest& request, const ExchangePtr& exchange) {
    net::HttpResponse response;
    if (request.target.starts_with("/boot/blobs/") ||
        request.target.starts_with("/boot/loaders/")) {
      serve_file(request.target, response);
      exchange->respond(std::move(response));
      return;
    }
    if (request.target.starts_with("/boot/v1/bootscript")) {
      ++asked_;
      response.status = answer_.empty() ? 503 : 200;
      response.body = answer_;
      exchange->respond(std::move(response));
      return;
    }
    if (request.headers.get("Authorization") != "Boot " + kToken || refuse_) {
      response.status = 403;
      response.body = R"({"detail":"the token is used up"})";
    } else if (request.target == "/boot/v1/stage") {
      const auto body = parse_json(request.body).value().as_object();
      stages_.push_back(fmt::format("{}: {}", std::string(body.at("stage").as_string()),
                                    std::string(body.at("why").as_string())));
      response.status = 204;
    } else if (request.target == "/boot/v1/secrets") {
      response.status = secrets_.empty() ? 403 : 200;
      response.body = secrets_.empty() ? R"({"detail":"they have been given"})" : secrets_;
    } else if (request.target == "/boot/v1/enrol") {
      ++enrolments_;
      const auto body = parse_json(request.body).value().as_object();
      auth::IssueRequest issue = ca_.request(auth::KeyPair::make().value(), "compute", enrol_as_);
      issue.now = loop_->wall();
      issue.csr_pem = std::string(body.at("csr_pem").as_string());
      const json::object answer{
          {"certificate_pem", ca_.authority().issue(issue).value().certificate_pem},
          {"ca_pem", ca_pem()},
          {"cluster", "alpha"},
          {"name", enrol_as_},
          {"role", "compute"},
          {"aggregators", json::array{"10.0.0.1:9800"}}};
      response.body = std::exchange(half_answer_, false) ? R"({"name":"n1"})" : to_text(answer);
      enrol_as_ = "n1";
    }
    exchange->respond(std::move(response));
  }

  /// Runs until the boot is done, hopeless, or `until` holds.
  bool boot(Callback<bool()> until = [] { return false; }) {
    boot_.emplace(BootSeams{*loop_, net_, machine_, tool_, sink_, disks_}, "boot-id",
                  Boot::Events{[this](BootClient&) { ++networks_; },
                               [this](Outcome out) { outcome_ = std::move(out); },
                               [this] { hopeless_ = true; }},
                  times_);
    boot_->start();
    return loop_->run_until([&] { return outcome_ || hopeless_ || until(); }, 20s);
  }

  /// Short, since tests that give up wait for them; a test that must not give up sets what it
  /// relies on to kLong, whatever the machine is busy with.
  BootTimes times_{5ms, 5ms, 100ms, 10ms, 50ms, 20ms, 50ms, 1ms, {30ms, 5ms}};
  static constexpr Duration kLong = 20s;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  net::RealNet net_{*loop_};
  auth::testing::TestCa ca_{"alpha", 1, loop_->wall()};
  struct Silent final : LogSink {
    void write(const LogRecord&) override {}
  } silent_;
  std::shared_ptr<net::Security> security_;
  net::HttpServer server_{*loop_,
                          net_,
                          Log(silent_, "http"),
                          [this](const net::HttpRequest& request, const ExchangePtr& exchange) {
                            serve(request, exchange);
                          },
                          {}};
  net::Endpoint at_;
  net::Endpoint http_at_;
  FakeMachine machine_;
  FakeSink sink_;
  testing::FakeDisks disks_;
  std::string answer_;  ///< to a machine that its disk started; empty: drover-boot cannot
  int asked_ = 0;
  bool has_loaders_ = true;
  std::vector<std::string> files_;  ///< that were asked for
  auth::OpensslIdentityTool tool_;
  std::string image_ = std::string(300'000, 'i');
  std::string enrol_as_ = "n1";
  bool half_answer_ = false;  ///< to the next enrolment
  std::string secrets_;
  bool refuse_ = false;
  int enrolments_ = 0;
  int networks_ = 0;
  std::vector<std::string> stages_;
  std::optional<Boot> boot_;
  std::optional<Outcome> outcome_;
  bool hopeless_ = false;
};

TEST_F(BootTest, FromTheCommandLineToAnIdentity) {
  ASSERT_TRUE(boot()) << machine_.said;
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(machine_.did,
            (std::vector<std::string>{"up eth0", "address 10.0.0.2", "panics to 10.0.0.1:6666"}));
  EXPECT_EQ(stages_, (std::vector<std::string>{"init: network up on eth0",
                                               "joining: asking for a certificate"}));
  EXPECT_EQ(networks_, 1);
  EXPECT_EQ(outcome_->enrolled.aggregators, std::vector<std::string>{"10.0.0.1:9800"});
  EXPECT_TRUE(tool_.check(outcome_->identity));
  EXPECT_TRUE(outcome_->image_root.empty());
}

TEST_F(BootTest, SecretsAreFetchedLastAndKept) {
  secrets_ = R"({"secrets":{"munge.key":"hunter2"}})";
  machine_.line = line("lean", "drover.secrets=yes");
  ASSERT_TRUE(boot()) << machine_.said;
  ASSERT_TRUE(outcome_);
  EXPECT_EQ(enrolments_, 1);
  EXPECT_EQ(machine_.did.back(), "secret munge.key=hunter2");
  EXPECT_EQ(machine_.said.find("hunter2"), std::string::npos);
}

TEST_F(BootTest, SecretsThatWereGivenAlreadyEndInANewBoot) {
  machine_.line = line("lean", "drover.secrets=yes");
  ASSERT_TRUE(boot());
  EXPECT_TRUE(hopeless_);
  EXPECT_FALSE(outcome_);
}

TEST_F(BootTest, ASecretIsNoPath) {
  secrets_ = R"({"secrets":{"../x":"hunter2"}})";
  machine_.line = line("lean", "drover.secrets=yes");
  ASSERT_TRUE(
      boot([this] { return machine_.said.find("no name of a secret") != std::string::npos; }));
  EXPECT_FALSE(outcome_);
}

TEST_F(BootTest, ACardThatComesLateIsWaitedFor) {
  machine_.appears_at = 5;
  times_.patience = kLong;
  ASSERT_TRUE(boot());
  EXPECT_TRUE(outcome_);
  EXPECT_EQ(machine_.said.find("no network interface"), std::string::npos) << machine_.said;
}

TEST_F(BootTest, ACardThatIsNotThereIsToldWithWhatIs) {
  machine_.appears_at = 60;
  ASSERT_TRUE(boot());
  EXPECT_TRUE(outcome_) << "it comes in the end";
  EXPECT_NE(machine_.said.find("no network interface has the MAC address " + kMac +
                               "; seen: 52:54:00:00:00:99 (eth1)"),
            std::string::npos)
      << machine_.said;
}

TEST_F(BootTest, ACableThatIsOutIsTold) {
  machine_.has_carrier = false;
  ASSERT_TRUE(boot([this] { return machine_.said.find("no carrier") != std::string::npos; }));
  EXPECT_FALSE(outcome_);
}

TEST_F(BootTest, AWrongCommandLineEndsInANewBoot) {
  machine_.line = "drover.node=n1";
  ASSERT_TRUE(boot());
  EXPECT_TRUE(hopeless_);
  EXPECT_NE(machine_.said.find("drover.boot is missing"), std::string::npos) << machine_.said;
}

TEST_F(BootTest, ARefusedTokenEndsInANewBoot) {
  refuse_ = true;
  ASSERT_TRUE(boot());
  EXPECT_TRUE(hopeless_);
  EXPECT_NE(machine_.said.find("the token is used up"), std::string::npos) << machine_.said;
  EXPECT_EQ(enrolments_, 0);
}

TEST_F(BootTest, AServerOfAnotherClusterIsNotSpokenTo) {
  std::string other = line("lean");
  other.replace(other.find("drover.ca=") + 10, 64, std::string(64, 'f'));
  machine_.line = other;
  ASSERT_TRUE(boot([this] { return machine_.said.find("trying again") != std::string::npos; }));
  EXPECT_TRUE(stages_.empty());
  EXPECT_FALSE(outcome_);
}

TEST_F(BootTest, AnAnswerWithoutACertificateIsNotTaken) {
  half_answer_ = true;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << "the second answer is right";
  EXPECT_EQ(enrolments_, 2);
  EXPECT_NE(machine_.said.find("the answer to the enrolment: certificate_pem"), std::string::npos)
      << machine_.said;
}

TEST_F(BootTest, ACertificateForSomebodyElseIsNotTaken) {
  enrol_as_ = "n2";
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << "the second answer is right";
  EXPECT_EQ(enrolments_, 2);
  EXPECT_NE(machine_.said.find("not for n1"), std::string::npos) << machine_.said;
  EXPECT_TRUE(std::ranges::any_of(
      stages_, [](const std::string& one) { return one.starts_with("error: "); }));
}

TEST_F(BootTest, AClockThatIsBehindIsSet) {
  machine_.line = line("lean", "drover.time=4000000000");
  ASSERT_TRUE(boot());
  EXPECT_EQ(machine_.did[2], "clock 4000000000");
  machine_.did.clear();
  outcome_.reset();
  machine_.line = line("lean", "drover.time=1000000000");
  machine_.looked = 0;
  ASSERT_TRUE(boot());
  EXPECT_EQ(machine_.did[2], "panics to 10.0.0.1:6666") << "a clock that is ahead is believed";
}

TEST_F(BootTest, AnImageIsFetchedProvenAndMounted) {
  machine_.line = line("image", "drover.root=" + net::sha256_hex(image_));
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(outcome_->image_root, "/newroot");
  EXPECT_EQ(sink_.bytes.size(), image_.size());
  EXPECT_EQ(machine_.did.back(), "mount /ram/root /newroot");
  EXPECT_TRUE(stages_[1].starts_with("image: ")) << stages_[1];
}

TEST_F(BootTest, AnImageThatIsNotWhatWasAskedForIsNotMounted) {
  machine_.line = line("image", "drover.root=" + std::string(64, 'a'));
  ASSERT_TRUE(boot([this] {
    return std::ranges::any_of(
        stages_, [](const std::string& one) { return one.starts_with("error: the image"); });
  })) << machine_.said;
  EXPECT_FALSE(outcome_);
  EXPECT_EQ(machine_.did.size(), 3U) << "nothing is mounted";
  EXPECT_EQ(enrolments_, 0);
}

class DiskBootTest : public BootTest {
 protected:
  DiskBootTest() {
    DiskFacts blank;
    blank.name = "vda";
    blank.bytes = uint64_t{1} << 30;
    blank.blank = true;
    disks_.disks = {blank};
    machine_.line = disk_line();
  }
  /// What a script says, without the token where a disk says it.
  [[nodiscard]] std::string disk_line(const std::string& more = {}) {
    return line("disk", fmt::format("drover.root={} drover.size={} drover.kernel={} "
                                    "drover.initrds={} {}",
                                    net::sha256_hex(image_), image_.size(),
                                    net::sha256_hex("kernel"), net::sha256_hex("initrd"), more));
  }
  /// The command line that the disk's own menu gives.
  [[nodiscard]] std::string line_of_menu() {
    const std::string menu = disks_.start["/EFI/debian/grub.cfg"];
    const size_t from = menu.find("linux /drover/kernel-");
    std::string out = menu.substr(from, menu.find('\n', from) - from);
    std::erase(out, '\'');
    return out;
  }
  /// The same machine again.
  bool again() {
    boot_.reset();
    outcome_.reset();
    hopeless_ = false;
    machine_.did.clear();
    disks_.did.clear();
    stages_.clear();
    files_.clear();
    return boot();
  }
  /// As the agent leaves it there.
  void keep_identity() {
    disks_.files["identity/identity.pem"] = auth::to_bundle(outcome_->identity);
  }
};

TEST_F(DiskBootTest, ABlankDiskIsWrittenOnceAndUsedFromThenOn) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(disks_.did, (std::vector<std::string>{"format vda", "mark begun", "mark whole",
                                                  "mount vda /newroot"}));
  EXPECT_EQ(disks_.root, image_);
  EXPECT_TRUE(outcome_->on_disk);
  EXPECT_EQ(outcome_->image_root, "/newroot");
  EXPECT_TRUE(std::ranges::any_of(
      stages_, [](const std::string& one) { return one == "image: writing the image to vda"; }));
  EXPECT_EQ(files_.size(), 1U) << "a BIOS cannot start the disk";

  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, std::vector<std::string>{"mount vda /newroot"});
  EXPECT_TRUE(files_.empty()) << "nothing is fetched";
  EXPECT_TRUE(std::ranges::any_of(
      stages_, [](const std::string& one) { return one == "image: checking the image on vda"; }));
}

TEST_F(DiskBootTest, AnotherImageADamagedOneAndAnUnfinishedOneAreWrittenAnew) {
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << machine_.said;
  image_ = std::string(400'000, 'j');
  machine_.line = disk_line();
  const std::vector<std::string> written{"format vda", "mark begun", "mark whole",
                                         "mount vda /newroot"};
  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, written);
  EXPECT_EQ(disks_.root, image_);

  disks_.root[123'456] ^= 1;
  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, written);
  EXPECT_EQ(disks_.root, image_);
  EXPECT_NE(machine_.said.find("is damaged"), std::string::npos);

  disks_.disks[0].mark->whole = false;
  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, written);
}

TEST_F(DiskBootTest, AForeignDiskIsLeftAloneAndToldOf) {
  disks_.disks[0].blank = false;
  ASSERT_TRUE(boot());
  EXPECT_TRUE(hopeless_) << "only another script can help";
  EXPECT_TRUE(disks_.did.empty());
  EXPECT_TRUE(std::ranges::any_of(stages_, [](const std::string& one) {
    return one.starts_with("error: no disk may be written: vda");
  }));
  machine_.line = disk_line("drover.wipe=yes");
  ASSERT_TRUE(again());
  EXPECT_TRUE(outcome_);
  EXPECT_EQ(disks_.did.front(), "format vda");
}

TEST_F(DiskBootTest, OurOwnDiskIsWaitedForBesideABlankOne) {
  ASSERT_TRUE(boot());
  DiskFacts ours = disks_.disks[0];
  ours.name = "vdb";
  disks_.disks[0].mark.reset();
  disks_.disks[0].blank = true;
  disks_.disks.push_back(ours);
  disks_.looked = 0;
  disks_.appears_at = 3;
  times_.disk.settle = kLong;
  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, std::vector<std::string>{"mount vdb /newroot"});
}

TEST_F(DiskBootTest, UnderUefiTheDiskGetsWhatItStartsWith) {
  disks_.uefi = true;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(disks_.did.at(3), "mark whole starts");
  EXPECT_FALSE(disks_.started_open);
  EXPECT_EQ(disks_.start["/EFI/BOOT/BOOTX64.EFI"], "loader");
  EXPECT_EQ(disks_.start["/drover/kernel-" + net::sha256_hex("kernel").substr(0, 16)], "kernel");
  EXPECT_EQ(disks_.start["/drover/initrd-" + net::sha256_hex("initrd").substr(0, 16)], "initrd");
  EXPECT_EQ(line_of_menu().find(kToken), std::string::npos);
  EXPECT_NE(line_of_menu().find("drover.from=disk"), std::string::npos);
  ASSERT_TRUE(again());
  EXPECT_TRUE(files_.empty()) << "the menu is the same";

  // Another command line is another menu, and no reason to write the image again.
  machine_.line = disk_line("quiet");
  ASSERT_TRUE(again());
  EXPECT_EQ(disks_.did, (std::vector<std::string>{"mark whole starts", "mount vda /newroot"}));
  EXPECT_NE(line_of_menu().find("quiet"), std::string::npos);
}

TEST_F(DiskBootTest, WithoutALoaderTheDiskStillServesTheNetworksBoot) {
  disks_.uefi = true;
  has_loaders_ = false;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_NE(machine_.said.find("cannot start this machine without drover-boot: drover-boot "
                               "answered 404 Not Found for the shimx64.efi"),
            std::string::npos)
      << machine_.said;
  EXPECT_FALSE(disks_.started_open);
}

TEST_F(DiskBootTest, ItsDiskStartsTheMachineWhileDroverBootIsAway) {
  disks_.uefi = true;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_);
  keep_identity();
  const auth::Identity before = outcome_->identity;
  machine_.line = line_of_menu();
  ASSERT_TRUE(again());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_GE(asked_, 1);
  EXPECT_EQ(disks_.did, std::vector<std::string>{"mount vda /newroot"});
  EXPECT_TRUE(files_.empty());
  EXPECT_EQ(enrolments_, 1);
  EXPECT_EQ(outcome_->identity, before);
  EXPECT_EQ(outcome_->enrolled.aggregators, std::vector<std::string>{"10.0.0.1:9800"});

  // It is asked again for a while before that.
  boot_.reset();
  outcome_.reset();
  asked_ = 0;
  times_.ask = kLong;
  ASSERT_TRUE(boot([this] { return asked_ >= 3; }));
  EXPECT_FALSE(outcome_);
  times_.ask = 50ms;

  // A damaged image cannot be mended alone, and is not run.
  disks_.root[5] ^= 1;
  boot_.reset();
  outcome_.reset();
  disks_.did.clear();
  ASSERT_TRUE(boot([this] { return machine_.said.find("is damaged") != std::string::npos; }));
  EXPECT_FALSE(outcome_);
  EXPECT_TRUE(disks_.did.empty());
}

TEST_F(DiskBootTest, ItsDiskStartsTheMachineAndDroverBootHasTheLastWord) {
  disks_.uefi = true;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_);
  machine_.line = line_of_menu();
  answer_ = disk_line() + "\n";
  ASSERT_TRUE(again());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(enrolments_, 2) << "with the token of the answer";
  EXPECT_EQ(disks_.did, std::vector<std::string>{"mount vda /newroot"});

  // Another kernel: it is written, and the machine starts over with it.
  image_ = std::string(500'000, 'k');
  const std::string other = net::sha256_hex("initrd");
  answer_ = disk_line();
  answer_.replace(answer_.find("drover.kernel=") + 14, 64, other);
  ASSERT_TRUE(again());
  EXPECT_TRUE(hopeless_);
  EXPECT_EQ(disks_.root, image_);
  EXPECT_EQ(disks_.did.back(), "mark whole starts");
  EXPECT_EQ(disks_.start.count("/drover/kernel-" + net::sha256_hex("kernel").substr(0, 16)), 0U);
}

TEST_F(DiskBootTest, AnAnswerOfAnotherClusterIsNotFollowed) {
  disks_.uefi = true;
  ASSERT_TRUE(boot());
  ASSERT_TRUE(outcome_);
  keep_identity();
  machine_.line = line_of_menu();
  answer_ = disk_line();
  answer_.replace(answer_.find("drover.ca=") + 10, 64, std::string(64, 'f'));
  ASSERT_TRUE(again());
  ASSERT_TRUE(outcome_) << machine_.said;
  EXPECT_EQ(enrolments_, 1);
  EXPECT_NE(machine_.said.find("not for this node of this cluster"), std::string::npos);
}

}  // namespace
}  // namespace drover::nodeboot
