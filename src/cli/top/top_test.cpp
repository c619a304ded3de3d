// drover top without a terminal: keys from bytes, screens from state, codes from screens.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/top/board.hpp"
#include "cli/top/reading.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::cli::top {
namespace {

using Kind = Key::Kind;

std::string texts(const std::vector<Key>& keys) {
  std::string out;
  for (const Key& key : keys) {
    out += key.kind == Kind::text ? key.text : fmt::format("<{}>", static_cast<int>(key.kind));
  }
  return out;
}
std::string kind(Kind kind) {
  return fmt::format("<{}>", static_cast<int>(kind));
}

TEST(TopKeys, CutsSequencesWherever) {
  KeyReader reader;
  EXPECT_EQ(texts(reader.feed("aj\x1b[A\x1bOB\x1b[5~")),
            "aj" + kind(Kind::up) + kind(Kind::down) + kind(Kind::page_up));
  EXPECT_EQ(texts(reader.feed("\x1b[")), "");
  EXPECT_TRUE(reader.waits());
  EXPECT_EQ(texts(reader.feed("H\r\x7f")),
            kind(Kind::home) + kind(Kind::enter) + kind(Kind::erase));
  EXPECT_EQ(texts(reader.feed("\xc3")), "");
  EXPECT_EQ(texts(reader.feed("\xa9")), "\xc3\xa9");
  EXPECT_FALSE(reader.waits());
}

TEST(TopKeys, AnEscapeAloneIsAKey) {
  KeyReader reader;
  EXPECT_EQ(texts(reader.feed("\x1b")), "");
  EXPECT_EQ(texts(reader.pause()), kind(Kind::escape));
  EXPECT_EQ(texts(reader.feed("\x1bq")), kind(Kind::escape) + "q");
  EXPECT_EQ(texts(reader.pause()), "");
}

TEST(TopKeys, DropsWhatItDoesNotKnow) {
  KeyReader reader;
  EXPECT_EQ(texts(reader.feed("\x1b[15~\x1b[1;5A\x01\x80x")), "x");
  EXPECT_EQ(texts(reader.feed("\x1b[" + std::string(40, ';'))), "");
}

TopData cluster(size_t nodes) {
  TopData out{"demo", "degraded", "master m1", {}, {}, {}};
  for (size_t i = 1; i <= nodes; ++i) {
    TopNode node{
        fmt::format("n{}", i), "compute", "node_up", "in_service", "a1", "", "", 8, {}, {}, {}, {}};
    node.since = "2026-01-01T00:00:00.000Z";
    node.load = static_cast<double>(i);
    node.cpu = 50;
    node.memory_used = 1024.0 * 1024 * 1024;
    node.memory_total = 4096.0 * 1024 * 1024;
    out.nodes.push_back(std::move(node));
  }
  if (nodes > 1) {
    out.nodes[1].phase = "lost";
    out.nodes[1].why = "silent for 3 s";
  }
  out.daemons = {{"m1", "master", "up", "0.1.0", "0", ""},
                 {"a2", "aggregator", "lost", "", "1", "connection closed"}};
  out.problems = {{"error", "a2: lost (connection closed)", "systemctl status drover-aggregator"}};
  return out;
}

WallTime noon() {
  return from_rfc3339("2026-01-01T12:00:00Z").value();
}

std::vector<std::string> screen(Board& board, size_t width = 80, size_t height = 24) {
  const Frame frame = board.frame(width, height, noon());
  std::vector<std::string> out;
  for (const Row& row : frame.rows) {
    out.push_back((row.marked ? "*" : "") + plain_text(row, width));
    EXPECT_LE(display_width(plain_text(row, width)), width);
  }
  EXPECT_EQ(out.size(), height);
  return out;
}

void press(Board& board, std::string_view text) {
  for (const char c : text) EXPECT_TRUE(board.on_key({Kind::text, std::string(1, c)}));
}

TEST(TopBoard, AScreenOf80By24) {
  Board board;
  board.take(cluster(30));
  board.take_change("12:00:00 #7 node/n2 phase.state: node_up -> lost");
  const auto rows = screen(board);
  EXPECT_EQ(rows[0],
            "* drover top   cluster demo   degraded                  master m1   12:00:00 UTC");
  EXPECT_EQ(rows[1], "nodes 30  29 node_up  1 lost");
  EXPECT_EQ(rows[2], "service  30 in_service");
  EXPECT_EQ(rows[3],
            "load  [||||||||||] 465.0 on 240 cpus   memory  [|||       ] 30 GiB of 120 GiB");
  EXPECT_EQ(rows[4], "error: a2: lost (connection closed)");
  EXPECT_EQ(rows[5], "NODE  PHASE     SERVICE         LOAD  CPU%  MEM% SINCE  WHY");
  EXPECT_EQ(rows[6], "*n1    node_up   in_service       1.0    50    25   12h");
  EXPECT_EQ(rows[7], "n2    lost      in_service       2.0    50    25   12h  silent for 3 s");
  EXPECT_EQ(rows[17], "CHANGES");
  EXPECT_EQ(rows[18], "12:00:00 #7 node/n2 phase.state: node_up -> lost");
  EXPECT_NE(rows[23].find("sort name"), std::string::npos) << rows[23];
}

TEST(TopBoard, FitsEverySize) {
  for (const size_t width : {1U, 40U, 60U, 80U, 200U}) {
    for (const size_t height : {1U, 10U, 17U, 18U, 24U, 60U}) {
      for (const std::string_view keys : {"", "d", "c", "?", "/n1"}) {
        Board board;
        board.take(cluster(100));
        press(board, keys);
        const Frame frame = board.frame(width, height, noon());
        EXPECT_EQ(frame.rows.size(), std::max<size_t>(height, 10))
            << width << 'x' << height << keys;
      }
    }
  }
  Board empty;
  EXPECT_EQ(screen(empty)[6], "no nodes");
}

TEST(TopBoard, TheSelectionScrollsAndStaysWithItsNode) {
  Board board;
  board.take(cluster(100));
  screen(board);
  board.on_key({Kind::end, {}});
  auto rows = screen(board);
  EXPECT_EQ(rows[16].substr(0, 5), "*n100");
  board.on_key({Kind::page_up, {}});
  rows = screen(board);
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const auto& row) { return row.starts_with("*n89 "); }));
  TopData fewer = cluster(100);
  fewer.nodes.erase(fewer.nodes.begin(), fewer.nodes.begin() + 50);
  board.take(std::move(fewer));
  rows = screen(board);
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const auto& row) { return row.starts_with("*n89 "); }));
  board.on_key({Kind::home, {}});
  board.on_key({Kind::up, {}});
  EXPECT_EQ(screen(board)[6].substr(0, 4), "*n51");
}

