// GET /bmcs and GET /bmcs/{name}: BMCs, and what looks through them found.
#include "api/bmc_nodes.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "base/noderange.hpp"
#include "cluster/bmc/hardware_book.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::ManagedBmc;

/// A BMC in a list: what tells it from others, and how much is behind it.
struct BmcRow {
  static constexpr std::string_view kTypeName = "BmcRow";
  std::string name;
  std::string address;
  std::string nodes;
  std::string vendor;
  std::string model;
  std::string firmware;
  uint64_t machines = 0;
  uint64_t parts = 0;
  uint64_t nics = 0;
  uint64_t warnings = 0;
  bool complete = false;
  WallTime looked{};
  std::string status;
  void describe(Visitor& v) {
    v.field("name", name, "Its name: its xname where it has one.");
    v.field("address", address, "Host name or IP address.");
    v.field("nodes", nodes, "The nodes that it is the BMC of, folded.");
    v.field("vendor", vendor, "Who made the machine; empty: not known.");
    v.field("model", model, "The machine's model; of several the first's.");
    v.field("firmware", firmware, "Version of the controller's own firmware.");
    v.field("machines", machines, "How many machines are behind it.");
    v.field("parts", parts, "Processors, accelerators, memory modules and drives of them all.");
    v.field("nics", nics, "Network interfaces of the machines.");
    v.field("warnings", warnings, "What it said and was not taken as it stands.");
    v.field("complete", complete, "Whether the last look saw everything.");
    v.field("looked", looked, "When it was last looked at; null: never.");
    v.field("status", status, "How that went, in the words of SMD.");
  }
};

/// All of a BMC.
struct BmcView {
  static constexpr std::string_view kTypeName = "BmcView";
  ManagedBmc bmc;
  std::string nodes;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    bmc.describe(v);
    v.field("nodes", nodes, "The nodes that it is the BMC of, folded.");
    v.field("revision", revision, "Changes with each change of it.");
  }
};

BmcRow row_of(const ManagedBmc& bmc, std::string nodes) {
  BmcRow out;
  out.name = bmc.name;
  out.address = bmc.address;
  out.nodes = std::move(nodes);
  out.looked = bmc.look.attempted;
  out.status = bmc.look.status;
  if (!bmc.inventory) return out;
  const cluster::BmcInventory& found = *bmc.inventory;
  for (const cluster::BmcSystem& system : found.systems) {
    if (out.vendor.empty()) out.vendor = system.identity.manufacturer;
    if (out.model.empty()) out.model = system.identity.model;
    out.parts += system.processors.size() + system.accelerators.size() + system.memory.size() +
                 system.drives.size();
    out.nics += system.nics.size();
  }
  for (const cluster::BmcManager& manager : found.managers) {
    if (out.firmware.empty()) out.firmware = manager.firmware_version;
  }
  if (out.vendor.empty()) out.vendor = found.vendor;
  out.machines = found.systems.size();
  out.warnings = found.warnings.size();
  out.complete = found.complete;
  return out;
}

void list_bmcs(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const uint64_t limit,
                 request->query_number("limit", kMaxPage, 1, kMaxPage));
  const auto& all = services.model.hardware().bmcs();
  const std::string_view after = request->query("page").value_or("");
  auto it = after.empty() ? all.begin() : all.upper_bound(after);
  BmcNodes nodes(services.model);
  ListWriter list;
  std::string_view last;
  for (; it != all.end() && list.count() < limit; ++it) {
    list.add(row_of(it->second, fold_names(nodes.of(it->second))));
    last = it->first;
  }
  request->json(200, list.finish(it == all.end() ? std::string_view() : last));
}

/// By name, by address, or by a node that it is the BMC of; null: none.
const ManagedBmc* find_bmc(const Services& services, const std::string& named, BmcNodes& nodes) {
  const auto& all = services.model.hardware().bmcs();
  if (const auto found = all.find(named); found != all.end()) return &found->second;
  const auto* const node = services.model.find(named);
  for (const auto& [name, bmc] : all) {
    if (bmc.address == named || bmc.ip == named) return &bmc;
    if (node == nullptr) continue;
    const auto mine = nodes.of(bmc);
    if (std::ranges::find(mine, named) != mine.end()) return &bmc;
  }
  return nullptr;
}

void show_bmc(Services& services, const RequestPtr& request) {
  BmcNodes nodes(services.model);
  const std::string& named = request->path("name");
  const ManagedBmc* const bmc = find_bmc(services, named, nodes);
  if (bmc == nullptr) {
    if (services.model.find(named) != nullptr) {
      return request->fail({Code::not_found,
                            fmt::format("nothing is known of the BMC of node '{}'", named), "",
                            fmt::format("drover discover collect {}", named)});
    }
    return request->fail({Code::not_found,
                          fmt::format("there is no BMC of the name or address '{}'", named), "",
                          "drover bmc list"});
  }
  const uint64_t revision = services.model.hardware().bmc_revision(bmc->name);
  request->json(200, encode(BmcView{*bmc, fold_names(nodes.of(*bmc)), revision}));
}

}  // namespace

void add_bmcs(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/bmcs",
              .privilege = auth::Privilege::view,
              .summary = "List BMCs, with how much is behind each.",
              .query = {{"limit", "Most BMCs of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<BmcRow>(),
              .handler = [&services](const RequestPtr& r) { list_bmcs(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/bmcs/{name}",
              .privilege = auth::Privilege::view,
              .summary = "Show a BMC and all that was found behind it; named by its name, its "
                         "address or a node of it.",
              .gives = body_of<BmcView>(),
              .handler = [&services](const RequestPtr& r) { show_bmc(services, r); }});
}

}  // namespace drover::api
