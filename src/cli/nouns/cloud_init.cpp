// drover cloud-init: what nodes are told when they boot an image.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "cli/owner.hpp"
#include "net/http/target.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kPath = "/api/v1/cloud-init";

const ListView& list_view() {
  static const ListView view{{{"OWNER", "name"},
                              {"META-DATA", "meta_data", Show::text, false, true},
                              {"SECRETS", "secrets"},
                              {"USER-DATA", "user_data", Show::text, true, true},
                              {"VENDOR-DATA", "vendor_data", Show::text, true, true}}};
  return view;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(std::string(kPath), context.timeout()));
  if (items.empty() && context.for_people()) context.warn("nothing is defined for cloud-init");
  return context.print_list(std::move(items), list_view());
}

/// A document to the letter but for what would steer a terminal.
void print_text(Context& context, const json::value& answer, std::string_view field) {
  const json::value* text = find_path(answer, field);
  if (text == nullptr || !text->is_string()) return;
  context.print(printable(std::string_view(text->get_string()), true));
}

Result<int> show_node(Context& context, const Given& given, const std::string& node) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->get(fmt::format("/api/v1/nodes/{}/cloud-init", net::percent_encode(node)),
                         context.timeout()));
  const std::string problem = text_at(answer, "problem");
  const int exit_code = problem.empty() ? 0 : 1;
  if (!problem.empty()) context.warn(fmt::format("{}: {}", node, printable(problem)));
  if (given.has("document")) {
    std::string field = given.text("document");
    std::ranges::replace(field, '-', '_');
    print_text(context, answer, field);
    return exit_code;
  }
  if (!context.for_people()) return context.print_document(answer, exit_code);
  if (!problem.empty()) return exit_code;
  const json::value* parts = find_path(answer, "parts");
  if (parts == nullptr || !parts->is_array() || parts->get_array().empty()) {
    context.warn(fmt::format("nothing is defined for {}: it gets its own facts alone", node));
    return exit_code;
  }
  return context.print_list(parts->get_array(),
                            {{{"WHAT", "what"}, {"NAME", "name"}, {"FROM", "origin"}}, "", "what"},
                            exit_code);
}

Result<int> show(Context& context, const Given& given) {
  const std::string& word = given.text("owner");
  DROVER_TRY(const std::string segments, owner_segments(word));
  if (segments.starts_with("node/") && !given.has("own")) {
    return show_node(context, given, word.substr(word.find('/') + 1));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one,
             client->get(fmt::format("{}/{}", kPath, segments), context.timeout()));
  return context.print_document(one);
}

/// NAME and FILE of "NAME=FILE".
Result<std::pair<std::string, std::string>> secret_of(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals != std::string::npos && equals > 0 && equals + 1 < word.size()) {
    return std::pair(word.substr(0, equals), word.substr(equals + 1));
  }
  return fail(Code::invalid_argument,
              fmt::format("\"{}\": expected NAME=FILE, with - for standard input", printable(word)),
              "drover cloud-init set group/rack1 --secret munge.key=/etc/munge/munge.key");
}

Status set_secrets(Context& context, const Given& given, const std::string& path) {
  for (const std::string& word : given.all("secret")) {
    DROVER_TRY(const auto named, secret_of(word));
    DROVER_TRY(const std::string value, read_text(context, named.second));
    DROVER_TRY(Client* const client, context.client());
    DROVER_CHECK_OK(client->send(
        "PUT",
        changing_path(fmt::format("{}/secrets/{}", path, net::percent_encode(named.first)), given),
        json::object{{"value", value}}, context.timeout()));
  }
  return {};
}

