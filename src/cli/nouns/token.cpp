// drover token: join tokens for new hosts.
#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& token_view() {
  static const ListView view{{{"ID", "id"},
                              {"ROLE", "role"},
                              {"NAMES", "names"},
                              {"USES", "uses", Show::number},
                              {"LEFT", "uses_left", Show::number},
                              {"EXPIRES", "expires"},
                              {"MADE BY", "created_by"}},
                             "",
                             "id"};
  return view;
}

Result<json::object> token_request(const Given& given) {
  const std::string ttl = given.has("ttl") ? given.text("ttl") : "1h";
  DROVER_TRY(const Duration duration, parse_duration(ttl));
  int64_t uses = 1;
  if (given.has("uses")) {
    const std::string& text = given.text("uses");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uses);
    if (error != std::errc{} || end != text.data() + text.size() || uses < 1) {
      return fail(Code::invalid_argument,
                  fmt::format("--uses: expected a number from 1, not \"{}\"", printable(text)));
    }
  }
  json::object out{{"role", given.has("role") ? given.text("role") : "compute"},
                   {"ttl_s", duration / std::chrono::seconds(1)},
                   {"uses", uses}};
  if (given.has("replace")) out["replace"] = true;
  if (given.has("names")) {
    DROVER_CHECK_OK(check_range(given.text("names")));
    out["names"] = given.text("names");
  }
  return out;
}

Result<int> create(Context& context, const Given& given) {
  DROVER_TRY(const json::object request, token_request(given));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("POST", "/api/v1/tokens", request, context.timeout()));
  if (!context.for_people() && context.output().format != Format::name) {
    return context.print_document(answer);
  }
  // The token alone on standard output, so that a script can take it; the rest beside it.
  context.print(text_at(answer, "token") + "\n");
  if (context.output().format == Format::name) return 0;
  context.warn(fmt::format("token {} expires {}; it is shown this once", text_at(answer, "id"),
                           text_at(answer, "expires")));
  context.warn("next: on the new host: drover join --server https://MASTER:PORT --token TOKEN");
  return 0;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list("/api/v1/tokens", context.timeout()));
  if (items.empty() && context.for_people()) context.warn("no tokens");
  return context.print_list(std::move(items), token_view());
}

Result<int> revoke(Context& context, const Given& given) {
  const std::string& id = given.text("id");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("DELETE", "/api/v1/tokens/" + net::percent_encode(id), nullptr,
                          context.timeout()));
  if (context.for_people()) context.print(fmt::format("token {} revoked\n", printable(id)));
  return 0;
}

}  // namespace

std::vector<Command> token_commands() {
  return {
      {"token",
       "create",
       "Make a token that lets a new host join",
       {{"role",
         Kind::option,
         "Role of the hosts that join with it [compute]",
         {"compute", "aggregator", "utility", "boot"}},
        {"names", Kind::option, "Noderange of the names it may be used for [any]"},
        {"ttl", Kind::option, "How long it may be used [1h]"},
        {"uses", Kind::option, "How many hosts may use it [1]"},
        {"replace", Kind::flag, "A host that has lost its key may join again under its name"}},
       {"drover token create --role aggregator --names agg1",
        "drover token create --names 'n[1-8]' --uses 8 --ttl 30m"},
       create},
      {"token",
       "list",
       "List the tokens, spent ones too, until a day after their end",
       {},
       {"drover token list"},
       list},
      {"token",
       "revoke",
       "Make a token useless",
       {{"id", Kind::required, "The token's id"}},
       {"drover token revoke k3vd72ab"},
       revoke},
  };
}

}  // namespace drover::cli
