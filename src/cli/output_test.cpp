#include "cli/output.hpp"

#include "base/json_values.hpp"
#include "cli/changes.hpp"
#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

json::array items(std::string_view text) {
  return parse_json(text).value().get_array();
}

const ListView kView{{{"NODE", "name"},
                      {"PHASE", "phase.state", Show::state},
                      {"SINCE", "phase.since", Show::age, true},
                      {"MEMORY", "memory", Show::mebibytes, true},
                      {"WHY", "phase.why", Show::text, false, true}},
                     "name"};

json::array nodes() {
  return items(R"([
    {"name":"n1","phase":{"state":"node_up","since":"2026-01-01T00:00:00.000Z","why":"beat"},"memory":512},
    {"name":"n2","phase":{"state":"node_up","since":"2026-01-01T00:01:00.000Z","why":"beat"},"memory":65536},
    {"name":"n3","phase":{"state":"lost","since":"2026-01-01T00:02:00.000Z","why":"silent, \"3\" s"}}])");
}

OutputOptions options(Format format) {
  OutputOptions out;
  out.format = format;
  out.now = from_rfc3339("2026-01-01T01:00:00Z").value();
  return out;
}

std::string rendered(Format format) {
  return render_list(nodes(), kView, options(format)).value();
}

TEST(Output, TableFoldsRowsThatLookAlike) {
  EXPECT_EQ(rendered(Format::table),
            "NODE    COUNT  PHASE    WHY\n"
            "n[1-2]      2  node_up  beat\n"
            "n3          1  lost     silent, \"3\" s\n");
}

TEST(Output, WideHasARowForEach) {
  EXPECT_EQ(rendered(Format::wide),
            "NODE  PHASE    SINCE   MEMORY  WHY\n"
            "n1    node_up  60m    512 MiB  beat\n"
            "n2    node_up  59m     64 GiB  beat\n"
            "n3    lost     58m             silent, \"3\" s\n");
}

TEST(Output, JsonOfAListIsOneDocument) {
  const json::object document{{"items", nodes()}};
  EXPECT_EQ(rendered(Format::json), to_pretty_text(document));
  EXPECT_EQ(render_list({}, kView, options(Format::json)).value(), "{\n  \"items\": []\n}\n");
  const json::array odd = items(R"([{"a\u0001\"b\n":"c\\d\u00e9"}])");
  const json::object odd_document{{"items", odd}};
  EXPECT_EQ(parse_json(render_list(odd, kView, options(Format::json)).value()).value(),
            json::value(odd_document));
}

TEST(Output, MachineForms) {
  EXPECT_EQ(rendered(Format::name), "n1\nn2\nn3\n");
  EXPECT_EQ(rendered(Format::csv),
            "node,phase,since,memory,why\n"
            "n1,node_up,2026-01-01T00:00:00.000Z,512,beat\n"
            "n2,node_up,2026-01-01T00:01:00.000Z,65536,beat\n"
            "n3,lost,2026-01-01T00:02:00.000Z,,\"silent, \"\"3\"\" s\"\n");
  EXPECT_EQ(parse_json(rendered(Format::json)).value(), json::value({{"items", nodes()}}));
  EXPECT_EQ(rendered(Format::jsonl).substr(0, 13), "{\"name\":\"n1\",");
  EXPECT_EQ(rendered(Format::yaml).substr(0, 24), "items:\n  - name: n1\n    ");
}

TEST(Output, ColumnsAreChosenByTitleOrPath) {
  OutputOptions chosen = options(Format::wide);
  chosen.columns = {"node", "phase.state", "memory", "phase.why"};
  chosen.header = false;
  EXPECT_EQ(render_list(nodes(), kView, chosen).value(),
            "n1  node_up  512 MiB  beat\n"
            "n2  node_up   64 GiB  beat\n"
            "n3  lost              silent, \"3\" s\n");
  chosen.columns = {"phaze"};
  const auto wrong = render_list(nodes(), kView, chosen);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("did you mean phase?"), std::string::npos);
}

TEST(Output, DataCannotSteerTheTerminal) {
  const json::array evil =
      items(R"([{"name":"n\u001b[2J1","phase":{"why":"a\u009bb\u202ec\u007f"}}])");
  for (const Format format : {Format::table, Format::wide, Format::json, Format::jsonl,
                              Format::yaml, Format::csv, Format::name}) {
    const std::string out = render_list(evil, kView, options(format)).value();
    EXPECT_EQ(out.find_first_of("\x1b\x7f"), std::string::npos) << out;
    EXPECT_EQ(out.find("\xc2\x9b"), std::string::npos) << out;
    EXPECT_EQ(out.find("\xe2\x80\xae"), std::string::npos) << out;
  }
  const std::string as_json = render_list(evil, kView, options(Format::json)).value();
  EXPECT_EQ(parse_json(as_json).value(), json::value({{"items", evil}}));
  EXPECT_EQ(terminal_safe_json("\"\xf3\xa0\x80\x81\""), "\"\\udb40\\udc01\"");
}

TEST(Output, PeopleReadPairsAndProgramsJson) {
  const json::array groups =
      items(R"([{"name":"g","attributes":{"rack":"r1","x.team":"blue"},"memory":0}])");
  const ListView view{
      {{"GROUP", "name"}, {"ATTRIBUTES", "attributes"}, {"MEMORY", "memory", Show::mebibytes}}};
  EXPECT_EQ(render_list(groups, view, options(Format::table)).value(),
            "GROUP  ATTRIBUTES           MEMORY\n"
            "g      rack=r1 x.team=blue\n")
      << "memory that was not seen is no memory";
  EXPECT_EQ(render_list(groups, view, options(Format::csv)).value(),
            "group,attributes,memory\n"
            "g,\"{\"\"rack\"\":\"\"r1\"\",\"\"x.team\"\":\"\"blue\"\"}\",0\n");
}

TEST(Output, DocumentsAreFieldsAndValues) {
  const auto document =
      parse_json(
          R"({"name":"n1","at":"2026-01-01T00:59:30Z","until":"2026-01-08T01:00:00Z","links":[{"peer":"a1"}],
                                       "none":null,"on":true})")
          .value();
  EXPECT_EQ(render_document(document, options(Format::table)),
            "name          n1\n"
            "at            2026-01-01T00:59:30Z (30s ago)\n"
            "until         2026-01-08T01:00:00Z (in 7d)\n"
            "links.0.peer  a1\n"
            "on            true\n");
  EXPECT_EQ(render_document(document, options(Format::csv)).substr(0, 32),
            "name,n1\nat,2026-01-01T00:59:30Z\n");
}

