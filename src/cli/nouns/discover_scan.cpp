// drover discover scan, list and forget: which BMCs there are on networks.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/discover.hpp"
#include "cli/nouns/operation.hpp"
#include "cli/nouns/power.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kFound = "/api/v1/discover/bmcs";
/// What the API says of an address where there is none begins so.
constexpr std::string_view kNone = "no BMC";

Result<json::array> ports_of(const Given& given, const char* option) {
  json::array out;
  for (const std::string& part : split_list(given.text(option))) {
    DROVER_TRY(const uint64_t port, number_of(fmt::format("--{}", option), part));
    out.emplace_back(port);
  }
  return out;
}

Result<json::object> request_of(const Given& given) {
  json::object request;
  json::array& networks = request["networks"].emplace_array();
  for (const std::string& network : given.all("networks")) networks.emplace_back(network);
  for (const auto& [option, field] :
       {std::pair{"ports", "ports"}, {"plain-ports", "plain_ports"}}) {
    if (!given.has(option)) continue;
    DROVER_TRY(request[field], ports_of(given, option));
  }
  for (const auto& [option, field] : {std::pair{"ipmi-port", "ipmi_port"},
                                      {"at-a-time", "at_a_time"},
                                      {"per-second", "per_second"},
                                      {"patience", "patience_ms"}}) {
    if (!given.has(option)) continue;
    DROVER_TRY(request[field], number_of(fmt::format("--{}", option), given.text(option)));
  }
  if (given.has("no-ipmi")) request["ipmi"] = false;
  if (given.has("fresh")) request["fresh"] = true;
  if (given.has("why")) request["why"] = given.text("why");
  return request;
}

Result<int> show_plan(Context& context, const json::value& plan) {
  if (!context.for_people()) return context.print_document(plan, 0);
  const std::string asks = text_at(plan, "asks");
  context.print(printable(fmt::format("would ask {}", asks.empty() ? "nobody" : asks)) + "\n");
  context.print(fmt::format("{} addresses, {} of them known; about {} s at most\n",
                            text_at(plan, "addresses"), text_at(plan, "known"),
                            text_at(plan, "seconds")));
  const json::value* questions = find_path(plan, "questions");
  if (questions == nullptr || !questions->is_array()) return 0;
  for (const json::value& question : questions->get_array()) {
    context.print(fmt::format("  {}\n", scalar_text(question)));
  }
  return 0;
}

/// How many addresses of an operation have a BMC.
uint64_t found_in(const json::value& operation) {
  const json::value* groups = find_path(operation, "groups");
  if (groups == nullptr || !groups->is_array()) return 0;
  uint64_t found = 0;
  for (const json::value& group : groups->get_array()) {
    if (text_at(group, "outcome") != "done" || text_at(group, "result").starts_with(kNone))
      continue;
    const json::value* count = find_path(group, "count");
    if (count != nullptr && count->is_number()) found += count->to_number<uint64_t>();
  }
  return found;
}

/// One line of a terminal, written over.
class ScanLine {
 public:
  explicit ScanLine(Context& context)
      : context_(context), shown_(context.surroundings().out_is_terminal && context.for_people()) {}
  ScanLine(const ScanLine&) = delete;
  ScanLine& operator=(const ScanLine&) = delete;
  ~ScanLine() { write({}); }
  void show(const json::value& operation) {
    write(fmt::format("{} of {} addresses asked, {} BMCs found", text_at(operation, "settled"),
                      text_at(operation, "total"), found_in(operation)));
  }

 private:
  void write(const std::string& text) {
    if (!shown_ || text == last_) return;
    last_ = text;
    context_.surroundings().err("\r\x1b[K" + printable(text));
  }
  Context& context_;
  bool shown_;
  std::string last_;
};

/// What was found, then in one line what was not.
Result<int> print_found(Context& context, const json::value& operation) {
  const json::value* groups = find_path(operation, "groups");
  if (!context.for_people() || groups == nullptr || !groups->is_array()) {
    return print_ended(context, operation);
  }
  json::value some = operation;
  json::array& kept = some.as_object()["groups"].emplace_array();
  std::string none;
  for (const json::value& group : groups->get_array()) {
    if (text_at(group, "result").starts_with(kNone)) {
      none += fmt::format("{} addresses: {}\n", text_at(group, "count"), text_at(group, "result"));
    } else {
      kept.push_back(group);
    }
  }
  const Result<int> code = print_ended(context, some);
  context.print(none);
  return code;
}

