// Consoles over the API: being at one, typing, who may, and what they said.
#include "api/boot_view.hpp"
#include "api/console_targets.hpp"
#include "api/console_view.hpp"
#include "api/test_master.hpp"
#include "base/base64.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class ConsoleApi : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"n1", "n2"}) add(name, R"("console_by":"ipmi")");
    master.add_node("bare");
  }
  void add(const std::string& name, const std::string& attributes) {
    const auto made = master.ask(
        "POST", "/api/v1/nodes",
        fmt::format(
            R"({{"name":"{}","spec":{{"bmc":{{"address":"10.0.0.7"}},"attributes":{{{}}}}}}})",
            name, attributes));
    ASSERT_EQ(made.status, 201) << made.body;
  }
  std::shared_ptr<Recorded> open(const std::string& target, const std::string& role = "operator",
                                 const std::string& name = "alice") {
    auto recorded = master.send({"GET", target, {}, "", {}}, person(role, name));
    turn();
    return recorded;
  }
  void turn() { ASSERT_TRUE(master.world.run_for(std::chrono::milliseconds(5))); }
  static std::vector<ConsoleEvent> events(const Recorded& recorded) {
    std::vector<ConsoleEvent> out;
    std::string_view rest = recorded.body;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      out.push_back(decode_text<ConsoleEvent>(rest.substr(0, end)).value());
      rest.remove_prefix(end + 1);
    }
    return out;
  }
  static std::string session(const Recorded& recorded) { return events(recorded).at(0).session; }
  static std::string seen(const Recorded& recorded) {
    std::string out;
    for (const ConsoleEvent& event : events(recorded)) out += from_base64url(event.data).value();
    return out;
  }
  /// "who+ who" of the last line that says who is there.
  static std::string there(const Recorded& recorded) {
    std::string out;
    for (const ConsoleEvent& event : events(recorded)) {
      if (!event.console) continue;
      out.clear();
      for (const auto& viewer : event.console->viewers) {
        out += (out.empty() ? "" : " ") + viewer.who + (viewer.writes ? "+" : "");
      }
    }
    return out;
  }
  Recorded type(const std::string& session, uint64_t sequence, const std::string& text,
                const std::string& role = "operator", const std::string& name = "alice",
                bool breaks = false, const std::string& node = "n1") {
    return master.ask("POST", "/api/v1/nodes/" + node + "/console/input",
                      fmt::format(R"({{"session":"{}","sequence":{},"data":"{}","break":{}}})",
                                  session, sequence, to_base64url(text), breaks),
                      {}, person(role, name));
  }
  auto& wire(size_t i) { return *master.consoles.wires.at(i); }

  TestMaster master;
};

constexpr const char* kWrite = "/api/v1/nodes/n1/console?mode=write";
constexpr const char* kSpy = "/api/v1/nodes/n1/console";

