// drover bmc sensors: what the sensors of nodes say now.
#include "base/json_values.hpp"
#include "cli/context.hpp"
#include "cli/nouns/bmc.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// As the answer says it, without the many digits that a binary number has.
std::string number_text(const json::value& value) {
  if (!value.is_double()) return value.is_number() ? json::serialize(value) : std::string();
  return fmt::format("{:.4g}", value.get_double());
}

/// One row of each reading, and of each node that could not be asked a warning.
json::array rows_of(Context& context, const json::array& nodes, const std::string& kind,
                    bool& failed) {
  json::array rows;
  for (const json::value& node : nodes) {
    const std::string name = text_at(node, "node");
    const std::string why = text_at(node, "error.message");
    if (!why.empty()) {
      failed = true;
      context.warn(fmt::format("{}: {}", name, why));
    }
    const json::value* readings = find_path(node, "readings");
    if (readings == nullptr || !readings->is_array()) continue;
    for (const json::value& reading : readings->get_array()) {
      const bool other = !kind.empty() && text_at(reading, "kind") != kind;
      if (other || !reading.is_object()) continue;
      json::object row = reading.get_object();
      row["node"] = name;
      for (const char* field : {"value", "upper_critical"}) {
        if (context.for_people() && row.contains(field)) row[field] = number_text(row.at(field));
      }
      rows.emplace_back(std::move(row));
    }
  }
  return rows;
}

Result<int> sensors(Context& context, const Given& given) {
  DROVER_CHECK_OK(check_range(given.text("noderange")));
  DROVER_TRY(Client* const client, context.client());
  constexpr Duration kLongest = std::chrono::seconds(60);
  DROVER_TRY(const json::array nodes, client->list("/api/v1/bmc-sensors?nodes=" +
                                                       net::percent_encode(given.text("noderange")),
                                                   kLongest));
  static const ListView view{{{"NODE", "node"},
                              {"SENSOR", "name"},
                              {"KIND", "kind"},
                              {"VALUE", "value", Show::number},
                              {"UNIT", "unit"},
                              {"CRITICAL", "upper_critical", Show::number},
                              {"HEALTH", "health", Show::state}},
                             "",
                             "node"};
  bool failed = false;
  json::array rows = rows_of(context, nodes, given.text("kind"), failed);
  return context.print_list(std::move(rows), view, failed ? 1 : 0);
}

}  // namespace

std::vector<Command> bmc_sensor_commands() {
  return {{"bmc",
           "sensors",
           "Show what the sensors of nodes say now",
           {{"noderange", Kind::required, "Nodes"},
            {"kind",
             Kind::option,
             "Only of this kind",
             {"temperature", "fan", "voltage", "power", "other"}}},
           {"drover bmc sensors n1", "drover bmc sensors @rack1 --kind temperature"},
           sensors}};
}

}  // namespace drover::cli
