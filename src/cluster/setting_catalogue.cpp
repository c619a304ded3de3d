// The catalogue of cluster settings: to add one, add a row here and make somebody act on it.
#include "base/log_levels.hpp"
#include "cluster/net_address.hpp"
#include "cluster/settings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

/// "10.0.0.1", "10.0.0.1:5353", "fd00::1" or "[fd00::1]:53", with commas between.
Status check_name_servers(const std::string& text) {
  for (const std::string& server : split_config_list(text)) {
    std::string_view address = server;
    std::string_view port = "53";
    const size_t colon = address.rfind(':');
    const bool bracketed = address.starts_with('[');
    const bool has_port = bracketed
                              ? address.substr(0, colon).ends_with(']') && !address.ends_with(']')
                              : std::ranges::count(address, ':') == 1;
    if (has_port) {
      port = address.substr(colon + 1);
      address = address.substr(0, colon);
    }
    if (bracketed && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool good = error == std::errc() && end == port.data() + port.size() && number != 0;
    if (good && address_octets(address)) continue;
    return fail(Code::invalid_argument, fmt::format("'{}' is no address of a name server", server),
                "write 10.0.0.1, 10.0.0.1:5353 or [fd00::1]:53");
  }
  return {};
}

Status check_folders(const std::string& text) {
  for (const std::string& folder : split_config_list(text)) {
    const bool good = folder.starts_with('/') && folder.find_first_not_of('/') != folder.npos &&
                      folder.find("..") == folder.npos;
    if (good) continue;
    return fail(Code::invalid_argument, fmt::format("'{}' is no folder for sockets", folder),
                "write it from / on, without .., such as /run/consoles");
  }
  return {};
}

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

std::vector<SettingRow> tree_rows() {
  return {
      {{.key = "tree.heartbeat",
        .type = ConfigType::duration,
        .standard = "1s",
        .help = "Time between two heartbeats on a link.",
        .least = 50,
        .most = 60'000},
       "every daemon"},
      {{.key = "tree.silence",
        .type = ConfigType::duration,
        .standard = "3s",
        .help = "Silence after which a link is lost; at least two heartbeats.",
        .least = 150,
        .most = 600'000},
       "every daemon"},
      {{.key = "tree.hold",
        .type = ConfigType::duration,
        .standard = "1m",
        .help = "How long a returned aggregator must stay before its nodes move home.",
        .least = 0,
        .most = kDayMs},
       "master"},
      {{.key = "tree.move_least",
        .type = ConfigType::integer,
        .standard = "4",
        .help = "Nodes that may be on their way home at once, at least.",
        .least = 1,
        .most = 100'000},
       "master"},
      {{.key = "tree.move_percent",
        .type = ConfigType::integer,
        .standard = "5",
        .help = "Share of all nodes that may be on their way home at once, in percent.",
        .least = 0,
        .most = 100},
       "master"},
      {{.key = "tree.grace",
        .type = ConfigType::duration,
        .standard = "15s",
        .help = "How long a master that has just started waits for aggregators before it calls "
                "their nodes lost.",
        .least = 0,
        .most = kHourMs},
       "master",
       false},
  };
}

std::vector<SettingRow> other_rows() {
  return {
      {{.key = "telemetry.interval",
        .type = ConfigType::duration,
        .standard = "1s",
        .help = "Time between two readings of a node's load, memory, temperatures ..",
        .least = 200,
        .most = kHourMs},
       "nodes"},
      {{.key = "log.level",
        .type = ConfigType::choice,
        .standard = "info",
        .help = "Least severity that is logged.",
        .choices = {"debug", "info", "notice", "warning", "error"}},
       "every daemon"},
      {{.key = "log.levels",
        .type = ConfigType::list,
        .help = "Least severity per component, as COMPONENT=LEVEL,..",
        .rule = check_log_levels},
       "every daemon"},
      {{.key = "certificate.lifetime",
        .type = ConfigType::duration,
        .standard = "7d",
        .help = "Lifetime of the certificates that daemons get from now on.",
        .least = 10'000,
        .most = 365 * kDayMs},
       "master"},
      {{.key = "join.service",
        .type = ConfigType::choice,
        .standard = "discovered",
        .help = "Service state of a node that joins and was not defined before.",
        .choices = {"discovered", "in_service"}},
       "master"},
      {{.key = "join.token_lifetime",
        .type = ConfigType::duration,
        .standard = "30d",
        .help = "Longest lifetime that a join token may be given.",
        .least = 1'000,
        .most = 30 * kDayMs},
       "master"},
      {{.key = "api.rate",
        .type = ConfigType::integer,
        .standard = "200",
        .help = "Requests a second that one API client may make on the long run; 0: any.",
        .least = 0,
        .most = 1'000'000},
       "master"},
      {{.key = "api.burst",
        .type = ConfigType::integer,
        .standard = "1000",
        .help = "Requests that one API client may make at once after a pause.",
        .least = 1,
        .most = 1'000'000},
       "master"},
      {{.key = "history.keep_days",
        .type = ConfigType::integer,
        .standard = "365",
        .help = "Days after which a change goes from the log to the archive.",
        .least = 1,
        .most = 36'500},
       "master"},
      {{.key = "history.keep_changes",
        .type = ConfigType::integer,
        .standard = "1000000",
        .help = "Changes that the log holds at most; the oldest go to the archive.",
        .least = 1'000,
        .most = 100'000'000},
       "master"},
      {{.key = "console.sockets",
        .type = ConfigType::list,
        .help =
            "Folders of this host whose Unix sockets may be consoles of nodes (console_socket): "
            "/FOLDER,..; none: no socket may.",
        .rule = check_folders},
       "master"},
      {{.key = "dns.upstreams",
        .type = ConfigType::list,
        .help =
            "Name servers that boot daemons ask about other names than the cluster's, for "
            "machines on its networks: ADDRESS or ADDRESS:PORT,..; none: such names are refused.",
        .rule = check_name_servers},
       "boot daemons"},
      {{.key = "smd.open_reads",
        .type = ConfigType::boolean,
        .standard = "false",
        .help =
            "Whether anyone may read SMD's components and interfaces without a token, as coresmd "
            "does, and BSS's boot scripts."},
       "master"},
      {{.key = "smd.strict",
        .type = ConfigType::boolean,
        .standard = "false",
        .help =
            "Whether /hsm/v2 and /boot/v1 answer as SMD and BSS do also where that is a fault: 204 "
            "for changes of what is not there or may not be, 500 for malformed bodies."},
       "master"},
      {{.key = "confirm.above",
        .type = ConfigType::integer,
        .standard = "16",
        .help = "A change of more nodes than this is asked about first.",
        .least = 1,
        .most = 1'000'000},
       "command line"},
  };
}

}  // namespace

std::span<const SettingRow> setting_catalogue() {
  static const std::vector<SettingRow> kRows = [] {
    std::vector<SettingRow> rows = tree_rows();
    for (SettingRow& row : other_rows()) rows.push_back(std::move(row));
    return rows;
  }();
  return kRows;
}

std::string setting_rule(const SettingRow& row) {
  const ConfigOption& option = row.option;
  if (!option.choices.empty()) return fmt::format("one of {}", fmt::join(option.choices, ", "));
  std::string out(expectation(option.type));
  const auto bound = [&](int64_t value) {
    return option.type == ConfigType::duration ? duration_text(std::chrono::milliseconds(value))
                                               : std::to_string(value);
  };
  if (option.least != INT64_MIN) out += fmt::format(", from {}", bound(option.least));
  if (option.most != INT64_MAX) out += fmt::format(" to {}", bound(option.most));
  return out;
}

}  // namespace drover::cluster
