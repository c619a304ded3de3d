// drover history and drover revert: what was changed, by whom and why; and taking it back.
#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/changes.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr uint64_t kMostReverted = 1'000;

std::optional<uint64_t> whole(std::string_view text) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Result<uint64_t> number_of(const Given& given, const std::string& name, uint64_t standard) {
  if (!given.has(name)) return standard;
  if (const auto number = whole(given.text(name))) return *number;
  return fail(Code::invalid_argument, fmt::format("--{}: expected a number, not \"{}\"", name,
                                                  printable(given.text(name))));
}

/// "&since=..": a place in the log, a time, or how long ago.
Result<std::string> place_of(Context& context, const Given& given, const std::string& name) {
  if (!given.has(name)) return std::string();
  const std::string& text = given.text(name);
  if (whole(text)) return fmt::format("&{}={}", name, text);
  if (from_rfc3339(text)) return fmt::format("&{}={}", name, net::percent_encode(text));
  if (const auto ago = parse_duration(text)) {
    return fmt::format("&{}={}", name, net::percent_encode(to_rfc3339(context.now() - *ago)));
  }
  return fail(
      Code::invalid_argument,
      fmt::format("--{}: expected a sequence number, a time (2026-11-22T10:00:00Z) or how long ago "
                  "(2h), not \"{}\"",
                  name, printable(text)));
}

std::string of_thing(std::string_view kind, std::string_view key) {
  std::string out = "&kind=" + net::percent_encode(kind);
  if (!key.empty()) out += "&key=" + net::percent_encode(key);
  return out;
}

/// KIND NAME, KIND/NAME, KIND, or a node, or a noderange.
Result<std::string> subject_of(const Given& given) {
  constexpr std::array<std::string_view, 16> kKinds{
      "node",  "part",    "daemon",    "group",      "profile",    "setting",
      "image", "network", "boot-next", "credential", "join_token", "operation",
      "grant", "issuer",  "bearer",    "restore"};
  const std::string& what = given.text("what");
  if (what.empty()) return std::string();
  const size_t slash = what.find('/');
  const std::string kind = what.substr(0, slash);
  const bool known = std::ranges::find(kKinds, kind) != kKinds.end();
  if (!known && (given.has("name") || slash != std::string::npos)) {
    return fail(Code::invalid_argument,
                fmt::format("nothing of the kind \"{}\" is remembered", printable(kind)),
                fmt::format("the kinds are {}", fmt::join(kKinds, ", ")));
  }
  if (given.has("name")) return of_thing(kind, given.text("name"));
  if (slash != std::string::npos) return of_thing(kind, what.substr(slash + 1));
  if (known) return of_thing(kind, "");
  const bool is_range = what.find_first_of("[],*@~:!^&=<>()+ ") != std::string::npos;
  return is_range ? "&nodes=" + net::percent_encode(what) : of_thing("node", what);
}

Result<int> history(Context& context, const Given& given) {
  DROVER_TRY(const std::string since, place_of(context, given, "since"));
  DROVER_TRY(const std::string until, place_of(context, given, "until"));
  DROVER_TRY(const uint64_t limit, number_of(given, "limit", 1000));
  // The newest so many, unless a script asks for all behind a place that it knows.
  const bool resumes = given.has("since") && whole(given.text("since")).has_value();
  std::string path = fmt::format("/api/v1/changes?order={}", resumes ? "oldest" : "newest");
  DROVER_TRY(const std::string subject, subject_of(given));
  path += since + until + subject;
  if (given.has("actor")) path += "&actor=" + net::percent_encode(given.text("actor"));
  if (given.has("nodes")) {
    DROVER_CHECK_OK(check_range(given.text("nodes")));
    path += "&nodes=" + net::percent_encode(given.text("nodes"));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(path, context.timeout(), limit));
  if (!resumes) std::reverse(items.begin(), items.end());
  if (context.for_people() || context.output().format == Format::csv) {
    for (json::value& item : items) {
      if (item.is_object()) item.get_object()["summary"] = change_summary(item);
    }
  }
  if (items.empty() && context.for_people()) context.warn("no changes");
  return context.print_list(std::move(items), change_view());
}

