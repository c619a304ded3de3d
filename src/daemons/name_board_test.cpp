// The file of names follows the model: once for a storm of changes, not at all for states, again
// when the disk has failed.
#include "daemons/name_board.hpp"

#include "nss/name_file.hpp"
#include "sim/world.hpp"

#include <cstdlib>
#include <fstream>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Lines final : public LogSink {
 public:
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

class NameBoardTest : public ::testing::Test {
 protected:
  NameBoardTest() {
    char name[] = "/tmp/drover-board-XXXXXX";
    path = std::string(::mkdtemp(name)) + "/names";
  }
  ~NameBoardTest() override {
    ::unlink(path.c_str());
    ::rmdir(path.substr(0, path.rfind('/')).c_str());
  }
  void put(std::string_view kind, const std::string& key, std::optional<std::string> body) {
    store::Change change;
    change.sequence = ++sequence;
    change.kind = kind;
    change.key = key;
    change.operation = body ? store::Operation::put : store::Operation::erase;
    change.after = std::move(body);
    const std::vector<store::Change> changes{std::move(change)};
    ASSERT_TRUE(model.apply(changes));
    board.follow(changes);
  }
  static std::string node(const std::string& name, int last,
                          cluster::PhaseState state = cluster::PhaseState::off) {
    cluster::Node out;
    out.name = name;
    out.spec.aliases = {fmt::format("login-{}", last)};
    out.spec.interfaces.resize(2);
    out.spec.interfaces[0].name = "eth0";
    out.spec.interfaces[0].addresses = {fmt::format("10.77.0.{}/24", last)};
    out.spec.interfaces[1].name = "ib0";
    out.spec.interfaces[1].addresses = {fmt::format("fd77::{}", last)};
    out.phase.state = state;
    return encode(out);
  }
  nss::Found find(const std::string& name, nss::Host& host) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << (files.empty() ? "" : files.back());
    return nss::NameFile(path.c_str()).find(name, host);
  }

  sim::World world{1};
  sim::SimProcess process{world, {.name = "m1", .host = "h1", .disk = nullptr}};
  Lines sink;
  std::string path;
  std::vector<std::string> files;
  bool disk_is_full = false;
  uint64_t sequence = 0;
  cluster::Model model;
  NameBoard board{process.executor(), Log(sink, "master"), "cluster.internal",
                  [this](const std::string& bytes) -> Status {
                    if (disk_is_full) return fail(Code::exhausted, "no space");
                    files.push_back(bytes);
                    return {};
                  }};
};

TEST_F(NameBoardTest, EveryPortHasItsNameAndAStormIsOneFile) {
  board.use(model);
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_EQ(files.size(), 1U) << "a cluster without nodes has a file too";
  for (int i = 1; i <= 50; ++i) put("node", fmt::format("n{}", i), node(fmt::format("n{}", i), i));
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_EQ(files.size(), 2U);
  nss::Host host;
  for (const char* name : {"n7", "n7.cluster.internal", "login-7"}) {
    ASSERT_EQ(find(name, host), nss::Found::yes) << name;
    EXPECT_EQ(host.canonical(), "n7.cluster.internal");
    EXPECT_EQ(host.address4(0).back(), 7);
    EXPECT_EQ(host.addresses6(), 0U);
  }
  ASSERT_EQ(find("n7-ib0", host), nss::Found::yes);
  EXPECT_EQ(host.addresses6(), 1U);
}

TEST_F(NameBoardTest, StatesWriteNothingAndRemovedNodesAreGone) {
  board.use(model);
  put("node", "n1", node("n1", 1));
  put("node", "n2", node("n2", 2));
  ASSERT_TRUE(world.run_for(seconds(1)));
  const size_t before = files.size();
  put("node", "n1", node("n1", 1, cluster::PhaseState::up));
  put("node", "n2", node("n2", 2, cluster::PhaseState::up));
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(files.size(), before);
  put("node", "n1", std::nullopt);
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(files.size(), before + 1);
  nss::Host host;
  EXPECT_EQ(find("n1", host), nss::Found::no);
  EXPECT_EQ(find("n2", host), nss::Found::yes);
}

TEST_F(NameBoardTest, ANetworkGivesItsDomain) {
  board.use(model);
  put("node", "n1", node("n1", 1));
  cluster::Network network;
  network.name = "boot";
  network.prefix = "10.77.0.0/24";
  network.domain = "hpc.example";
  put("network", "boot", encode(network));
  ASSERT_TRUE(world.run_for(seconds(1)));
  nss::Host host;
  EXPECT_EQ(find("n1.hpc.example", host), nss::Found::yes);
  EXPECT_EQ(find("n1.cluster.internal", host), nss::Found::no);
  EXPECT_EQ(find("n1-ib0.cluster.internal", host), nss::Found::yes) << "on no network";
}

TEST_F(NameBoardTest, AFullDiskIsToldOnceAndTriedAgain) {
  disk_is_full = true;
  board.use(model);
  put("node", "n1", node("n1", 1));
  ASSERT_TRUE(world.run_for(seconds(100)));
  EXPECT_TRUE(files.empty());
  ASSERT_EQ(sink.lines.size(), 1U);
  disk_is_full = false;
  ASSERT_TRUE(world.run_for(seconds(40)));
  EXPECT_EQ(files.size(), 1U);
  nss::Host host;
  EXPECT_EQ(find("n1", host), nss::Found::yes);
}

}  // namespace
}  // namespace drover::daemons
