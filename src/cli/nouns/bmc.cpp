// drover bmc: the controllers of machines, and what was found behind them.
#include "cli/nouns/bmc.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/image.hpp"
#include "cluster/bmc/bmc.hpp"
#include "net/http/target.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kBmcs = "/api/v1/bmcs";

const ListView& bmc_view() {
  static const ListView view{.columns = {{"BMC", "name"},
                                         {"ADDRESS", "address"},
                                         {"NODES", "nodes"},
                                         {"VENDOR", "vendor", Show::text, false, true},
                                         {"MODEL", "model", Show::text, false, true},
                                         {"FIRMWARE", "firmware"},
                                         {"MACHINES", "machines", Show::number},
                                         {"PARTS", "parts", Show::number},
                                         {"NICS", "nics", Show::number, true},
                                         {"WARNINGS", "warnings", Show::number},
                                         {"LOOKED", "looked", Show::age},
                                         {"STATUS", "status", Show::text, true}},
                             .kind = "bmc-row",
                             .when_empty = "no BMCs: drover discover collect looks through them"};
  return view;
}

Result<int> list(Context& context, const Given& /*given*/) {
  return context.print_list_at(std::string(kBmcs), bmc_view());
}

/// "  what      text", nothing when there is no text.
std::string line(std::string_view what, const std::string& text) {
  return text.empty() ? std::string() : fmt::format("  {:<11} {}\n", what, printable(text));
}

/// What is not empty, with two spaces between.
std::string joined(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += "  ";
    out += part;
  }
  return out;
}

std::string named(std::string_view what, const std::string& value) {
  return value.empty() ? std::string() : fmt::format("{} {}", what, value);
}

std::string list_of_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

/// Equal parts in one line: "8 x 64.0 GiB DDR5 Contoso M-1".
class Counted {
 public:
  void add(std::string text) {
    if (!text.empty()) ++counts_[std::move(text)];
  }
  [[nodiscard]] std::string lines(std::string_view what) const {
    std::string out;
    for (const auto& [text, count] : counts_)
      out += line(what, fmt::format("{} x {}", count, text));
    return out;
  }

 private:
  std::map<std::string, size_t, NaturalLess> counts_;
};

std::string processor_text(const cluster::BmcProcessor& part) {
  return joined({part.identity.manufacturer, part.identity.model,
                 part.cores ? fmt::format("{} cores", *part.cores) : ""});
}

std::string system_text(const cluster::BmcSystem& system) {
  std::string out = fmt::format(
      "{}\n", printable(joined({system.identity.id, system.identity.manufacturer,
                                system.identity.model, named("serial", system.identity.serial)})));
  out +=
      line("power",
           joined({std::string(enum_name(system.power)), named("when fed", system.restore_policy),
                   named("boots", system.boot.enabled == "Disabled"
                                      ? ""
                                      : joined({system.boot.target, system.boot.enabled}))}));
  out += line("health", system.identity.health);
  out += line("uuid", system.uuid);
  out += line("bios", system.bios_version);
  Counted processors;
  Counted accelerators;
  Counted memory;
  Counted drives;
  for (const auto& part : system.processors) processors.add(processor_text(part));
  for (const auto& part : system.accelerators) accelerators.add(processor_text(part));
  for (const auto& part : system.memory) {
    memory.add(joined({part.capacity_mib ? size_text(*part.capacity_mib << 20) : "", part.kind,
                       part.identity.manufacturer, part.identity.part_number}));
  }
  for (const auto& part : system.drives) {
    drives.add(joined({part.capacity_bytes ? size_text(*part.capacity_bytes) : "", part.protocol,
                       part.media, part.identity.manufacturer, part.identity.model}));
  }
  out += processors.lines("processor") + accelerators.lines("accelerator");
  out += memory.lines("memory") + drives.lines("drive");
  for (const auto& nic : system.nics) {
    out += line(
        "nic", joined({nic.id, nic.mac.empty() ? "no MAC" : nic.mac, list_of_texts(nic.addresses),
                       nic.link, nic.speed_mbps ? fmt::format("{} Mbit/s", *nic.speed_mbps) : ""}));
  }
  return out;
}

std::string inventory_text(const cluster::BmcInventory& found) {
  std::string out;
  for (const auto& manager : found.managers) {
    std::string addresses;
    for (const auto& nic : manager.nics) {
      addresses = joined({addresses, nic.mac, list_of_texts(nic.addresses)});
    }
    out += line("controller",
                joined({manager.identity.id, manager.identity.manufacturer, manager.identity.model,
                        named("firmware", manager.firmware_version), addresses}));
  }
  for (const auto& chassis : found.chassis) {
    out += line("enclosure", joined({chassis.identity.id, chassis.kind, chassis.identity.model,
                                     named("serial", chassis.identity.serial)}));
    for (const auto& supply : chassis.power_supplies) {
      out += line("supply",
                  joined({supply.identity.name, supply.identity.manufacturer, supply.identity.model,
                          supply.capacity_watts ? fmt::format("{:g} W", *supply.capacity_watts)
                                                : std::string()}));
    }
  }
  for (const auto& system : found.systems) out += system_text(system);
  if (!found.firmware.empty()) out += "firmware\n";
  for (const auto& firmware : found.firmware) {
    out += line(firmware.version.empty() ? "?" : firmware.version,
                joined({firmware.name.empty() ? firmware.id : firmware.name,
                        firmware.updateable.value_or(false) ? "updateable" : ""}));
  }
  if (!found.warnings.empty()) out += "warnings\n";
  for (const auto& warning : found.warnings) {
    out += fmt::format("  {}\n", printable(joined({warning.path, warning.text})));
  }
  if (!found.complete) out += "the look did not see everything\n";
  return out;
}

Result<int> show(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one,
             client->get(fmt::format("{}/{}", kBmcs, net::percent_encode(given.text("bmc"))),
                         context.timeout()));
  if (!context.for_people()) return context.print_document(one);
  DROVER_TRY(const auto bmc, decode<cluster::ManagedBmc>(one, Unknown::ignore));
  const bool never = bmc.look.attempted == WallTime{};
  context.print(fmt::format(
      "{}\n", printable(joined({bmc.name, bmc.address, named("nodes", text_at(one, "nodes"))}))));
  context.print(line("looked at", never ? std::string("never")
                                        : joined({to_rfc3339(bmc.look.attempted), bmc.look.status,
                                                  named("Redfish", bmc.look.redfish_version)})));
  context.print(line("user", bmc.user) + line("description", bmc.description));
  if (bmc.inventory) {
    context.print(inventory_text(*bmc.inventory));
  } else {
    context.warn("nothing of it was seen yet: drover discover collect");
  }
  return 0;
}

}  // namespace

std::vector<Command> bmc_commands() {
  return {{"bmc", "list", "The BMCs, and how much is behind each", {}, {"drover bmc list"}, list},
          {"bmc",
           "show",
           "All that was found behind a BMC: machines, parts, addresses, firmware, warnings",
           {{"bmc", Kind::required, "Its name, its address, or a node that it is the BMC of"}},
           {"drover bmc show n17", "drover bmc show 10.1.3.17 -o yaml"},
           show}};
}

}  // namespace drover::cli
