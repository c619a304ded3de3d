// The command table, put together from its nouns.
#include "cli/command.hpp"

#include "cli/nouns/bmc.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "cli/nouns/discover.hpp"
#include "cli/nouns/nouns.hpp"
#include "cli/nouns/operation.hpp"
#include "cli/nouns/power.hpp"

#include <iterator>

namespace drover::cli {

const std::string& Given::text(std::string_view name) const {
  static const std::string none;
  const auto it = values_.find(name);
  return it == values_.end() || it->second.empty() ? none : it->second.front();
}

const std::vector<std::string>& Given::all(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto it = values_.find(name);
  return it == values_.end() ? none : it->second;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> out;
    for (auto* rows :
         {node_commands,       node_change_commands, group_commands,       profile_commands,
          image_commands,      initramfs_commands,   network_commands,     boot_plan_commands,
          cloud_init_commands, node_steps_commands,  steps_commands,       overlay_commands,
          boot_watch_commands, boot_log_commands,    boot_lease_commands,  boot_machine_commands,
          nodes_commands,      apply_commands,       edit_commands,        import_commands,
          health_commands,     call_commands,        power_commands,       discover_commands,
          bmc_commands,        bmc_sensor_commands,  console_commands,     operation_commands,
          watch_commands,      history_commands,     backup_commands,      setting_commands,
          config_commands,     log_commands,         token_commands,       credential_commands,
          grant_commands,      issuer_commands,      certificate_commands, whoami_commands,
          audit_commands,      lab_commands,         join_commands,        local_commands,
          version_commands,    completion_commands,  explain_commands,     man_commands,
          top_commands}) {
      auto more = rows();
      std::move(more.begin(), more.end(), std::back_inserter(out));
    }
    return out;
  }();
  return all;
}

const std::vector<Noun>& nouns() {
  static const std::vector<Noun> all{
      {"node", "Show and steer nodes"},
      {"group", "Groups of nodes, static and dynamic"},
      {"profile", "Attributes under a name, for nodes and groups to take"},
      {"image", "What nodes boot: kernels and roots, with their versions"},
      {"network", "Networks that nodes are on, and what is served there"},
      {"boot", "What nodes boot, and how they get on with it"},
      {"cloud-init", "What nodes are told when they boot an image"},
      {"steps", "What nodes do before they are up"},
      {"overlay", "Files that nodes are given while they run"},
      {"lab", "A cluster of virtual machines on this host"},
      {"nodes", "Expand, fold and count noderanges"},
      {"import", "Read files of other systems as documents"},
      {"call", "Ask the agents on nodes"},
      {"power", "Power and boot device of nodes, by their BMCs"},
      {"discover", "Find BMCs and what is behind them"},
      {"bmc", "Controllers of machines, and what was found behind them"},
      {"operation", "Long-running requests"},
      {"setting", "Settings of the whole cluster"},
      {"config", "The daemons' own files on this host"},
      {"log", "What running daemons log"},
      {"token", "Join tokens for new hosts"},
      {"credential", "Tokens and certificates of people and programs"},
      {"grant", "Who has which role"},
      {"issuer", "OIDC issuers whose tokens are taken"},
      {"certificate", "Certificates of daemons"}};
  return all;
}

const std::vector<Parameter>& global_parameters() {
  using Kind = Parameter::Kind;
  static const std::vector<Parameter> all{
      {"socket", Kind::option, "Local daemon's socket [DROVER_SOCKET, else /run/drover/*.sock]"},
      {"server", Kind::option, "A master elsewhere: https://HOST:PORT [DROVER_SERVER]"},
      {"cert", Kind::option, "Own certificate for --server, PEM file [DROVER_CERT]"},
      {"key", Kind::option, "Its private key, PEM file [DROVER_KEY]"},
      {"ca", Kind::option, "The cluster's CA for --server, PEM file [DROVER_CA]"},
      {"token-file", Kind::option,
       "Bearer token for --server, in a file or - [DROVER_TOKEN_FILE, DROVER_TOKEN]"},
      {"output",
       Kind::option,
       "Form of the answer",
       {"table", "wide", "json", "jsonl", "yaml", "csv", "name"},
       'o'},
      {"columns", Kind::option, "Columns to show, by title or JSON path: name,phase.state"},
      {"sort", Kind::option, "Order of a list: [-]COLUMN or PATH, [..]; - for descending"},
      {"filter", Kind::repeated, "Only items that pass: phase.state=up, 'summary.cpus>=64', .."},
      {"watch", Kind::flag, "Show it again whenever something changes; Ctrl-C leaves", {}, 'w'},
      {"yes", Kind::flag, "Do not ask before a change of many nodes", {}, 'y'},
      {"no-header", Kind::flag, "Leave out the table's header"},
      {"no-color", Kind::flag, "No colours (NO_COLOR does the same)"},
      {"timeout", Kind::option, "Longest wait for an answer [10s]"},
  };
  return all;
}

}  // namespace drover::cli
