// drover boot show and set: what nodes would boot and why, and what they shall boot.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// "n1 boots rocky (image mode, from the network) by eth0, 52:54:00:77:00:01, on boot".
std::string headline(const json::value& boot) {
  std::string out = text_at(boot, "node");
  if (text_at(boot, "from") == "disk") {
    out += " boots from its own disk";
  } else {
    out += fmt::format(" boots {} ({} mode)", text_at(boot, "image"), text_at(boot, "mode"));
  }
  const std::string interface = text_at(boot, "interface");
  if (!interface.empty()) out += fmt::format(" by {}", interface);
  const std::string mac = text_at(boot, "mac");
  if (!mac.empty()) out += fmt::format(", {}", mac);
  const std::string network = text_at(boot, "network");
  if (!network.empty()) out += fmt::format(", on {}", network);
  const json::value* once = find_path(boot, "once");
  if (once != nullptr && once->is_bool() && once->get_bool()) out += ", this once";
  return out + "\n";
}

/// To the letter but for what would steer a terminal.
void print_script(Context& context, const json::value& boot) {
  const json::value* script = find_path(boot, "script");
  if (script == nullptr || !script->is_string()) return;
  std::string_view rest(script->get_string().data(), script->get_string().size());
  std::string out;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    out += printable(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  context.print(out);
}

Result<int> show(Context& context, const Given& given) {
  std::string path = fmt::format("/api/v1/nodes/{}/boot", net::percent_encode(given.text("node")));
  if (given.has("from")) path = with_query(path, "server", given.text("from"));
  if (given.has("loader")) path = with_query(path, "loader", given.text("loader"));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value boot, client->get(path, context.timeout()));
  const std::string problem = text_at(boot, "problem");
  const int exit_code = problem.empty() ? 0 : 1;
  if (given.has("script")) {
    print_script(context, boot);
    return exit_code;
  }
  if (!context.for_people()) return context.print_document(boot, exit_code);
  if (!problem.empty()) {
    context.warn(fmt::format("{} cannot boot: {}", text_at(boot, "node"), printable(problem)));
    const std::string fix = text_at(boot, "fix");
    if (!fix.empty()) context.warn(fmt::format("  {}", printable(fix)));
    return exit_code;
  }
  context.print(headline(boot));
  const json::value* values = find_path(boot, "values");
  if (values == nullptr || !values->is_array()) return exit_code;
  return context.print_list(
      values->get_array(), {{{"WHAT", "name"}, {"VALUE", "value"}, {"FROM", "origin"}}, "", "name"},
      exit_code);
}

std::string bulk_path(std::string_view where, const std::vector<std::string>& names,
                      const std::string& range, const Given& given) {
  constexpr size_t kLongest = 16'000;
  const std::string folded = fold_names(names);
  std::string out =
      fmt::format("{}{}", where, nodes_query(folded.size() > kLongest ? range : folded));
  return given.has("dry-run") ? with_query(std::move(out), "dry_run", "true") : out;
}

/// The body of the request: for one boot, or what holds from now on.
json::object body_of(const Given& given) {
  json::object out;
  if (given.has("why")) out["why"] = given.text("why");
  if (given.has("next")) {
    for (const char* name : {"image", "profile", "mode"}) {
      if (given.has(name)) out[name] = given.text(name);
    }
    return out;
  }
  json::object attributes;
  if (given.has("image")) attributes["image"] = given.text("image");
  if (given.has("mode")) attributes["boot_mode"] = given.text("mode");
  if (!attributes.empty()) out["spec"] = json::object{{"attributes", std::move(attributes)}};
  if (given.has("profile")) {
    out["edits"] = json::array{json::object{
        {"field", "profiles"}, {"how", "add"}, {"values", json::array{given.text("profile")}}}};
  }
  return out;
}

Result<int> set(Context& context, const Given& given) {
  const bool says = given.has("image") || given.has("profile") || given.has("mode");
  if (given.has("clear") ? says || given.has("next") : !says) {
    return fail(Code::invalid_argument,
                given.has("clear") ? "--clear stands alone: it takes back what --next said"
                                   : "say what: --image, --profile or --mode",
                "drover boot set n1 --image rescue --next");
  }
  const std::string& range = given.text("noderange");
  DROVER_TRY(const auto names, ask_nodes(context, range));
  if (!given.has("dry-run")) {
    DROVER_CHECK_OK(
        context.confirm_many(names.size(), fmt::format("change what {} boots", fold_names(names))));
  }
  const bool once = given.has("next") || given.has("clear");
  std::string path = bulk_path(once ? "/api/v1/boot-next" : "/api/v1/nodes", names, range, given);
  const char* const method = given.has("clear") ? "DELETE" : once ? "POST" : "PATCH";
  json::value body = body_of(given);
  if (given.has("clear")) {
    if (given.has("why")) path = with_query(path, "why", given.text("why"));
    body = nullptr;
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send(method, path, body, context.timeout(std::chrono::seconds(60))));
  Outcomes outcomes;
  outcomes.add(answer);
  return outcomes.print(context, "changed");
}

}  // namespace

std::vector<Command> boot_plan_commands() {
  return {
      {"boot",
       "show",
       "Show what a node would boot, who says so, and its script to the letter",
       {{"node", Kind::required, "Its name"},
        {"script", Kind::flag, "Only the script, as the machine would get it"},
        {"from", Kind::option, "The boot service's address in the script [SERVER]"},
        {"loader", Kind::option, "Whose script [what the node loads]", {"ipxe", "grub"}}},
       {"drover boot show n1", "drover boot show n1 --script --from 10.77.0.1"},
       show},
      {"boot",
       "set",
       "Say what nodes boot: from now on, or with --next once",
       {{"noderange", Kind::required, "Nodes"},
        {"image", Kind::option, "The image: NAME, NAME:TAG or NAME@DIGEST"},
        {"profile", Kind::option, "A profile to take; with --next stronger than all else"},
        {"mode", Kind::option, "How they run it", {"lean", "image", "disk"}},
        {"next", Kind::flag, "For the next boot alone, which uses it up"},
        {"clear", Kind::flag, "Take back what --next said"},
        why_option(),
        dry_run_flag()},
       {"drover boot set 'n[1-8]' --image rocky9:stable --why 'new kernel'",
        "drover boot set n1 --image rescue --mode lean --next", "drover boot set n1 --clear"},
       set},
  };
}

}  // namespace drover::cli