TEST(TopBoard, FiltersByWords) {
  Board board;
  board.take(cluster(30));
  press(board, "/lost");
  auto rows = screen(board);
  EXPECT_EQ(rows[1], "nodes 1  1 lost");
  EXPECT_EQ(rows[23], "/lost_");
  board.on_key({Kind::enter, {}});
  EXPECT_NE(screen(board)[23].find("/lost  sort name"), std::string::npos);
  press(board, "/ n99q");
  EXPECT_EQ(screen(board)[6], "no node passes the filter");
  board.on_key({Kind::escape, {}});
  EXPECT_EQ(screen(board)[1], "nodes 1  1 lost");
  board.on_key({Kind::escape, {}});
  EXPECT_EQ(screen(board)[1].substr(0, 8), "nodes 30");
}

TEST(TopBoard, SortsAndReverses) {
  Board board;
  board.take(cluster(30));
  press(board, "s");
  EXPECT_EQ(screen(board)[6].substr(0, 3), "n2 ") << "lost before node_up";
  press(board, "s");
  board.on_key({Kind::home, {}});
  EXPECT_EQ(screen(board)[6].substr(0, 5), "*n30 ");
  press(board, "r");
  board.on_key({Kind::home, {}});
  EXPECT_EQ(screen(board)[6].substr(0, 4), "*n1 ");
  EXPECT_NE(screen(board)[23].find("sort load reversed"), std::string::npos);
}

TEST(TopBoard, DetailsHelpDaemonsAndLeaving) {
  Board board;
  board.take(cluster(3));
  screen(board);
  board.on_key({Kind::down, {}});
  board.on_key({Kind::enter, {}});
  EXPECT_EQ(board.wanted_node(), "n2");
  EXPECT_EQ(screen(board)[5], "reading n2 ..");
  board.take_details({{"name", "n2"}, {"phase.state", "lost"}});
  EXPECT_EQ(screen(board)[6], "phase.state                  lost");
  board.on_key({Kind::escape, {}});
  EXPECT_EQ(board.wanted_node(), std::nullopt);
  EXPECT_EQ(screen(board)[7].substr(0, 4), "*n2 ") << "the choice is kept";
  press(board, "d");
  auto rows = screen(board);
  EXPECT_EQ(rows[7],
            "a2              aggregator  lost                        1  connection closed");
  EXPECT_EQ(rows[10], "        next: systemctl status drover-aggregator");
  press(board, "q");
  press(board, "?");
  EXPECT_EQ(screen(board)[5].substr(0, 14), "up, down, j, k");
  press(board, "?");
  EXPECT_EQ(board.view(), Board::View::nodes);
  EXPECT_FALSE(board.on_key({Kind::text, "q"}));
}

