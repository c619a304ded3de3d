// drover issuer: OIDC issuers whose tokens are taken.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& issuer_view() {
  static const ListView view{{{"NAME", "name"},
                              {"URL", "url"},
                              {"AUDIENCE", "audience"},
                              {"KEYS", "keys", Show::number},
                              {"FETCHED", "keys_fetched", Show::age},
                              {"PROBLEM", "problem"},
                              {"ROLE CLAIM", "role_claim", Show::text, true},
                              {"ROLES", "roles", Show::text, true}}};
  return view;
}

/// "staff=viewer,hpc-ops=operator" as an object.
Result<json::object> roles_of(const Given& given) {
  json::object out;
  for (const std::string& pair : split_list(given.text("roles"))) {
    const size_t equals = pair.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("--roles: expected VALUE=ROLE[,..], not \"{}\"", printable(pair)));
    }
    out[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return out;
}

Result<int> add(Context& context, const Given& given) {
  if (given.has("jwks-file") == given.has("jwks-url")) {
    return fail(Code::invalid_argument,
                "give either --jwks-url (where its keys are) or --jwks-file (its keys)");
  }
  constexpr size_t kLongest = size_t{1} << 20;
  Disk& disk = context.surroundings().disk;
  json::object request{{"url", given.text("url")}, {"audience", given.text("audience")}};
  request["name"] = given.has("name") ? given.text("name") : "oidc";
  if (given.has("jwks-url")) request["jwks_url"] = given.text("jwks-url");
  if (given.has("jwks-file")) {
    DROVER_TRY(const std::string text, disk.read_all(given.text("jwks-file"), kLongest));
    auto document = parse_json(text);
    if (!document) return fail_in("reading " + given.text("jwks-file"), document.error());
    request["jwks"] = *std::move(document);
  }
  if (given.has("issuer-ca")) {
    DROVER_TRY(const std::string text, disk.read_all(given.text("issuer-ca"), kLongest));
    request["ca_pem"] = text;
  }
  for (const auto& [option, field] :
       {std::pair("name-claim", "name_claim"), std::pair("groups-claim", "groups_claim"),
        std::pair("role-claim", "role_claim"), std::pair("default-role", "default_role")}) {
    if (given.has(option)) request[field] = given.text(option);
  }
  if (given.has("nodes")) {
    DROVER_CHECK_OK(check_range(given.text("nodes")));
    request["nodes"] = given.text("nodes");
  }
  DROVER_TRY(request["roles"], roles_of(given));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("POST", "/api/v1/issuers", request, context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  context.print(fmt::format("tokens of {} are taken; their bearers are oidc:{}/..\n",
                            text_at(answer, "url"), text_at(answer, "name")));
  return 0;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items, client->list("/api/v1/issuers", context.timeout()));
  if (items.empty() && context.for_people()) context.warn("no issuers");
  return context.print_list(items, issuer_view());
}

Result<int> remove(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("DELETE", "/api/v1/issuers/" + net::percent_encode(given.text("name")),
                          nullptr, context.timeout()));
  if (context.for_people()) {
    context.print(fmt::format("tokens of {} are taken no more\n", printable(given.text("name"))));
  }
  return 0;
}

}  // namespace

std::vector<Command> issuer_commands() {
  return {
      {"issuer",
       "add",
       "Take the tokens of an OIDC issuer",
       {{"url", Kind::required, "Exactly what its tokens name as iss: https://.."},
        {"audience", Kind::required, "What its tokens must be for: the client's id there"},
        {"name", Kind::option, "Its short name: bearers are oidc:NAME/USER [oidc]"},
        {"jwks-url", Kind::option, "Where its keys are fetched over HTTPS"},
        {"jwks-file", Kind::option, "Its keys in a file, for a master without a way out"},
        {"issuer-ca", Kind::option, "CA of its server, PEM file [the system's CAs]"},
        {"name-claim", Kind::option, "Claim that names the bearer [sub]"},
        {"groups-claim", Kind::option, "Claim with the bearer's groups [none]"},
        {"role-claim", Kind::option, "Claim that --roles are looked up in: groups, a.b"},
        {"roles", Kind::option, "VALUE=ROLE[,..]: what its values stand for"},
        {"default-role",
         Kind::option,
         "Role of bearers with none of these [none]",
         {"none", "viewer", "user", "operator", "admin"}},
        {"nodes", Kind::option, "Noderange of the nodes that its bearers may change [all]"}},
       {"drover issuer add https://id.example/realms/hpc drover --name corp --jwks-url "
        "https://id.example/realms/hpc/protocol/openid-connect/certs --name-claim "
        "preferred_username --role-claim groups --roles hpc-ops=operator,staff=viewer"},
       add},
      {"issuer", "list", "The issuers, and how their keys stand", {}, {"drover issuer list"}, list},
      {"issuer",
       "remove",
       "Take an issuer's tokens no more",
       {{"name", Kind::required, "Its short name"}},
       {"drover issuer remove corp"},
       remove},
  };
}

}  // namespace drover::cli
