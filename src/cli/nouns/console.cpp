// drover console: serial consoles of nodes, shared by whoever is at them; their logs and
// recordings.
#include "base/json_values.hpp"
#include "base/text_pattern.hpp"
#include "cli/boot/boot_log.hpp"
#include "cli/bulk.hpp"
#include "cli/console/attend.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& console_view() {
  static const ListView view{{{"NODE", "node"},
                              {"STATE", "state"},
                              {"SINCE", "since", Show::age},
                              {"KIND", "kind"},
                              {"TO", "to"},
                              {"HELD", "held"},
                              {"HERE", "here"},
                              {"WHY", "why"},
                              {"NEXT", "next", Show::text, true},
                              {"BYTES", "bytes", Show::text, true}},
                             "",
                             "node",
                             "Console",
                             "no console is held or was used; drover console NODE opens one"};
  return view;
}

/// "alice+ bob": who is there, with a + the ones that type.
std::string here(const json::value& console) {
  std::string out;
  const json::value* viewers = find_path(console, "viewers");
  if (viewers == nullptr || !viewers->is_array()) return out;
  for (const json::value& viewer : viewers->get_array()) {
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", text_at(viewer, "who"),
                       text_at(viewer, "writes") == "true" ? "+" : "");
  }
  return out;
}

/// Options that belong together; the error names one that does not.
Status only(const Given& given, std::string_view use, std::span<const std::string_view> fit) {
  for (const std::string_view name :
       {"spy", "log", "replay", "follow", "since", "until", "grep", "lines", "speed"}) {
    if (!given.has(name) || std::ranges::find(fit, name) != fit.end()) continue;
    return fail(Code::invalid_argument, fmt::format("--{} does not go with {}", name, use));
  }
  return {};
}

Result<int> list(Context& context, const Given& given) {
  DROVER_CHECK_OK(only(given, "the list: name a node", {}));
  return context.print_list_at("/api/v1/consoles", console_view(),
                               [](json::value& item) { item.as_object()["here"] = here(item); });
}

Result<std::string> time_at(const Context& context, const Given& given, std::string_view name) {
  if (!given.has(name)) return std::string();
  return since_of(context, given.text(name));
}

Result<int> log(Context& context, const Given& given) {
  constexpr std::array<std::string_view, 5> kFit{"log", "follow", "since", "grep", "lines"};
  DROVER_CHECK_OK(only(given, "--log", kFit));
  DROVER_CHECK_OK(check_range(given.text("node")));
  std::string path = with_query("/api/v1/consoles/log", "nodes", given.text("node"));
  if (given.has("grep")) {
    if (const auto pattern = TextPattern::compile(given.text("grep")); !pattern) {
      return fail(Code::invalid_argument, "--grep: " + pattern.error().text());
    }
    path = with_query(std::move(path), "grep", given.text("grep"));
  }
  if (given.has("lines")) path = with_query(std::move(path), "lines", given.text("lines"));
  if (given.has("follow")) path = with_query(std::move(path), "follow", "true");
  DROVER_TRY(const std::string since, time_at(context, given, "since"));
  if (!since.empty()) path = with_query(std::move(path), "since", since);
  return print_log_lines(context, std::move(path), given.has("follow"));
}

Result<int> replay(Context& context, const Given& given) {
  constexpr std::array<std::string_view, 4> kFit{"replay", "since", "until", "speed"};
  DROVER_CHECK_OK(only(given, "--replay", kFit));
  double speed = 1;
  if (given.has("speed")) {
    constexpr double kMost = 1000;
    const std::string& text = given.text("speed");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
    if (error != std::errc{} || end != text.data() + text.size() || !(speed >= 0) ||
        speed > kMost) {
      return fail(Code::invalid_argument,
                  fmt::format("--speed takes a number from 0 to 1000, not '{}'", text));
    }
  }
  DROVER_TRY(const std::string since, time_at(context, given, "since"));
  DROVER_TRY(const std::string until, time_at(context, given, "until"));
  return replay_console(context, given.text("node"), since, until, speed);
}

Result<int> console(Context& context, const Given& given) {
  if (!given.has("node")) return list(context, given);
  if (given.has("log") && given.has("replay")) {
    return fail(Code::invalid_argument, "--log and --replay exclude each other");
  }
  if (given.has("log")) return log(context, given);
  if (given.has("replay")) return replay(context, given);
  constexpr std::array<std::string_view, 1> kFit{"spy"};
  DROVER_CHECK_OK(only(given, "being at a console: add --log or --replay", kFit));
  return attend_console(context, given.text("node"), !given.has("spy"));
}

}  // namespace

std::vector<Command> console_commands() {
  return {
      {"console",
       "",
       "Be at a node's serial console with others (Ctrl-E c . leaves), or see what it said",
       {{"node", Kind::optional, "Node; with --log any nodes; without it the consoles are listed"},
        {"spy", Kind::flag, "Look on without typing"},
        {"log", Kind::flag, "Print what it said, line by line"},
        {"follow", Kind::flag, "With --log: go on with what is new", {}, 'f'},
        {"grep", Kind::option,
         "With --log: only lines whose \"SOURCE: TEXT\" this expression matches"},
        {"lines", Kind::option, "With --log: only the newest so many of each node [all]"},
        {"replay", Kind::flag, "Play what it said, at the pace at which it said it"},
        {"speed", Kind::option, "With --replay: so many times as fast; 0: at once [1]"},
        {"since", Kind::option, "Only from this time on, or from so long ago: 10m"},
        {"until", Kind::option, "With --replay: only up to this time, or so long ago"}},
       {"drover console", "drover console n1", "drover console n1 --spy",
        "drover console n1 --log --since 1h --grep 'error|panic'",
        "drover console n1 --replay --since 10m --speed 4"},
       console}};
}

}  // namespace drover::cli
