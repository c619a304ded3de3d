// drover grant: who has which role, as one ordered list.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& grant_view() {
  static const ListView view{{{"#", "number", Show::number},
                              {"PRINCIPAL", "principal"},
                              {"ROLE", "role"},
                              {"NODES", "nodes"},
                              {"WHY", "why"}},
                             "",
                             "principal"};
  return view;
}

/// The list and the tag that a change of it must name.
struct Grants {
  json::array items;
  std::string etag;
};

Result<Grants> ask_grants(Context& context) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value document, client->get("/api/v1/grants", context.timeout()));
  const json::value* items = find_path(document, "grants");
  if (items == nullptr || !items->is_array()) {
    return fail(Code::corrupt, "the daemon's answer holds no list of grants");
  }
  return Grants{items->get_array(), client->etag()};
}

Status put_grants(Context& context, const Grants& grants, const std::string& why) {
  DROVER_TRY(Client* const client, context.client());
  const std::string query = why.empty() ? "" : "?why=" + net::percent_encode(why);
  DROVER_TRY(const json::value answer,
             client->send("PUT", "/api/v1/grants" + query, json::object{{"grants", grants.items}},
                          context.timeout(), {.if_match = grants.etag}));
  return {};
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Grants grants, ask_grants(context));
  int64_t number = 0;
  for (json::value& item : grants.items) {
    if (item.is_object()) item.get_object()["number"] = ++number;
  }
  if (grants.items.empty() && context.for_people()) {
    context.warn("no grants: roles are the defaults (docs/security.md)");
  }
  return context.print_list(grants.items, grant_view());
}

Result<int> add(Context& context, const Given& given) {
  DROVER_TRY(Grants grants, ask_grants(context));
  json::object grant{{"principal", given.text("principal")}, {"role", given.text("role")}};
  if (given.has("nodes")) {
    DROVER_CHECK_OK(check_range(given.text("nodes")));
    grant["nodes"] = given.text("nodes");
  }
  if (given.has("why")) grant["why"] = given.text("why");
  size_t place = grants.items.size();
  if (given.has("first")) place = 0;
  if (given.has("before")) {
    const std::string& text = given.text("before");
    size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 ||
        number > grants.items.size()) {
      return fail(Code::invalid_argument,
                  fmt::format("--before: expected a number from 1 to {}, as drover grant list "
                              "shows them",
                              grants.items.size()));
    }
    place = number - 1;
  }
  grants.items.insert(grants.items.begin() + static_cast<std::ptrdiff_t>(place), std::move(grant));
  DROVER_CHECK_OK(put_grants(context, grants, given.text("why")));
  if (context.for_people()) {
    context.print(fmt::format("grant {}: {} is {}\n", place + 1, printable(given.text("principal")),
                              given.text("role")));
  }
  return 0;
}

Result<int> remove(Context& context, const Given& given) {
  DROVER_TRY(Grants grants, ask_grants(context));
  const std::string& principal = given.text("principal");
  const auto* found = std::ranges::find_if(grants.items, [&principal](const json::value& item) {
    return text_at(item, "principal") == principal;
  });
  if (found == grants.items.end()) {
    return fail(Code::not_found, fmt::format("there is no grant for {}", printable(principal)),
                "drover grant list");
  }
  grants.items.erase(found);
  DROVER_CHECK_OK(put_grants(context, grants, given.text("why")));
  if (context.for_people()) {
    context.print(fmt::format("no grant for {} any more\n", printable(principal)));
  }
  return 0;
}

}  // namespace

std::vector<Command> grant_commands() {
  const Parameter principal{"principal", Kind::required,
                            "user:NAME, person:NAME, credential:NAME, oidc:ISSUER/NAME or "
                            "daemon:ROLE/NAME; * for any text"};
  return {
      {"grant",
       "list",
       "The grants; the first one that fits a caller decides",
       {},
       {"drover grant list"},
       list},
      {"grant",
       "add",
       "Give a role to whoever fits a pattern, from now on",
       {principal,
        {"role",
         Kind::required,
         "What they may do",
         {"none", "viewer", "user", "operator", "admin"}},
        {"nodes", Kind::option, "Noderange of the nodes that they may change [all]"},
        {"first", Kind::flag, "In front of the others [at the end]"},
        {"before", Kind::option, "In front of this number"},
        {"why", Kind::option, "For the list and the change log"}},
       {"drover grant add user:alice operator --nodes 'rack1' --why 'looks after rack 1'",
        "drover grant add 'oidc:corp/*' viewer"},
       add},
      {"grant",
       "remove",
       "Take a grant back",
       {principal, {"why", Kind::option, "For the change log"}},
       {"drover grant remove user:alice"},
       remove},
  };
}

}  // namespace drover::cli
