// drover audit: who asked to change what, and what came of it.
#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& audit_view() {
  static const ListView view{{{"TIME", "time"},
                              {"WHO", "principal"},
                              {"FROM", "from"},
                              {"OUTCOME", "outcome", Show::state},
                              {"STATUS", "status", Show::number},
                              {"METHOD", "method"},
                              {"TARGET", "target"},
                              {"WHY", "why", Show::text, false, true},
                              {"REQUEST", "request_id", Show::text, true}},
                             "",
                             "request_id"};
  return view;
}

std::string with(const std::string& path, std::string_view name, std::string_view value) {
  return fmt::format("{}{}{}={}", path, path.find('?') == std::string::npos ? '?' : '&', name,
                     net::percent_encode(value));
}

/// RFC 3339, or how long ago: "2h".
Result<std::string> moment(Context& context, const Given& given, const std::string& name) {
  const std::string& text = given.text(name);
  if (from_rfc3339(text)) return text;
  const auto ago = parse_duration(text);
  if (!ago) {
    return fail(Code::invalid_argument,
                fmt::format("--{}: expected a time such as 2026-11-21T21:33:17Z, or how long ago "
                            "such as 2h, not \"{}\"",
                            name, printable(text)));
  }
  return to_rfc3339(context.now() - *ago);
}

Result<std::string> query_of(Context& context, const Given& given) {
  std::string out = "/api/v1/audit";
  const auto add = [&out](std::string_view name, std::string_view value) {
    out = with(out, name, value);
  };
  for (const char* name : {"principal", "outcome", "method", "target", "address"}) {
    if (given.has(name)) add(name, given.text(name));
  }
  for (const char* name : {"since", "until"}) {
    if (!given.has(name)) continue;
    DROVER_TRY(const std::string time, moment(context, given, name));
    add(name, time);
  }
  return out;
}

Result<size_t> count_of(const Given& given) {
  constexpr size_t kStandard = 50;
  if (!given.has("limit")) return kStandard;
  const std::string& text = given.text("limit");
  size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc{} && end == text.data() + text.size() && out > 0) return out;
  return fail(Code::invalid_argument,
              fmt::format("--limit: expected a number from 1, not \"{}\"", printable(text)));
}

/// The newest `limit` records, oldest first.
Result<json::array> ask_audit(Context& context, const std::string& query, size_t limit) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(query, context.timeout(), limit));
  std::reverse(items.begin(), items.end());
  for (json::value& item : items) {
    if (!item.is_object()) continue;
    const std::string address = text_at(item, "address");
    const bool local = address.empty() || address == "unix";
    item.get_object()["from"] = local ? text_at(item, "daemon") : address;
  }
  return items;
}

/// Prints what comes, once a second, until the command is ended. A record is known by its request.
Result<int> follow(Context& context, const std::string& query, json::array items) {
  std::set<std::string> shown;
  std::string newest;
  while (true) {
    json::array fresh;
    for (json::value& item : items) {
      if (!shown.insert(text_at(item, "request_id")).second) continue;
      newest = std::max(newest, text_at(item, "time"));
      fresh.push_back(std::move(item));
    }
    if (!fresh.empty()) {
      DROVER_TRY([[maybe_unused]] const int code, context.print_list(fresh, audit_view()));
    }
    DROVER_TRY(Client* const client, context.client());
    client->loop().run_until([] { return false; }, std::chrono::seconds(1));
    constexpr size_t kAtOnce = 10'000;
    const std::string since = newest.empty() ? query : with(query, "since", newest);
    DROVER_TRY(items, ask_audit(context, since, kAtOnce));
  }
}

Result<int> audit(Context& context, const Given& given) {
  DROVER_TRY(const std::string query, query_of(context, given));
  DROVER_TRY(const size_t limit, count_of(given));
  DROVER_TRY(json::array items, ask_audit(context, query, limit));
  if (given.has("follow")) {
    if (given.has("since") || given.has("until")) {
      return fail(Code::invalid_argument, "--follow goes without --since and --until");
    }
    return follow(context, query, std::move(items));
  }
  if (items.empty() && context.for_people()) context.warn("nothing of that kind");
  return context.print_list(items, audit_view());
}

}  // namespace

std::vector<Command> audit_commands() {
  return {{"audit",
           "",
           "Who asked to change what, refused requests too",
           {{"principal", Kind::option, "Who asked; * stands for any text: 'user:alice@*'"},
            {"outcome", Kind::option, "What came of it", {"done", "refused", "failed"}},
            {"method", Kind::option, "HTTP method"},
            {"target", Kind::option, "Text in the path or query"},
            {"address", Kind::option, "How the caller's address begins"},
            {"since", Kind::option, "At this time or later: RFC 3339, or 2h for two hours ago"},
            {"until", Kind::option, "Before this time"},
            {"limit", Kind::option, "The newest so many [50]"},
            {"follow", Kind::flag, "Go on and show what comes"}},
           {"drover audit --outcome refused --since 1h", "drover audit --follow",
            "drover audit --principal 'credential:ci' --limit 1000 -o jsonl"},
           audit}};
}

}  // namespace drover::cli