TEST(TopBoard, ProblemsAreCutWhereTheyMustBe) {
  Board board;
  TopData data = cluster(1);
  data.problems.push_back(data.problems.front());
  data.problems.front().text = std::string(100, 'x');
  board.take(std::move(data));
  EXPECT_EQ(screen(board)[4], "error: " + std::string(55, 'x') + ".. (and 1 more: d)");
}

TEST(TopBoard, OldDataIsSaid) {
  Board board;
  board.take(cluster(1));
  board.take_trouble("what is shown is old: no answer in time");
  EXPECT_EQ(screen(board)[4], "what is shown is old: no answer in time");
}

TEST(TopFrame, OnlyWhatDiffersIsSent) {
  Frame before{10, {{{{"same", Tone::plain}}}, {{{"old", Tone::good}}}}};
  Frame now{10, {{{{"same", Tone::plain}}}, {{{"new", Tone::good}}}}};
  EXPECT_EQ(draw(now, before, false), "\x1b[2;1Hnew\x1b[K");
  EXPECT_EQ(draw(now, now, true), "");
  EXPECT_EQ(draw(now, {}, true), "\x1b[2J\x1b[1;1Hsame\x1b[K\x1b[2;1H\x1b[32mnew\x1b[0m\x1b[K");
  now.rows[0].marked = true;
  EXPECT_EQ(draw(now, now, false), "");
  EXPECT_NE(draw(now, before, false).find("\x1b[7msame      \x1b[0m"), std::string::npos);
}

TEST(TopFrame, FitsByColumns) {
  EXPECT_EQ(fit("abc", 5), "abc  ");
  EXPECT_EQ(fit("abc", 5, true), "  abc");
  EXPECT_EQ(fit("abcdef", 5), "abc..");
  EXPECT_EQ(fit("\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", 5), "\xe4\xb8\xad ..");
  EXPECT_EQ(fit("abc", 1), "a");
}

TEST(TopReading, AnswersBecomeRows) {
  const auto parse = [](std::string_view text) { return parse_json(text).value(); };
  const TopData data = read_answers(
      parse(R"({"cluster":"c","status":"ok","answered_by":{"role":"master","name":"m1"},
                "daemons":[{"name":"m1","role":"master","state":"up","restarts":2}],
                "problems":[{"severity":"warning","subject":"n1","what":"odd","why":"x","next":"y"}]})"),
      parse(
          R"([{"name":"n1","phase":{"state":"node_up","why":"w","confirmed":false},"summary":{"cpus":4}},
                {"name":"n2\u001b[2J","phase":{"state":"node_up","why":"w","confirmed":true}}])")
          .get_array(),
      parse(
          R"([{"node":"n1","stale":false,"metrics":{"load_1m":1.5,"cpu_idle_percent":80,"cpu_iowait_percent":5}},
                {"node":"n2","stale":true,"metrics":{"load_1m":9}}])")
          .get_array());
  ASSERT_EQ(data.nodes.size(), 2U);
  EXPECT_EQ(data.nodes[0].phase, "node_up?");
  EXPECT_EQ(data.nodes[0].why, "w");
  EXPECT_EQ(data.nodes[0].cpu, 15);
  EXPECT_EQ(data.nodes[1].name, "n2\\x1b[2J") << "a name cannot steer the terminal";
  EXPECT_EQ(data.nodes[1].why, "");
  EXPECT_EQ(data.nodes[1].load, std::nullopt);
  EXPECT_EQ(data.problems[0].text, "n1: odd (x)");
  EXPECT_EQ(data.daemons[0].restarts, "2");
  EXPECT_EQ(details_of(parse(R"({"a":{"b":[1,"x"]},"c":null,"d":[]})")),
            (std::vector<std::pair<std::string, std::string>>{
                {"a.b.0", "1"}, {"a.b.1", "x"}, {"c", ""}, {"d", ""}}));
}

}  // namespace
}  // namespace drover::cli::top