/// "17" or "17-20".
Status add_sequences(std::string_view text, std::vector<uint64_t>& out) {
  const size_t dash = text.find('-');
  const auto first = whole(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) {
    return fail(
        Code::invalid_argument,
        fmt::format("\"{}\" is not the number of a change, nor a span of them such as 17-20",
                    printable(text)),
        "drover history shows the numbers");
  }
  if (*last - *first >= kMostReverted || out.size() + (*last - *first) >= kMostReverted) {
    return fail(Code::too_large,
                fmt::format("at most {} changes are undone at once", kMostReverted));
  }
  for (uint64_t sequence = *first; sequence <= *last; ++sequence) out.push_back(sequence);
  return {};
}

const ListView& undone_view() {
  static const ListView view{{{"CHANGE", "sequence", Show::number},
                              {"KIND", "kind"},
                              {"KEY", "key"},
                              {"DONE", "what"},
                              {"FIELDS", "summary", Show::text, false, true}},
                             "",
                             "sequence"};
  return view;
}

std::string fields_text(const json::value& item) {
  const json::value* const fields = find_path(item, "fields");
  if (fields == nullptr || !fields->is_array()) return {};
  constexpr size_t kMost = 6;
  std::string out;
  size_t count = 0;
  for (const json::value& field : fields->get_array()) {
    if (++count > kMost) continue;
    const std::string before = text_at(field, "before");
    const std::string after = text_at(field, "after");
    out += fmt::format("{}{}: {} -> {}", out.empty() ? "" : ", ", text_at(field, "field"),
                       before.empty() ? "-" : before, after.empty() ? "-" : after);
  }
  if (count > kMost) out += fmt::format(" and {} more", count - kMost);
  return out;
}

Result<int> revert(Context& context, const Given& given) {
  std::vector<uint64_t> sequences;
  for (const std::string& text : given.all("change")) {
    DROVER_CHECK_OK(add_sequences(text, sequences));
  }
  const uint64_t first = sequences.front();
  json::array also(sequences.begin() + 1, sequences.end());
  const json::object body{
      {"why", given.text("why")}, {"force", given.has("force")}, {"also", std::move(also)}};
  const bool dry = given.has("dry-run");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::value answer, client->send("POST",
                                              fmt::format("/api/v1/changes/{}/revert{}", first,
                                                          dry ? "?dry_run=true" : ""),
                                              body, context.timeout()));
  const json::value* const reverted = find_path(answer, "reverted");
  json::array items =
      reverted != nullptr && reverted->is_array() ? reverted->get_array() : json::array();
  if (context.for_people() || context.output().format == Format::csv) {
    for (json::value& item : items) {
      // Of what goes or comes as a whole, every field would be listed.
      const std::string what = text_at(item, "what");
      const bool whole = what == "removed" || what == "created again";
      if (item.is_object()) item.get_object()["summary"] = whole ? "" : fields_text(item);
    }
  }
  if (dry) context.warn("only tried; without --dry-run it is done");
  return context.print_list(std::move(items), undone_view());
}

}  // namespace

std::vector<Command> history_commands() {
  return {
      {"history",
       "",
       "What was changed, by whom, from where and why",
       {{"what", Kind::optional, "NODE, noderange, KIND, KIND/NAME or KIND NAME [everything]"},
        {"name", Kind::optional, "With a kind: which one"},
        {"since", Kind::option, "Only after this sequence number, time, or so long ago: 1042, 2h"},
        {"until", Kind::option, "Only up to this sequence number, time, or so long ago"},
        {"actor", Kind::option, "Only by this name, or by actors like 'user:*'"},
        {"nodes", Kind::option, "Only of these nodes, their parts and certificates"},
        {"limit", Kind::option, "The newest so many [1000]"}},
       {"drover history n1", "drover history group rack1",
        "drover history --since 2h --actor alice", "drover history --nodes 'n[1-16]' -o wide",
        "drover history node --since 1042 -o jsonl"},
       history},
      {"revert",
       "",
       "Undo changes by new ones; what was only seen of nodes is not undone",
       {{"change", Kind::many, "Sequence numbers of changes, or spans: 17 19-22"},
        why_option(),
        {"force", Kind::flag, "Also where a later change touched the same"},
        {"dry-run", Kind::flag, "Show what would be done"}},
       {"drover revert 1042 --why 'wrong rack'", "drover revert 1042-1057 --dry-run"},
       revert}};
}

}  // namespace drover::cli