TEST(Output, Ages) {
  const WallTime now = from_rfc3339("2026-01-03T00:00:00Z").value();
  EXPECT_EQ(age_text("2026-01-02T23:59:58Z", now), "2s");
  EXPECT_EQ(age_text("2026-01-02T23:50:00Z", now), "10m");
  EXPECT_EQ(age_text("2026-01-02T12:00:00Z", now), "12h");
  EXPECT_EQ(age_text("2025-12-24T00:00:00Z", now), "10d");
  EXPECT_EQ(age_text("2026-01-03T00:00:05Z", now), "0s");
  EXPECT_EQ(age_text("soon", now), "soon");
}

TEST(Output, PathsReachIntoObjectsAndLists) {
  const auto document = parse_json(R"({"a":{"b":[{"c":1}]},"load.1m":2})").value();
  EXPECT_EQ(scalar_text(*find_path(document, "a.b.0.c")), "1");
  EXPECT_EQ(scalar_text(*find_path(document, "load.1m")), "2");
  EXPECT_EQ(find_path(document, "a.b.1.c"), nullptr);
  EXPECT_EQ(find_path(document, "a.b.x"), nullptr);
  EXPECT_EQ(find_path(document, "a.b.0.c.d"), nullptr);
}

TEST(Table, CutsFlexibleColumnsOnANarrowTerminal) {
  const std::vector<TableColumn> columns{{"A"}, {"TEXT", false, true}, {"N", true}};
  const std::vector<std::vector<Cell>> rows{{{"one"}, {"a text that is far too long"}, {"7"}}};
  EXPECT_EQ(lay_out(columns, rows, {.width = 24}),
            "A    TEXT              N\n"
            "one  a text that is..  7\n");
  EXPECT_EQ(lay_out(columns, rows, {.width = 5}),
            "A    TEXT      N\n"
            "one  a text..  7\n");
  EXPECT_EQ(lay_out(columns, {}, {}), "A  TEXT  N\n");
}

TEST(Table, ColoursDoNotDisturbTheColumns) {
  EXPECT_EQ(lay_out({{"S"}, {"X"}}, {{{"up", Tone::good}, {"1"}}, {{"lost", Tone::bad}, {"2"}}},
                    {.colour = true, .header = false}),
            "\x1b[32mup\x1b[0m    1\n\x1b[31mlost\x1b[0m  2\n");
}

TEST(Table, CountsColumnsNotBytes) {
  EXPECT_EQ(lay_out({{"A"}, {"B"}}, {{{"caf\xc3\xa9"}, {"1"}}, {{"\xe7\xaf\x80"}, {"2"}}},
                    {.header = false}),
            "caf\xc3\xa9  1\n\xe7\xaf\x80    2\n");
}

TEST(Changes, SummariesNameWhatDiffers) {
  const auto change = parse_json(R"({"sequence":7,"time":"2026-01-01T10:20:30.000Z","actor":"uid:0",
    "kind":"node","key":"n1","operation":"put","why":"test",
    "before":{"phase":{"state":"node_up","since":"x"},"revision":1,"a":1,"gone":2},
    "after":{"phase":{"state":"lost","since":"y"},"revision":2,"a":1,"new":3}})")
                          .value();
  EXPECT_EQ(change_summary(change), "gone: 2 -> -, new: - -> 3, phase.state: node_up -> lost");
  EXPECT_EQ(change_line(change, false),
            "10:20:30 #7 node/n1 gone: 2 -> -, new: - -> 3, phase.state: node_up -> lost (test) by "
            "uid:0\n");
  EXPECT_TRUE(change_matches(change, ""));
  EXPECT_TRUE(change_matches(change, "node"));
  EXPECT_TRUE(change_matches(change, "node/n1"));
  EXPECT_FALSE(change_matches(change, "node/n"));
  EXPECT_FALSE(change_matches(change, "nod"));
  EXPECT_EQ(change_summary(parse_json(R"({"operation":"put","before":null,"after":{}})").value()),
            "created");
  EXPECT_EQ(change_summary(parse_json(R"({"operation":"erase","before":{}})").value()), "erased");
}

}  // namespace
}  // namespace drover::cli
