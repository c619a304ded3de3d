#include "api/console_targets.hpp"

#include "cluster/attributes.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/hardware/bmc_inventory.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint16_t kSsh = 22;

/// What the BMC at an address was found to offer; nothing where nobody has looked.
struct Offer {
  bool known = false;
  bool ipmi = false;
  bool ssh = false;
  std::optional<uint16_t> ssh_port;  ///< of a console of the system alone
};

void add(const cluster::BmcConsole& console, bool of_system, Offer& offer) {
  if (!console.serial) return;
  const auto& all = console.protocols;
  offer.ipmi = offer.ipmi || std::ranges::find(all, "IPMI") != all.end();
  offer.ssh = offer.ssh || std::ranges::find(all, "SSH") != all.end();
  if (of_system && console.ssh_port) offer.ssh_port = console.ssh_port;
}

Offer offer_of(const cluster::Model& model, const PowerTarget& target) {
  Offer offer;
  for (const auto& [name, bmc] : model.hardware().bmcs()) {
    if (bmc.address != target.address || !bmc.inventory) continue;
    offer.known = true;
    for (const cluster::BmcSystem& system : bmc.inventory->systems) {
      const bool meant = target.system.empty() || system.identity.id == target.system;
      if (meant) add(system.console, true, offer);
    }
    for (const cluster::BmcManager& manager : bmc.inventory->managers) {
      add(manager.console, false, offer);
    }
  }
  return offer;
}

class Reader {
 public:
  Reader(const cluster::Model& model, const cluster::NodeEntry& entry)
      : model_(model),
        node_(entry.node().name),
        definitions_(model),
        attributes_(entry.node(), definitions_) {}

  Result<ConsoleTarget> target() {
    DROVER_TRY(const std::string by, text("console_by"));
    if (by == "off") {
      return fail(Code::conflict, fmt::format("the console of {} is off", node_),
                  fmt::format("drover node set {} console_by=auto", node_));
    }
    ConsoleTarget out;
    if (by == "socket") return socket();
    DROVER_TRY(out.bmc, power_target(model_, node_));
    DROVER_TRY(const bool ssh, by_ssh(by, out.bmc));
    out.kind = ssh ? ConsoleKind::ssh : ConsoleKind::ipmi;
    DROVER_TRY(const std::string port, text("console_port"));
    if (!port.empty()) {
      std::from_chars(port.data(), port.data() + port.size(), out.bmc.at.port);
    } else if (ssh) {
      out.bmc.at.port = offer_of(model_, out.bmc).ssh_port.value_or(kSsh);
    } else if (out.bmc.protocol != cluster::BmcProtocol::ipmi) {
      out.bmc.at.port = hardware::kIpmiPort;
    }
    if (!ssh) return out;
    DROVER_TRY(out.command, text("console_command"));
    return out;
  }

 private:
  Result<std::string> text(const std::string& name) {
    DROVER_TRY(auto value, attributes_.value(name));
    return std::move(value).value_or("");
  }

  Result<bool> by_ssh(const std::string& by, const PowerTarget& bmc) {
    if (by == "ssh" || by == "ipmi") return by == "ssh";
    if (bmc.protocol == cluster::BmcProtocol::ipmi) return false;
    const Offer offer = offer_of(model_, bmc);
    // A port of the system's own leads to the console; a controller's may lead to its shell.
    if (offer.ssh_port) return true;
    if (offer.ipmi) return false;
    if (offer.ssh) return true;
    if (by != "redfish") return false;
    return fail(Code::conflict,
                fmt::format("the BMC of {} {}", node_,
                            offer.known ? "offers no serial console" : "was not looked through"),
                offer.known ? fmt::format("drover node set {} console_by=ipmi", node_)
                            : fmt::format("drover discover collect {}", node_));
  }

  Result<ConsoleTarget> socket() {
    ConsoleTarget out;
    out.kind = ConsoleKind::socket;
    DROVER_TRY(out.socket, text("console_socket"));
    if (out.socket.empty()) {
      return fail(Code::conflict, fmt::format("the console socket of {} is not set", node_),
                  fmt::format("drover node set {} console_socket=/PATH", node_));
    }
    if (is_below(out.socket, model_.settings().list("console.sockets"))) return out;
    return fail(
        Code::denied,
        fmt::format("{} is in no folder that the setting console.sockets allows", out.socket),
        "drover setting set console.sockets=/FOLDER");
  }

  const cluster::Model& model_;
  const std::string& node_;
  cluster::ModelDefinitions definitions_;
  cluster::NodeAttributes attributes_;
};

}  // namespace

Result<ConsoleTarget> console_target(const cluster::Model& model, const std::string& node) {
  const auto* entry = model.find(node);
  if (entry == nullptr) return fail(Code::not_found, fmt::format("there is no node {}", node));
  return Reader(model, *entry).target();
}

std::set<std::string> held_consoles(const cluster::Model& model) {
  std::set<std::string> out;
  const cluster::ModelDefinitions definitions(model);
  for (const auto& [name, entry] : model.nodes()) {
    cluster::NodeAttributes attributes(entry.node(), definitions);
    const auto by = attributes.value("console_by");
    if (by && *by && **by != "off") out.insert(name);
  }
  return out;
}

bool is_below(std::string_view path, const std::vector<std::string>& folders) {
  if (!path.starts_with('/') || path.ends_with('/')) return false;
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find('/'));
    if (word.empty() || word == "." || word == "..") return false;
    rest.remove_prefix(word.size());
  }
  return std::ranges::any_of(folders, [&](std::string_view folder) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    return path.starts_with(folder) && path.substr(folder.size()).starts_with('/') &&
           path.size() > folder.size() + 1 && !folder.empty();
  });
}

}  // namespace drover::api
