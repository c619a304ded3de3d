// A master's consoles in the simulator: which it holds, what it keeps and whom it tells.
#include "daemons/console_desk.hpp"

#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A machine whose serial line is behind a Unix socket of the master's host.
class Machine final : private net::StreamHandler {
 public:
  Machine(net::Net& net, const std::string& path)
      : listener_(net.listen(net::Endpoint{{}, 0, path}, {},
                             [this](auto stream) {
                               ASSERT_TRUE(stream);
                               line = std::move(*stream);
                               ++connections;
                               line->set_handler(this);
                             })
                      .value()) {}
  std::unique_ptr<net::Stream> line;
  int connections = 0;
  std::string typed;

 private:
  void on_data(std::string_view bytes) override { typed += bytes; }
  void on_closed(const Error&) override { line.reset(); }
  std::unique_ptr<net::Listener> listener_;
};

class Nobody final : public hardware::ConsoleSink {
 public:
  [[nodiscard]] bool full() const override { return false; }
  void on_bytes(uint64_t, std::string_view bytes) override { seen += bytes; }
  void on_lost(uint64_t) override {}
  void on_status(const hardware::ConsoleStatus& status) override { why = status.why; }
  void on_viewers(const std::vector<hardware::ConsoleViewer>&) override {}
  void on_end(const Error&) override {}
  std::string seen;
  std::string why;
};

class ConsoleDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    set("setting", "console.sockets", R"({"value":"/run/c"})");
    ASSERT_TRUE(desk_.start());
  }
  void set(std::string_view kind, const std::string& key, std::optional<std::string> body) {
    store::Change change;
    change.sequence = ++sequence_;
    change.kind = kind;
    change.key = key;
    change.operation = body ? store::Operation::put : store::Operation::erase;
    change.after = std::move(body);
    const std::vector<store::Change> changes{std::move(change)};
    ASSERT_TRUE(model_.apply(changes));
    desk_.follow(changes);
  }
  static std::string node(const std::string& by, const std::string& socket,
                          cluster::PowerState power = cluster::PowerState::unknown) {
    cluster::Node out;
    out.name = "n1";
    out.power.state = power;
    if (!by.empty()) out.spec.attributes["console_by"] = by;
    if (!socket.empty()) out.spec.attributes["console_socket"] = socket;
    return encode(out);
  }
  void pass(Duration time) { ASSERT_TRUE(world_.run_for(time)); }
  std::string log() {
    std::string out;
    bool done = false;
    desk_.read("n1", {}, [&](const Result<std::vector<api::ConsolePiece>>& pieces) {
      for (const auto& piece : *pieces) out += (piece.note ? "# " : "> ") + piece.bytes + "|";
      done = true;
    });
    EXPECT_TRUE(world_.run_until([&] { return done; }, seconds(5)));
    return out;
  }

  sim::World world_{11};
  sim::Fabric fabric_{world_};
  sim::SimDisk disk_;
  sim::SimProcess process_{world_, {.name = "master", .host = "h1", .disk = &disk_}};
  sim::SimNet net_{fabric_, process_};
  sim::SimProcess other_{world_, {.name = "machine", .host = "h1", .disk = &disk_}};
  sim::SimNet other_net_{fabric_, other_};
  std::unique_ptr<store::Store> store_ =
      store::open_sqlite(process_.executor(), disk_, process_.log(), "/db", {}).value();
  cluster::Model model_;
  uint64_t sequence_ = 0;
  hardware::BmcGround bmcs_{process_.executor(), net_, process_.random(), 4};
  std::vector<auth::AuditRecord> audited_;
  ConsoleDesk desk_{
      {{process_.executor(), net_, disk_, process_.random(), process_.log_sink()},
       {process_.executor(), process_.log(), *store_, model_, nullptr, bmcs_, nullptr},
       nullptr,
       "/state/consoles",
       "master/m1",
       [this](const auth::AuditRecord& record) { audited_.push_back(record); }}};
};

