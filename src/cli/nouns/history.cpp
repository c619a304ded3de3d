// drover history: what was changed, by whom and why.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/changes.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<uint64_t> number_of(const Given& given, const std::string& name, uint64_t standard) {
  if (!given.has(name)) return standard;
  const std::string& text = given.text(name);
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Code::invalid_argument,
                fmt::format("--{}: expected a number, not \"{}\"", name, printable(text)));
  }
  return out;
}

Result<int> history(Context& context, const Given& given) {
  DROVER_TRY(const uint64_t since, number_of(given, "since", 0));
  DROVER_TRY(const uint64_t limit, number_of(given, "limit", 1000));
  std::string path = fmt::format("/api/v1/changes?since={}", since);
  if (const std::string& what = given.text("what"); !what.empty()) {
    const size_t slash = std::min(what.find('/'), what.size());
    path += "&kind=" + net::percent_encode(what.substr(0, slash));
    if (slash < what.size()) path += "&key=" + net::percent_encode(what.substr(slash + 1));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(path, context.timeout(), limit));
  if (context.for_people() || context.output().format == Format::csv) {
    for (json::value& item : items) {
      if (item.is_object()) item.get_object()["summary"] = change_summary(item);
    }
  }
  if (items.empty() && context.for_people()) context.warn("no changes");
  return context.print_list(items, change_view());
}

}  // namespace

std::vector<Command> history_commands() {
  return {{"history",
           "",
           "What was changed, by whom and why",
           {{"what", Kind::optional, "KIND or KIND/KEY, such as node/n1 [everything]"},
            {"since", Kind::option, "Only changes after this sequence number"},
            {"limit", Kind::option, "At most so many changes [1000]"}},
           {"drover history node/n1", "drover history node --since 1042 -o jsonl"},
           history}};
}

}  // namespace drover::cli
