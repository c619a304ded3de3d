// --watch: what is drawn, what is told as JSON lines, and how long it goes on.
#include "cli/live.hpp"

#include "base/json_values.hpp"
#include "cli/test_daemon.hpp"

#include <atomic>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::json_response;
using testing::Ran;
using testing::TestDaemon;

json::array items(std::string_view text) {
  return parse_json(text).value().get_array();
}

TEST(Live, DifferencesAreToldOnce) {
  ListDifference difference;
  const ListView view;
  EXPECT_EQ(difference.next(items(R"([{"name":"n1","a":1},{"name":"n2"}])"), view),
            "{\"event\":\"added\",\"item\":{\"name\":\"n1\",\"a\":1}}\n"
            "{\"event\":\"added\",\"item\":{\"name\":\"n2\"}}\n");
  EXPECT_EQ(difference.next(items(R"([{"name":"n1","a":1},{"name":"n2"}])"), view), "");
  EXPECT_EQ(difference.next(items(R"([{"name":"n1","a":2}])"), view),
            "{\"event\":\"changed\",\"item\":{\"name\":\"n1\",\"a\":2}}\n"
            "{\"event\":\"removed\",\"item\":{\"name\":\"n2\"}}\n");
  EXPECT_EQ(difference.next(items(R"([{"name":"n1","a":2,"agent":{"last_seen":"x"}}])"), view),
            "{\"event\":\"changed\",\"item\":{\"name\":\"n1\",\"a\":2,\"agent\":{\"last_seen\":"
            "\"x\"}}}\n");
  EXPECT_EQ(difference.next(items(R"([{"name":"n1","a":2,"agent":{"last_seen":"y"}}])"), view), "");
}

TEST(Live, PartsOfOneNodeAreToldApart) {
  ListDifference difference;
  const ListView view{{}, "", "node"};
  difference.next(items(R"([{"node":"n1","slot":1},{"node":"n1","slot":2}])"), view);
  EXPECT_EQ(difference.next(items(R"([{"node":"n1","slot":1},{"node":"n1","slot":3}])"), view),
            "{\"event\":\"changed\",\"item\":{\"node\":\"n1\",\"slot\":3}}\n");
}

TEST(Live, DrawingsFitTheScreen) {
  EXPECT_EQ(redraw("t", "a\nb\n", 24),
            "\x1b[H\x1b[2mt\x1b[0m\x1b[K\n\x1b[K\na\x1b[K\nb\x1b[K\n\x1b[J");
  const std::string cut = redraw("t", "1\n2\n3\n4\n5\n", 6);
  EXPECT_NE(cut.find("2\x1b[K\n\x1b[2m.. 3 more lines"), std::string::npos) << cut;
  EXPECT_EQ(std::count(cut.begin(), cut.end(), '\n'), 5);
}

/// n1 is lost after the first answer; the stream tells it.
TestDaemon::Handler losing(std::atomic<int>& asked) {
  return [&asked](const net::HttpRequest& request, const auto& exchange) {
    if (request.target == "/api/v1/version") return exchange->respond(json_response("{}"));
    if (request.target.starts_with("/api/v1/nodes")) {
      const bool lost = ++asked > 1;
      return exchange->respond(json_response(
          fmt::format(R"({{"items":[{{"name":"n1","phase":{{"state":"{}","confirmed":true}}}}]}})",
                      lost ? "lost" : "node_up")));
    }
    exchange->begin(200, {{"Content-Type", "text/event-stream"}});
    exchange->write("id: 7\nevent: change\ndata: {}\n\n");
    exchange->end();
  };
}

TEST(Live, ListsFollowTheChanges) {
  std::atomic<int> asked = 0;
  TestDaemon daemon(losing(asked));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  drover.most_refreshes = 2;
  const Ran lines = drover({"node", "list", "--watch"});
  EXPECT_EQ(lines.code, 0) << lines.err;
  EXPECT_EQ(lines.out,
            "{\"event\":\"added\",\"item\":{\"name\":\"n1\",\"phase\":{\"state\":\"node_up\","
            "\"confirmed\":true}}}\n"
            "{\"event\":\"changed\",\"item\":{\"name\":\"n1\",\"phase\":{\"state\":\"lost\","
            "\"confirmed\":true}}}\n");
  asked = 0;
  EXPECT_EQ(drover({"node", "list", "-w", "-o", "csv", "--columns", "phase"}).out,
            "phase\nnode_up\nphase\nlost\n");
  asked = 0;
  drover.terminal = true;
  drover.height = 24;
  const Ran screen = drover({"node", "list", "--watch", "--columns", "node,phase", "--no-color"});
  EXPECT_TRUE(screen.out.starts_with("\x1b[2J\x1b[H\x1b[2mdrover node list   ")) << screen.out;
  EXPECT_NE(screen.out.find("node_up\x1b[K\n\x1b[J\x1b[H"), std::string::npos) << screen.out;
  EXPECT_TRUE(screen.out.ends_with("lost\x1b[K\n\x1b[J")) << screen.out;
}

TEST(Live, OnlyWhatShowsSomething) {
  const CommandLine drover;
  const Ran ran = drover({"node", "set", "n1", "enabled=true", "--watch"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err,
            "drover: --watch is for commands that show something, not for node set\n"
            "next: drover watch   follows every change\n");
}

TEST(Live, AnUnreachableDaemonIsSaidAtOnce) {
  CommandLine drover;
  drover.sockets = {"/nonexistent.sock"};
  EXPECT_EQ(drover({"node", "list", "--watch"}).code, 3);
}

}  // namespace
}  // namespace drover::cli
