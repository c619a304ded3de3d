// drover credential: tokens and certificates of people and programs.
#include "auth/keys.hpp"
#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& credential_view() {
  static const ListView view{{{"ID", "id"},
                              {"NAME", "name"},
                              {"FORM", "form"},
                              {"ROLE", "role"},
                              {"NODES", "nodes"},
                              {"STATE", "state", Show::state},
                              {"EXPIRES", "expires"},
                              {"LAST USED", "last_used", Show::age},
                              {"MADE BY", "created_by", Show::text, true},
                              {"WHY", "why", Show::text, true}},
                             "",
                             "id"};
  return view;
}

Result<json::object> credential_request(const Given& given) {
  const std::string ttl = given.has("ttl") ? given.text("ttl") : "8h";
  DROVER_TRY(const Duration duration, parse_duration(ttl));
  json::object out{{"name", given.text("name")},
                   {"role", given.has("role") ? given.text("role") : "viewer"},
                   {"ttl_s", duration / std::chrono::seconds(1)}};
  if (given.has("nodes")) {
    DROVER_CHECK_OK(check_range(given.text("nodes")));
    out["nodes"] = given.text("nodes");
  }
  if (given.has("groups")) {
    json::array groups;
    for (const std::string& group : split_list(given.text("groups"))) groups.emplace_back(group);
    out["groups"] = std::move(groups);
  }
  return out;
}

/// A person's key, certificate and CA in one folder, as --cert, --key and --ca take them.
Result<int> create_certificate(Context& context, const Given& given, json::object request) {
  std::string dir = given.text("certificate");
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  Disk& disk = context.surroundings().disk;
  const std::string base = dir + "/" + given.text("name");
  DROVER_TRY(const bool there, disk.exists(base + ".key"));
  if (there) {
    return fail(Code::conflict, base + ".key is there already",
                "name another folder, or move it away");
  }
  DROVER_TRY(const auth::KeyPair key, auth::KeyPair::make());
  DROVER_TRY(const std::string csr, auth::make_csr(key, given.text("name")));
  request["csr_pem"] = csr;
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("POST", "/api/v1/credentials", request, context.timeout()));
  const auto raw = [&answer](std::string_view field) {
    const json::value* value = find_path(answer, field);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
  DROVER_CHECK_OK(key.save(disk, base + ".key"));
  DROVER_CHECK_OK(disk.write_atomic(base + ".pem", raw("certificate_pem"), 0644));
  DROVER_CHECK_OK(disk.write_atomic(dir + "/ca.pem", raw("ca_pem"), 0644));
  if (!context.for_people()) {
    return context.print_document(
        json::object{{"id", raw("id")}, {"certificate", base + ".pem"}, {"key", base + ".key"}});
  }
  context.print(fmt::format("credential {} until {}\nwritten: {}.key, {}.pem, {}/ca.pem\n",
                            text_at(answer, "id"), text_at(answer, "expires"), base, base, dir));
  context.warn(
      fmt::format("next: drover --server https://MASTER:PORT --cert {}.pem --key {}.key "
                  "--ca {}/ca.pem whoami",
                  base, base, dir));
  return 0;
}

Result<int> create(Context& context, const Given& given) {
  DROVER_TRY(json::object request, credential_request(given));
  if (given.has("certificate")) return create_certificate(context, given, std::move(request));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("POST", "/api/v1/credentials", request, context.timeout()));
  if (!context.for_people() && context.output().format != Format::name) {
    return context.print_document(answer);
  }
  // The token alone on standard output, so that a script can take it; the rest beside it.
  context.print(text_at(answer, "token") + "\n");
  if (context.output().format == Format::name) return 0;
  context.warn(fmt::format("credential {} until {}; the token is shown this once",
                           text_at(answer, "id"), text_at(answer, "expires")));
  context.warn("next: keep it in a file and use it with --server and --token-file FILE");
  return 0;
}

std::string state_of(const json::value& item, WallTime now) {
  if (text_at(item, "revoked") == "true") return "revoked";
  const auto expires = from_rfc3339(text_at(item, "expires"));
  return expires && *expires <= now ? "expired" : "live";
}

Result<json::array> ask_credentials(Context& context) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list("/api/v1/credentials", context.timeout()));
  for (json::value& item : items) {
    if (item.is_object()) item.get_object()["state"] = state_of(item, context.now());
  }
  return items;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(const json::array items, ask_credentials(context));
  if (items.empty() && context.for_people()) context.warn("no credentials");
  return context.print_list(items, credential_view());
}

/// An id, or a name: then every live credential of that name.
Result<int> revoke(Context& context, const Given& given) {
  DROVER_TRY(const json::array items, ask_credentials(context));
  std::vector<std::string> ids;
  for (const json::value& item : items) {
    const bool named =
        text_at(item, "name") == given.text("what") && text_at(item, "state") == "live";
    if (named || text_at(item, "id") == given.text("what")) ids.push_back(text_at(item, "id"));
  }
  if (ids.empty()) {
    return fail(Code::not_found,
                fmt::format("no credential has the id, and no live one the name, {}",
                            printable(given.text("what"))),
                "drover credential list");
  }
  DROVER_TRY(Client* const client, context.client());
  const std::string why =
      given.has("why") ? "?why=" + net::percent_encode(given.text("why")) : std::string();
  for (const std::string& id : ids) {
    DROVER_TRY(const json::value answer,
               client->send("DELETE", "/api/v1/credentials/" + net::percent_encode(id) + why,
                            nullptr, context.timeout()));
    if (context.for_people()) context.print(fmt::format("credential {} revoked\n", printable(id)));
  }
  return 0;
}

Result<int> rotate(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(
      const json::value answer,
      client->send("POST", "/api/v1/signing-keys",
                   json::object{{"forget_old", given.has("forget-old")}}, context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  context.print(fmt::format("new tokens are signed with key {}; {} in force\n",
                            text_at(answer, "current"), text_at(answer, "keys")));
  return 0;
}

}  // namespace

std::vector<Command> credential_commands() {
  return {
      {"credential",
       "create",
       "Make a token, or a certificate, for a person or program",
       {{"name", Kind::required, "Whom it speaks for: the principal is credential:NAME"},
        {"role", Kind::option, "What it allows [viewer]", {"viewer", "user", "operator", "admin"}},
        {"nodes", Kind::option, "Noderange of the nodes that may be changed with it [all]"},
        {"groups", Kind::option, "Groups of its bearer, for the permissions of nodes: A,B"},
        {"ttl", Kind::option, "How long it lasts [8h]"},
        {"certificate", Kind::option, "Make a key and a certificate in this folder, no token"}},
       {"drover credential create --role operator --nodes 'n[1-8]' --ttl 8h ci > token",
        "drover credential create --role admin --certificate ~/.drover carol"},
       create},
      {"credential",
       "list",
       "List credentials, ended ones too for a week",
       {},
       {"drover credential list --filter state=live"},
       list},
      {"credential",
       "revoke",
       "Refuse a credential from now on",
       {{"what", Kind::required, "Its id, or a name: then all live ones of that name"},
        {"why", Kind::option, "Shown to whoever still uses it"}},
       {"drover credential revoke ci --why 'laptop lost'"},
       revoke},
      {"credential",
       "rotate-key",
       "Make a new key that signs tokens",
       {{"forget-old", Kind::flag, "End every token so far, for a key that was stolen"}},
       {"drover credential rotate-key"},
       rotate},
  };
}

}  // namespace drover::cli
