// Who may have which script, and what is told of those who may not.
#include "daemons/boot/boot_desk.hpp"

#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "store/store.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

constexpr const char* kMac = "52:54:00:77:00:01";
constexpr const char* kOtherMac = "52:54:00:77:00:02";

class BootDesks : public ::testing::Test {
 protected:
  void SetUp() override {
    commit("network", "boot", R"({"name":"boot","prefix":"10.77.0.0/24"})");
    cluster::Image image;
    image.name = "lean";
    image.current.digest = std::string(64, 'd');
    image.current.arch = "x86_64";
    image.current.kernel = {std::string(64, 'a'), 8'000'000, "6.1.0-56"};
    image.current.initrds = {{std::string(64, 'b'), 3'000'000, "drover"}};
    commit("image", "lean", encode(image));
    commit("node", "n1", node("n1", kMac, "10.77.0.11"));
    commit("node", "n2", node("n2", kOtherMac, "10.77.0.12"));
    site_ = std::make_unique<boot::Site>(model_, images_, boot::SiteOptions{});
    desk_.serve(*site_, model_);
  }
  void commit(const std::string& kind, const std::string& key, const std::string& body) {
    store::Change change;
    change.sequence = ++sequence_;
    change.kind = kind;
    change.key = key;
    change.after = body;
    const std::vector<store::Change> changes{change};
    ASSERT_TRUE(model_.apply(changes));
  }
  static std::string node(const std::string& name, const std::string& mac,
                          const std::string& address) {
    cluster::Node out;
    out.name = name;
    out.id = name;
    out.spec.interfaces.push_back({"eth0", mac, {address + "/24"}, "boot"});
    out.spec.attributes["image"] = "lean";
    return encode(out);
  }
  Result<boot::ServedScript> script(const std::string& mac, const std::string& source) {
    boot::ScriptQuery query;
    query.mac = mac;
    query.source = source;
    query.host = "10.77.0.1:8080";
    return desk_.script(query);
  }
  std::string log(const std::string& node) {
    std::optional<std::string> out;
    logs_.read(node, {}, [&](const Result<std::vector<NodeLogLine>>& lines) {
      out.emplace();
      for (const NodeLogLine& line : *lines) *out += line.text + "\n";
    });
    EXPECT_TRUE(world_.run_until([&] { return out.has_value(); }, std::chrono::seconds(5)));
    return out.value_or("");
  }

  sim::World world_{1};
  sim::SimDisk disk_;
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot", .disk = &disk_}};
  cluster::Model model_;
  boot::ModelImages images_{model_};
  std::unique_ptr<boot::Site> site_;
  uint64_t sequence_ = 0;
  StageBook stages_{process_.executor(), [](const cluster::BootReport&) {}};
  NodeLogs logs_{process_.executor(), disk_, process_.log(), "/logs", {}};
  TraceBook traces_{process_.executor()};
  BootDesk desk_{{process_.executor(), process_.random(), stages_, logs_, traces_,
                  [](const std::string&, const auth::EnrolRequest&,
                     Callback<void(Result<auth::EnrolAnswer>)>) {}}};
};

TEST_F(BootDesks, AMachineWithAnothersMacGetsNoScriptAndTheLogSaysWhy) {
  traces_.add(kOtherMac, "n2", "10.77.0.12", "DHCP REQUEST", "ACK", true);
  const auto refused = script(kMac, "10.77.0.12");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_NE(log("n1").find("refused its boot script: 10.77.0.12 was given to 52:54:00:77:00:02 "
                           "(n2), which asks as 52:54:00:77:00:01"),
            std::string::npos)
      << log("n1");
  // Itself, a machine of which DHCP has told nothing, and one whose address another has now.
  EXPECT_TRUE(script(kOtherMac, "10.77.0.12"));
  EXPECT_TRUE(script(kMac, "10.77.0.99"));
  traces_.add(kMac, "n1", "10.77.0.12", "DHCP REQUEST", "ACK", true);
  EXPECT_TRUE(script(kMac, "10.77.0.12"));
}

TEST_F(BootDesks, ATokenElsewhereIsToldOnceInTheLogOfItsNode) {
  const auto given = script(kMac, "10.77.0.11");
  ASSERT_TRUE(given) << given.error().text();
  const size_t at = given->text.find("drover.token=");
  ASSERT_NE(at, std::string::npos) << given->text;
  const std::string token = given->text.substr(at + 13, 32);
  EXPECT_TRUE(desk_.check(token, "10.77.0.11"));
  EXPECT_EQ(desk_.check(token, "10.77.0.99").error().code, Code::denied);
  EXPECT_EQ(desk_.check(token, "10.77.0.99").error().code, Code::denied);
  const std::string text = log("n1");
  const std::string line = "refused: the boot token of n1 was given to";
  ASSERT_NE(text.find(line), std::string::npos) << text;
  EXPECT_EQ(text.find(line, text.find(line) + 1), std::string::npos);
}

TEST_F(BootDesks, AMissingPartOfTheImageEndsTheBootWithItsReason) {
  ASSERT_TRUE(script(kMac, "10.77.0.11"));
  ASSERT_TRUE(stages_.boots("n1"));
  boot::HttpBootEvent event;
  event.client = "10.77.0.11";
  event.name = "/boot/blobs/abcdef?t=secret";
  event.status = 404;
  event.why = "there is no blob abcdef";
  desk_.on_http(event);
  ASSERT_EQ(stages_.under_way().size(), 1U);
  EXPECT_EQ(stages_.under_way()[0].stage, cluster::PhaseState::error);
  EXPECT_EQ(stages_.under_way()[0].why,
            "a part of its image cannot be given: there is no blob abcdef");
  EXPECT_EQ(log("n1").find("secret"), std::string::npos);
  EXPECT_NE(log("n1").find("refused /boot/blobs/abcdef: there is no blob"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons
