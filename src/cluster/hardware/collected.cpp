#include "cluster/hardware/collected.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// In the words of SMD, which its clients compare.
constexpr std::string_view kFound = "DiscoverOK";
constexpr std::string_view kFailed = "HTTPsGetFailed";

struct AddressOwner {
  static constexpr std::string_view kTypeName = "BmcAddressOwner";
  std::string name;
  void describe(Visitor& v) { v.field("name", name, "Whose the address is."); }
};

Result<std::optional<ManagedBmc>> read_bmc(store::Transaction& tx, const std::string& name) {
  DROVER_TRY(const auto object, tx.get(kBmcKind, name));
  if (!object) return std::nullopt;
  DROVER_TRY(auto bmc, decode_text<ManagedBmc>(object->body, Unknown::ignore));
  return bmc;
}

/// The one that has the address, or that name and no address yet.
Result<std::optional<ManagedBmc>> known_bmc(store::Transaction& tx, const CollectedBmc& collected) {
  DROVER_TRY(const auto owner, tx.get(kBmcAddressKind, collected.address));
  if (!owner) return read_bmc(tx, collected.name);
  DROVER_TRY(const auto named, decode_text<AddressOwner>(owner->body, Unknown::ignore));
  return read_bmc(tx, named.name);
}

Status within(std::string_view field, uint32_t value, uint32_t most) {
  if (value >= 1 && value <= most) return {};
  return fail(Code::invalid_argument,
              fmt::format("{}: expected 1 to {}, got {}", field, most, value));
}

std::string counted(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

void CollectRequest::describe(Visitor& v) {
  v.field("nodes", nodes, "Noderange of the nodes whose BMCs are looked through.");
  v.field("at_a_time", at_a_time, "How many BMCs are looked through at a time.",
          Presence::optional);
  v.field("in_flight", in_flight, "How many requests each BMC gets at a time.", Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

void FoundCollectRequest::describe(Visitor& v) {
  v.field("bmcs", bmcs, "Addresses, runs and networks of found BMCs; none: all of them.",
          Presence::optional);
  v.field("at_a_time", at_a_time, "How many BMCs are looked through at a time.",
          Presence::optional);
  v.field("in_flight", in_flight, "How many requests each BMC gets at a time.", Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

void CollectOrder::describe(Visitor& v) {
  asked.describe(v);
  v.field("found", found, "Whether addresses of found BMCs stand for nodes.", Presence::optional);
}

Status check(const CollectRequest& request) {
  DROVER_CHECK_OK(within("at_a_time", request.at_a_time, 2'000));
  return within("in_flight", request.in_flight, 16);
}

Result<bool> keep_collected(store::Transaction& tx, const CollectedBmc& collected) {
  DROVER_TRY(auto known, known_bmc(tx, collected));
  ManagedBmc bmc;
  if (known) {
    bmc = *known;
  } else {
    bmc.name = collected.name;
  }
  bmc.address = collected.address;
  if (!collected.user.empty()) bmc.user = collected.user;
  bmc.look.status = collected.inventory ? kFound : kFailed;
  if (collected.inventory) {
    bmc.look.redfish_version = collected.inventory->redfish_version;
    bmc.inventory = collected.inventory;
  }
  if (known && bmc == *known) return false;
  bmc.look.attempted = from_unix_ms(tx.time_ms());
  DROVER_CHECK_OK(put_bmc(tx, std::move(bmc)));
  return true;
}

std::string summary_of(const BmcInventory& inventory) {
  size_t parts = 0;
  size_t nics = 0;
  for (const BmcSystem& system : inventory.systems) {
    parts += system.processors.size() + system.accelerators.size() + system.memory.size() +
             system.drives.size();
    nics += system.nics.size();
  }
  return fmt::format("{}, {}, {}, {}, {}", counted(inventory.systems.size(), "machine", "machines"),
                     counted(parts, "part", "parts"), counted(nics, "NIC", "NICs"),
                     counted(inventory.firmware.size(), "firmware version", "firmware versions"),
                     counted(inventory.warnings.size(), "warning", "warnings"));
}

}  // namespace drover::cluster