Result<json::object> settings_of(Context& context, const Given& given) {
  json::object out;
  json::object keys;
  for (const std::string& word : given.all("meta")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" sets nothing: expected KEY=VALUE", printable(word)),
                  "drover cloud-init set group/rack1 region=north");
    }
    keys[word.substr(0, equals)] = word.substr(equals + 1);
  }
  if (!keys.empty()) out["meta_data"] = std::move(keys);
  for (const char* name : {"user-data", "vendor-data"}) {
    if (!given.has(name)) continue;
    DROVER_TRY(std::string text, read_text(context, given.text(name)));
    std::string field = name;
    field[field.find('-')] = '_';
    out[field] = std::move(text);
  }
  return out;
}

Result<int> set(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  const std::string path = fmt::format("{}/{}", kPath, segments);
  DROVER_TRY(json::object body, settings_of(context, given));
  if (body.empty() && !given.has("secret")) {
    return fail(Code::invalid_argument, "say what: KEY=VALUE, --user-data, --vendor-data, --secret",
                "drover cloud-init set group/rack1 --user-data rack1.yaml");
  }
  DROVER_CHECK_OK(set_secrets(context, given, path));
  // After secrets alone an empty change shows what is there now.
  return change_content(context, given, "cloud-init", path, std::move(body));
}

Result<int> unset(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  const std::string path = fmt::format("{}/{}", kPath, segments);
  json::object body;
  json::object keys;
  for (const std::string& key : given.all("meta")) keys[key] = nullptr;
  const bool secrets = given.has("secret");
  if (!keys.empty()) body["meta_data"] = std::move(keys);
  if (given.has("user-data")) body["user_data"] = nullptr;
  if (given.has("vendor-data")) body["vendor_data"] = nullptr;
  for (const std::string& secret : given.all("secret")) {
    DROVER_TRY(Client* const client, context.client());
    DROVER_CHECK_OK(client->send(
        "DELETE",
        changing_path(fmt::format("{}/secrets/{}", path, net::percent_encode(secret)), given),
        nullptr, context.timeout()));
  }
  if (body.empty() && !secrets) return change_content(context, given, "cloud-init", path, nullptr);
  return change_content(context, given, "cloud-init", path, std::move(body));
}

}  // namespace

std::vector<Command> cloud_init_commands() {
  return {
      {"cloud-init",
       "list",
       "List what cloud-init is told, by owner",
       {},
       {"drover cloud-init list", "drover cloud-init list -o yaml"},
       list},
      {"cloud-init",
       "show",
       "Show what a node is told and whose each part is, or what an owner says",
       {owner_parameter(),
        {"document",
         Kind::option,
         "Of a node: this document to the letter",
         {"meta-data", "user-data", "vendor-data", "network-config"}},
        {"own", Kind::flag, "Of a node: what it says itself, without its groups and profiles"}},
       {"drover cloud-init show n1", "drover cloud-init show n1 --document user-data",
        "drover cloud-init show group/rack1"},
       show},
      {"cloud-init",
       "set",
       "Say what an owner's nodes are told: keys, user-data, vendor-data, secrets",
       {owner_parameter(),
        {"meta", Kind::any, "KEY=VALUE of the meta-data, .."},
        {"user-data", Kind::option, "File with its part of the user-data; - for standard input"},
        {"vendor-data", Kind::option, "File with its part of the vendor-data"},
        {"secret", Kind::repeated, "NAME=FILE: a secret that booting nodes fetch once"},
        why_option(),
        dry_run_flag()},
       {"drover cloud-init set group/rack1 region=north --user-data rack1.yaml",
        "drover cloud-init set profile/slurm --secret munge.key=/etc/munge/munge.key"},
       set},
      {"cloud-init",
       "unset",
       "Take back what an owner's nodes are told: parts of it, or with none named all",
       {owner_parameter(),
        {"meta", Kind::any, "Keys of the meta-data"},
        {"user-data", Kind::flag, "Its part of the user-data"},
        {"vendor-data", Kind::flag, "Its part of the vendor-data"},
        {"secret", Kind::repeated, "A secret"},
        why_option(),
        dry_run_flag()},
       {"drover cloud-init unset group/rack1 region", "drover cloud-init unset group/rack1"},
       unset},
  };
}

}  // namespace drover::cli