Result<int> scan(Context& context, const Given& given) {
  DROVER_TRY(const json::object request, request_of(given));
  DROVER_TRY(Client* const client, context.client());
  const bool dry = given.has("dry-run");
  DROVER_TRY(
      const json::value answer,
      client->send("POST", fmt::format("/api/v1/discover/scan{}", dry ? "?dry_run=true" : ""),
                   request, std::chrono::seconds(10)));
  if (dry) return show_plan(context, answer);
  const std::string id = text_at(answer, "id");
  if (given.has("async")) {
    if (!context.for_people()) return context.print_document(answer, 0);
    context.print(id + "\n");
    return 0;
  }
  const auto wait = [&context, &id]() -> Result<json::value> {
    ScanLine line(context);
    OperationSeen seen;
    if (context.surroundings().out_is_terminal) {
      seen = [&line](const json::value& operation) { line.show(operation); };
    }
    return await_operation(context, id, std::move(seen));
  };
  DROVER_TRY(const json::value ended, wait());
  return print_found(context, ended);
}

Result<int> list(Context& context, const Given& /*given*/) {
  static const ListView view{{{"ADDRESS", "address"},
                              {"PORT", "port", Show::number},
                              {"REDFISH", "redfish_version"},
                              {"IPMI", "ipmi_version"},
                              {"VENDOR", "vendor", Show::text, false, true},
                              {"PRODUCT", "product", Show::text, true, true},
                              {"UUID", "uuid", Show::text, true},
                              {"MACHINES", "machines", Show::number},
                              {"NODES", "nodes"},
                              {"FOUND", "found", Show::age}},
                             "",
                             "address",
                             "found-bmc",
                             "no scan has found a BMC yet"};
  return context.print_list_at(std::string(kFound), view);
}

Result<int> forget(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  for (const std::string& address : given.all("addresses")) {
    std::string path = fmt::format("{}/{}", kFound, net::percent_encode(address));
    if (given.has("why")) path += "?why=" + net::percent_encode(given.text("why"));
    DROVER_CHECK_OK(client->send("DELETE", path, json::value(), context.timeout()));
  }
  return 0;
}

}  // namespace

std::vector<Command> discover_scan_commands() {
  return {{"discover",
           "scan",
           "Look for BMCs on networks, by Redfish and IPMI without signing in",
           {{"networks", Kind::many, "10.1.0.0/24, 10.1.0.9-10.1.0.40 or 10.1.0.7"},
            {"ports", Kind::option, "Ports of Redfish by HTTPS, joined by commas [443]"},
            {"plain-ports", Kind::option, "Ports of Redfish by HTTP, joined by commas [80]"},
            {"no-ipmi", Kind::flag, "Ask by Redfish alone"},
            {"ipmi-port", Kind::option, "UDP port of IPMI [623]"},
            {"at-a-time", Kind::option, "How many addresses are asked at a time [256]"},
            {"per-second", Kind::option, "How many addresses begin in a second [500]"},
            {"patience", Kind::option, "Milliseconds that one address may take [3000]"},
            {"fresh", Kind::flag, "Ask addresses too whose BMC is known"},
            {"why", Kind::option, "Reason, kept in the history"},
            {"async", Kind::flag, "Do not wait: print the operation's id"},
            {"dry-run", Kind::flag, "Show what would be asked"}},
           {"drover discover scan 10.1.0.0/24",
            "drover discover scan 10.1.0.0/22 --ports 443,8443 --per-second 100 --dry-run"},
           scan},
          {"discover",
           "list",
           "List the BMCs that scans have found, and the nodes that they became",
           {},
           {"drover discover list"},
           list},
          {"discover",
           "forget",
           "Forget BMCs that scans have found: the next scan asks there again",
           {{"addresses", Kind::many, "Addresses of BMCs"},
            {"why", Kind::option, "Reason, kept in the history"}},
           {"drover discover forget 10.1.0.7"},
           forget}};
}

}  // namespace drover::cli