TEST_F(ConsoleApi, SeveralAreAtOneConsole) {
  const auto alice = open(kWrite);
  ASSERT_EQ(alice->status, 200);
  EXPECT_FALSE(session(*alice).empty());
  wire(0).events.on_open({"ipmi", "10.0.0.7:623"});
  wire(0).events.on_bytes("login: \xff");
  EXPECT_EQ(seen(*alice), "login: \xff");
  const auto bob = open(kSpy, "viewer", "bob");
  EXPECT_EQ(seen(*bob), "login: \xff");
  EXPECT_EQ(there(*alice), "person:alice+ person:bob");
  EXPECT_EQ(master.consoles.wires.size(), 1U);
  EXPECT_EQ(type(session(*alice), 1, "root\r").status, 204);
  EXPECT_EQ(wire(0).typed, "root\r");
  const Recorded list = master.get("/api/v1/consoles");
  EXPECT_NE(list.body.find(R"("node":"n1","state":"open")"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find("person:bob"), std::string::npos);
  bob->gone();
  turn();
  EXPECT_EQ(there(*alice), "person:alice+");
  EXPECT_EQ(master.consoles.met.back(), "n1 -person:bob");
}

TEST_F(ConsoleApi, WhoComesBackGoesOnWhereItWas) {
  const auto first = open(kSpy);
  wire(0).events.on_open({"ipmi", "x"});
  wire(0).events.on_bytes("one");
  const uint64_t end = events(*first).back().end;
  EXPECT_EQ(end, 3U);
  first->gone();
  turn();
  wire(0).events.on_bytes("two");
  EXPECT_EQ(seen(*open(fmt::format("{}?seen={}", kSpy, end))), "two");
}

TEST_F(ConsoleApi, NothingIsTypedTwiceOrInAnothersName) {
  const auto alice = open(kWrite);
  const auto bob = open(kWrite, "operator", "bob");
  EXPECT_EQ(type(session(*alice), 1, "x").status, 409) << "it is not open yet";
  wire(0).events.on_open({"ipmi", "x"});
  EXPECT_EQ(type(session(*alice), 1, "a").status, 204);
  EXPECT_EQ(type(session(*alice), 1, "a").status, 204);
  EXPECT_EQ(wire(0).typed, "a");
  EXPECT_EQ(type(session(*alice), 3, "c").status, 409);
  EXPECT_EQ(type(session(*bob), 2, "b").status, 404) << "that session is not alice's";
  EXPECT_EQ(type("00", 2, "b").status, 404);
  EXPECT_EQ(type(session(*alice), 2, "b", "operator", "alice", false, "n2").status, 404);
  EXPECT_EQ(type(session(*alice), 2, "", "operator", "alice", true).status, 204);
  EXPECT_EQ(wire(0).breaks, 1);
  EXPECT_EQ(wire(0).typed, "a");
  const Recorded bad =
      master.ask("POST", "/api/v1/nodes/n1/console/input",
                 fmt::format(R"({{"session":"{}","sequence":3,"data":"**"}})", session(*alice)), {},
                 person("operator"));
  EXPECT_EQ(bad.status, 400);
  const std::string long_body(40000, 'a');
  EXPECT_EQ(type(session(*alice), 3, long_body).status, 413);
}

TEST_F(ConsoleApi, LookingOnAndTypingAreTwoPermissions) {
  EXPECT_EQ(open(kWrite, "viewer")->status, 403);
  const auto spy = open(kSpy, "viewer");
  ASSERT_EQ(spy->status, 200);
  wire(0).events.on_open({"ipmi", "x"});
  EXPECT_EQ(type(session(*spy), 1, "x", "viewer").status, 403);
  const auto operator_spy = open(kSpy, "operator", "carol");
  EXPECT_EQ(type(session(*operator_spy), 1, "x", "operator", "carol").status, 403);
  EXPECT_EQ(open(kWrite, "user", "dave")->status, 403) << "the node is root's";
  EXPECT_EQ(wire(0).typed, "");
}

TEST_F(ConsoleApi, TheAuditHasRefusalsButNotEveryKey) {
  const auto alice = open(kWrite);
  wire(0).events.on_open({"ipmi", "x"});
  const size_t before = master.audited.size();
  for (uint64_t i = 1; i < 20; ++i) EXPECT_EQ(type(session(*alice), i, "x").status, 204);
  EXPECT_EQ(master.audited.size(), before);
  (void)type(session(*alice), 20, "x", "viewer");
  ASSERT_EQ(master.audited.size(), before + 1);
  EXPECT_EQ(master.audited.back().outcome, "refused");
}

TEST_F(ConsoleApi, NodesWithoutAConsoleAreRefused) {
  EXPECT_EQ(open("/api/v1/nodes/n9/console")->status, 404);
  const auto bare = open("/api/v1/nodes/bare/console");
  EXPECT_EQ(bare->status, 409);
  EXPECT_NE(bare->body.find("it has no BMC"), std::string::npos);
  add("silent", R"("console_by":"off")");
  EXPECT_EQ(open("/api/v1/nodes/silent/console")->status, 409);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open(kSpy)->status, 200);
  EXPECT_EQ(open(kSpy)->status, 429);
}

TEST_F(ConsoleApi, WhoMayNoLongerReadIsShownOut) {
  const auto recorded = open(kSpy, "viewer");
  const auto made =
      master.ask("PUT", "/api/v1/grants",
                 R"({"grants":[{"principal":"person:alice","role":"none","why":"left"}]})",
                 {{"If-Match", "\"0\""}});
  ASSERT_EQ(made.status, 200) << made.body;
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(11)));
  EXPECT_TRUE(recorded->complete);
  EXPECT_FALSE(events(*recorded).back().over.empty());
  EXPECT_EQ(master.consoles.met.back(), "n1 -person:alice");
}

