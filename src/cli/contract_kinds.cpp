// The schemas of api/openapi.yaml by the words of the command line.
#include "cli/contract_kinds.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cli/contract_schemas.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace drover::cli {
namespace {

struct Row {
  std::string_view kind;
  std::string_view schema;
  std::string_view help;
};

constexpr std::array<Row, 48> kRows{
    {{"group", "GroupView", "a group, as drover group show -o json gives it"},
     {"profile", "ProfileView", "a profile, as drover profile show -o json gives it"},
     {"network", "NetworkView", "a network, as drover network show -o json gives it"},
     {"image", "ImageView", "an image, as drover image show -o json gives it"},
     {"cloud-init", "CloudInitView", "what cloud-init is told, of one owner"},
     {"node-cloud-init", "NodeCloudInit", "what cloud-init is told on a node"},
     {"node-secrets", "NodeSecrets", "secrets of a node, for the boot daemon that booted it"},
     {"steps", "NodeStepsView", "what nodes do before they are up, of one owner"},
     {"node-steps", "StepsOfNode", "what a node does before it is up: drover node steps -o json"},
     {"overlay", "OverlayView", "files that nodes are given, of one owner"},
     {"node-overlay", "OverlayOfNode", "files that a node shall have: drover overlay show -o json"},
     {"overlay-state", "OverlayState", "whether a node has its files: drover overlay status"},
     {"boot", "NodeBoot", "what a node would boot: drover boot show -o json"},
     {"boot-next", "BootNext", "what is said of a node's next boot alone"},
     {"lease", "BootLease", "an address that a boot daemon deals out: drover boot leases"},
     {"unknown-machine", "UnknownMachine", "a machine of no node: drover boot unknown"},
     {"change", "Change", "an entry of the change log: drover history -o json"},
     {"revert", "RevertResult", "what drover revert did"},
     {"operation", "Operation", "a long-running request: drover operation show"},
     {"call", "Call", "what nodes answered to drover call"},
     {"bulk", "BulkResult", "the outcome of a change of many nodes"},
     {"plan", "ApplyPlan", "what drover apply does or would do"},
     {"document", "ClusterDocument", "what drover export writes and drover apply takes"},
     {"setting", "SettingView", "a setting of the cluster: drover setting list -o json"},
     {"effective", "EffectiveAttribute", "an attribute in effect: drover node attributes"},
     {"node-attribute", "NodeAttribute", "an attribute of many nodes, with its node"},
     {"states", "NodeState", "a node's states in other systems' words"},
     {"metrics", "NodeMetrics", "the newest measurements of a node"},
     {"audit", "AuditRecord", "a record of the audit: drover audit -o json"},
     {"grant", "GrantList", "the list of grants: drover grant list"},
     {"credential", "Credential", "a credential of a person or program: drover credential list"},
     {"issuer", "TrustedIssuer", "an issuer of tokens that is trusted: drover issuer list"},
     {"bmc-credential", "BmcCredential",
      "for which BMCs a password is kept: drover power credentials -o json"},
     {"bmc", "BmcView", "a BMC and what is behind it: drover bmc show -o json"},
     {"bmc-row", "BmcRow", "a BMC in a list: drover bmc list -o json"},
     {"found-bmc", "FoundBmcView", "a BMC that a scan has found: drover discover list -o json"},
     {"sensors", "NodeReadings", "what the sensors of a node say, as GET /bmc-sensors gives it"},
     {"console", "Console", "a serial console and who is at it: drover console -o json"},
     {"certificate", "DaemonCertificate", "a daemon's certificate: drover certificate list"},
     {"token", "Token", "a token to join with: drover token list"},
     {"whoami", "Whoami", "who you are to the cluster: drover whoami"},
     {"version", "Version", "versions: drover version"},
     {"local", "Local", "a daemon of this host: drover local"},
     {"log-levels", "LogLevels", "what a daemon logs: drover log level"},
     {"name", "KnownName", "a name that the cluster knows, for completion"},
     {"expanded", "ExpandedNoderange", "a noderange as names: drover nodes expand"},
     {"folded", "FoldedNoderange", "names as a noderange: drover nodes fold"},
     {"count", "NoderangeCount", "how many a noderange names: drover nodes count"}}};

std::map<std::string, std::string> read_schemas() {
  std::map<std::string, std::string> out;
  const auto parsed = parse_yaml(kContractSchemas);
  const json::object* const all = parsed ? parsed->if_object() : nullptr;
  const json::value* const schemas = all == nullptr ? nullptr : all->if_contains("schemas");
  if (schemas == nullptr || !schemas->is_object()) return out;
  for (const auto& [name, schema] : schemas->get_object()) out[name] = to_text(schema);
  return out;
}

std::vector<FieldKind> read_kinds() {
  std::vector<FieldKind> out;
  const auto schemas = read_schemas();
  for (const FieldKind& kind : field_kinds()) {
    const bool shown = std::ranges::find(kRows, kind.name, &Row::kind) == kRows.end();
    if (shown) out.push_back(kind);
  }
  for (const Row& row : kRows) {
    out.push_back({std::string(row.kind), std::string(row.help), flattened(schemas, row.schema)});
  }
  return out;
}

}  // namespace

const std::vector<FieldKind>& explained_kinds() {
  static const std::vector<FieldKind> all = read_kinds();
  return all;
}

}  // namespace drover::cli