TEST_F(ConsoleDeskTest, WhatANodeSaysIsKeptAndHeldAsItsAttributesSay) {
  Machine machine(other_net_, "/run/c/n1");
  Machine elsewhere(other_net_, "/run/c/other");
  model_.on_node([this](const auto& event) { desk_.node_changed(event); });
  set("node", "n1", node("", ""));
  pass(seconds(3));
  EXPECT_EQ(machine.connections, 0);
  set("node", "n1", node("socket", "/run/c/n1"));
  pass(seconds(3));
  ASSERT_EQ(machine.connections, 1) << "held, though nobody is at it";
  machine.line->write("boot\r\nlogin: ");
  pass(seconds(1));
  EXPECT_EQ(log(), "# open by socket to /run/c/n1|> boot\r\n|> login: |");
  EXPECT_NE(disk_.read_all("/state/consoles/n1.log").value_or("").find("console: boot\\r\\n\n"),
            std::string::npos);
  set("node", "n1", node("socket", "/run/c/other"));
  pass(seconds(3));
  EXPECT_EQ(machine.line, nullptr);
  EXPECT_EQ(elsewhere.connections, 1);
  set("node", "n1", node("off", "/run/c/other"));
  pass(seconds(60));
  EXPECT_EQ(elsewhere.line, nullptr);
  set("node", "n1", std::nullopt);
  EXPECT_TRUE(desk_.hub().nodes().empty());
}

TEST_F(ConsoleDeskTest, AMachineThatIsSwitchedOnIsTriedAtOnce) {
  model_.on_node([this](const auto& event) { desk_.node_changed(event); });
  set("node", "n1", node("socket", "/run/c/n1", cluster::PowerState::off));
  pass(std::chrono::minutes(10));
  Machine machine(other_net_, "/run/c/n1");
  set("node", "n1", node("socket", "/run/c/n1", cluster::PowerState::on));
  pass(milliseconds(1500));
  EXPECT_EQ(machine.connections, 1);
}

TEST_F(ConsoleDeskTest, ComingAndGoingAreNotedAndAudited) {
  Machine machine(other_net_, "/run/c/n1");
  set("node", "n1", node("socket", "/run/c/n1"));
  Nobody sink;
  const auto id =
      desk_.hub().attach("n1", {{"person:alice", "utility/u1 10.0.0.9:1", true, {}}, {}}, sink);
  ASSERT_TRUE(id);
  pass(seconds(3));
  machine.line->write("half");
  pass(milliseconds(10));
  desk_.hub().detach(*id);
  EXPECT_EQ(log(),
            "# person:alice came, writing|# open by socket to /run/c/n1|> half|"
            "# person:alice left|");
  ASSERT_EQ(audited_.size(), 2U);
  EXPECT_EQ(audited_[0].principal, "person:alice");
  EXPECT_EQ(audited_[0].daemon, "utility/u1");
  EXPECT_EQ(audited_[0].address, "10.0.0.9:1");
  EXPECT_EQ(audited_[0].target, "/api/v1/nodes/n1/console?mode=write");
  EXPECT_EQ(audited_[1].why, "left");
}

TEST_F(ConsoleDeskTest, WhyItCannotBeOpenedIsSaid) {
  set("node", "n1", node("socket", "/run/elsewhere"));
  Nobody sink;
  ASSERT_TRUE(desk_.hub().attach("n1", {{"a", "", false, {}}, {}}, sink));
  pass(seconds(3));
  EXPECT_NE(sink.why.find("console.sockets"), std::string::npos) << sink.why;
  set("node", "n1", node("ipmi", ""));
  desk_.hub().redial("n1");
  pass(seconds(3));
  EXPECT_NE(sink.why.find("it has no BMC"), std::string::npos) << sink.why;
}

TEST_F(ConsoleDeskTest, ListenersHearWhatIsKept) {
  Machine machine(other_net_, "/run/c/n1");
  set("node", "n1", node("socket", "/run/c/n1"));
  desk_.hub().hold({"n1"});
  pass(seconds(1));
  std::string heard;
  const uint64_t id = desk_.listen([&](const std::string& of, const api::ConsolePiece& piece) {
    heard += of + ":" + piece.bytes;
  });
  machine.line->write("\x1b[1m\\x\n");
  pass(milliseconds(300));
  EXPECT_EQ(heard, "n1:\x1b[1m\\x\n") << "as it came";
  desk_.unlisten(id);
  machine.line->write("more\n");
  pass(milliseconds(300));
  EXPECT_EQ(heard, "n1:\x1b[1m\\x\n");
}

}  // namespace
}  // namespace drover::daemons