TEST_F(ConsoleApi, ASlowClientIsToldWhatItLost) {
  const auto slow = open(kSpy);
  wire(0).events.on_open({"ipmi", "x"});
  slow->unsent = size_t{1} << 20;
  for (int i = 0; i < 100; ++i) wire(0).events.on_bytes(std::string(1000, 'x'));
  EXPECT_EQ(seen(*slow), "");
  slow->unsent = 0;
  slow->drained();
  turn();
  const ConsoleEvent last = events(*slow).back();
  EXPECT_EQ(last.end, 100'000U);
  EXPECT_EQ(last.lost + from_base64url(last.data)->size(), 100'000U);
}

// --- what they said -----------------------------------------------------------------------------

class ConsoleLogApi : public ConsoleApi {
 protected:
  static WallTime at(int second) { return from_unix_ms(1'767'225'600'000 + second * 1000); }
  void say(const std::string& node, int second, const std::string& bytes, bool note = false) {
    master.consoles.say(node, {at(second), note, bytes});
  }
  static std::string told(const Recorded& recorded) {
    std::string out;
    std::string_view rest = recorded.body;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      const auto event = decode_text<BootLogEvent>(rest.substr(0, end)).value();
      rest.remove_prefix(end + 1);
      if (event.line) {
        out += fmt::format("{} {}: {}|", event.line->node, event.line->source, event.line->text);
      }
      if (event.caught_up) out += "caught-up|";
      if (event.end) out += "end|";
    }
    return out;
  }
};

TEST_F(ConsoleLogApi, PiecesBecomeLines) {
  say("n1", 1, "open by ipmi", true);
  say("n1", 2, "\x1b[32mLinux ver");
  say("n1", 3, "sion 6.1\r\nlogin: ");
  say("n2", 4, "panic\x07!\n");
  EXPECT_EQ(told(*open("/api/v1/consoles/log?nodes=n[1-2]")),
            "n1 note: open by ipmi|n1 console: Linux version 6.1|n1 console: login: |"
            "n2 console: panic\\x07!|caught-up|end|");
  EXPECT_EQ(told(*open("/api/v1/consoles/log?nodes=n[1-2]&grep=panic|open")),
            "n1 note: open by ipmi|n2 console: panic\\x07!|caught-up|end|");
  EXPECT_EQ(told(*open("/api/v1/consoles/log?nodes=n1&lines=1")),
            "n1 console: login: |caught-up|end|");
  EXPECT_EQ(told(*open("/api/v1/consoles/log?nodes=n[1-2]&since=2026-01-01T00:00:04Z")),
            "n2 console: panic\\x07!|caught-up|end|");
  EXPECT_EQ(open("/api/v1/consoles/log?nodes=n1&grep=(")->status, 400);
  EXPECT_EQ(open("/api/v1/consoles/log?nodes=n1&since=yesterday")->status, 400);
  EXPECT_EQ(open("/api/v1/consoles/log?nodes=n7")->status, 404);
}

TEST_F(ConsoleLogApi, AFollowedLogGoesOn) {
  say("n1", 1, "old\nhalf");
  const auto log = open("/api/v1/consoles/log?nodes=n1&follow=true");
  EXPECT_EQ(told(*log), "n1 console: old|caught-up|");
  say("n1", 2, " and half\n");
  say("n2", 2, "of another\n");
  EXPECT_EQ(told(*log), "n1 console: old|caught-up|n1 console: half and half|");
  EXPECT_FALSE(log->complete);
  log->gone();
  turn();
  EXPECT_TRUE(master.consoles.listeners.empty());
}

TEST_F(ConsoleLogApi, ARecordingHasItsTimesAndEveryByte) {
  say("n1", 1, "a\x1b[2J");
  say("n1", 2, "user:alice came", true);
  say("n1", 3, std::string("\0\xff", 2));
  const auto recording = open("/api/v1/nodes/n1/console/recording?since=2026-01-01T00:00:01Z");
  EXPECT_EQ(recording->body,
            R"({"time":"2026-01-01T00:00:01.000Z","data":"YRtbMko","note":"","end":false})"
            "\n"
            R"({"time":"2026-01-01T00:00:02.000Z","data":"","note":"user:alice came","end":false})"
            "\n"
            R"({"time":"2026-01-01T00:00:03.000Z","data":"AP8","note":"","end":false})"
            "\n"
            R"({"time":null,"data":"","note":"","end":true})"
            "\n");
  const auto part = open("/api/v1/nodes/n1/console/recording?until=2026-01-01T00:00:01Z");
  EXPECT_EQ(part->body.find("AP8"), std::string::npos);
  EXPECT_EQ(open("/api/v1/nodes/n7/console/recording")->status, 404);
}

// --- where consoles are -------------------------------------------------------------------------

class ConsoleTargets : public ConsoleApi {
 protected:
  /// "KIND PLACE", or the error's code.
  std::string of(const std::string& node) {
    const auto target = console_target(master.model, node);
    if (!target) return std::string(info(target.error().code).name);
    switch (target->kind) {
      case ConsoleKind::ipmi:
        return "ipmi " + target->bmc.at.text();
      case ConsoleKind::ssh:
        return "ssh " + target->bmc.at.text() + " " + target->command;
      case ConsoleKind::socket:
        return "socket " + target->socket;
    }
    return "";
  }
};

TEST_F(ConsoleTargets, AreSaidByAttributes) {
  EXPECT_EQ(of("n1"), "ipmi 10.0.0.7:623");
  add("s1", R"("console_by":"ssh","console_command":"console com2")");
  EXPECT_EQ(of("s1"), "ssh 10.0.0.7:22 console com2");
  add("s2", R"("console_by":"ssh","console_port":"2200")");
  EXPECT_EQ(of("s2"), "ssh 10.0.0.7:2200 ");
  add("a1", R"("bmc_port":"8443")");
  EXPECT_EQ(of("a1"), "ipmi 10.0.0.7:623") << "that port is Redfish's";
  add("r1", R"("console_by":"redfish")");
  EXPECT_EQ(of("r1"), "conflict") << "nobody has looked what it offers";
  EXPECT_EQ(of("bare"), "conflict");
  EXPECT_EQ(of("n9"), "not-found");
  EXPECT_EQ(held_consoles(master.model), (std::set<std::string>{"n1", "n2", "r1", "s1", "s2"}));
}

TEST_F(ConsoleTargets, SocketsOnlyWhereAnAdministratorAllowsThem) {
  add("q1", R"("console_by":"socket")");
  EXPECT_EQ(of("q1"), "conflict");
  add("q2", R"("console_by":"socket","console_socket":"/run/lab/q2.serial")");
  EXPECT_EQ(of("q2"), "denied");
  const auto set = master.ask("PUT", "/api/v1/settings/console.sockets", R"({"value":"/run/lab"})");
  ASSERT_LT(set.status, 300) << set.body;
  EXPECT_EQ(of("q2"), "socket /run/lab/q2.serial");
  EXPECT_EQ(master.ask("PUT", "/api/v1/settings/console.sockets", R"({"value":"lab"})").status,
            400);
  EXPECT_EQ(master.ask("PUT", "/api/v1/settings/console.sockets", R"({"value":"/run/.."})").status,
            400);
  EXPECT_EQ(master
                .ask("PUT", "/api/v1/settings/console.sockets", R"({"value":"/"})", {},
                     person("operator"))
                .status,
            403);
}

TEST(ConsoleSockets, AreBelowTheirFolders) {
  const std::vector<std::string> folders{"/run/lab", "/srv/"};
  for (const char* good : {"/run/lab/a", "/run/lab/b/c", "/srv/x"}) {
    EXPECT_TRUE(is_below(good, folders)) << good;
  }
  for (const char* bad :
       {"", "/", "run/lab/a", "/run/lab", "/run/lab/", "/run/laboratory/a",
        "/run/lab/../drover/master.sock", "/run/lab/./a", "/run/lab//a", "/srv"}) {
    EXPECT_FALSE(is_below(bad, folders)) << bad;
  }
  EXPECT_FALSE(is_below("/a", {}));
  EXPECT_FALSE(is_below("/a", {"/"}));
}

}  // namespace
}  // namespace drover::api
