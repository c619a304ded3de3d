#include "cluster/bmc/bmc.hpp"

#include "base/text.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr size_t kMostText = 255;

struct AddressOwner {
  static constexpr std::string_view kTypeName = "BmcAddressOwner";
  std::string name;
  void describe(Visitor& v) { v.field("name", name, "The BMC that has the address."); }
};

/// The number at the end of "Node2" or "/redfish/v1/Systems/QSBP74100021.1"; nothing when it is too
/// large to be a place.
std::optional<uint32_t> number_at_end(std::string_view text) {
  constexpr size_t kMostDigits = 3;
  const size_t letter = text.find_last_not_of("0123456789");
  const std::string_view digits = letter == std::string_view::npos ? text : text.substr(letter + 1);
  if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
  uint32_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(out)
                                                                      : std::nullopt;
}

/// The numbers in their ids, when every system has one of its own; "System.Embedded.1" of a single
/// system says nothing, and neither does a collection that counts from one: places count from 0.
std::optional<std::vector<uint32_t>> numbered(const std::vector<BmcSystem>& systems) {
  std::vector<uint32_t> out;
  std::set<uint32_t> seen;
  uint32_t least = UINT32_MAX;
  for (const BmcSystem& system : systems) {
    auto number = number_at_end(system.identity.id);
    if (!number) number = number_at_end(system.identity.path);
    if (!number || !seen.insert(*number).second) return std::nullopt;
    least = std::min(least, *number);
    out.push_back(*number);
  }
  if (least == 1) {
    for (uint32_t& number : out) --number;
  }
  return out;
}

Status check_address(std::string& address) {
  if (address.empty()) return {};
  if (auto canonical = canonical_address(address);
      canonical && canonical->find('/') == std::string::npos) {
    address = *std::move(canonical);
    return {};
  }
  if (check_node_name(address)) return {};
  return bad_field("address", address, "expected a host name in lower case or an IP address");
}

}  // namespace

void BmcLook::describe(Visitor& v) {
  v.field("attempted", attempted, "When it was last looked at.", Presence::optional);
  v.field("status", status, "How that went, in the words of SMD; empty: it was not looked at.",
          Presence::optional);
  v.field("redfish_version", redfish_version, "The version of Redfish that it speaks.",
          Presence::optional);
}

void ManagedBmc::describe(Visitor& v) {
  v.field("name", name, "Its name: its xname where it has one.");
  v.field("address", address, "Host name or IP address.", Presence::optional);
  v.field("host_name", host_name, "The first part of its host name.", Presence::optional);
  v.field("domain", domain, "The rest of its host name.", Presence::optional);
  v.field("description", description, "Free text.", Presence::optional);
  v.field("uuid", uuid, "Its UUID; empty: not known.", Presence::optional);
  v.field("user", user, "Account on it.", Presence::optional);
  v.field("mac", mac, "Hardware address; empty: not known.", Presence::optional);
  v.field("ip", ip, "IP address, where the address is a name.", Presence::optional);
  v.field("enabled", enabled, "Whether it is asked at all.", Presence::optional);
  v.field("announces", announces, "Whether it is found by SSDP; kept for SMD's clients.",
          Presence::optional);
  v.field("mac_required", mac_required, "Whether its MAC must be known; kept for SMD's clients.",
          Presence::optional);
  v.field("rediscover", rediscover, "Whether a change of it starts a look.", Presence::optional);
  v.field("template_id", template_id, "Kept for SMD's clients.", Presence::optional);
  v.field("look", look, "How the last look at it went.", Presence::optional);
  v.field("inventory", inventory, "What is behind it; null: it was not looked at.",
          Presence::optional);
}

Status normalise(ManagedBmc& bmc) {
  if (auto place = parse_xname(bmc.name)) {
    if (!is_controller(place->type)) {
      return bad_field("name", bmc.name, "expected the xname of a controller or a switch");
    }
    bmc.name = std::move(place->text);
  } else if (Status named = check_node_name(bmc.name); !named) {
    return fail_in("name", named.error());
  }
  DROVER_CHECK_OK(check_address(bmc.address));
  for (const auto& [field, value] : {std::pair{"host_name", &bmc.host_name},
                                     {"domain", &bmc.domain},
                                     {"uuid", &bmc.uuid},
                                     {"user", &bmc.user},
                                     {"template_id", &bmc.template_id}}) {
    DROVER_CHECK_OK(check_plain_text(field, *value, kMostText));
  }
  DROVER_CHECK_OK(check_plain_text("description", bmc.description, kMaxDescription));
  if (!bmc.mac.empty()) {
    auto mac = canonical_mac(bmc.mac);
    if (!mac) return bad_field("mac", bmc.mac, "expected the hardware address of one interface");
    bmc.mac = *std::move(mac);
  }
  if (!bmc.ip.empty()) {
    auto ip = canonical_address(bmc.ip);
    if (!ip) return bad_field("ip", bmc.ip, "expected an IP address");
    bmc.ip = std::string(without_prefix(*ip));
  }
  return {};
}

Status put_bmc(store::Transaction& tx, ManagedBmc bmc) {
  DROVER_CHECK_OK(normalise(bmc));
  if (bmc.inventory) DROVER_CHECK_OK(check(*bmc.inventory));
  DROVER_TRY(const auto there, tx.get(kBmcKind, bmc.name));
  std::string held;
  if (there) {
    DROVER_TRY(const ManagedBmc before, decode_text<ManagedBmc>(there->body, Unknown::ignore));
    held = before.address;
  }
  if (held != bmc.address) {
    if (!bmc.address.empty()) {
      DROVER_TRY(const auto taken, tx.get(kBmcAddressKind, bmc.address));
      if (taken) {
        DROVER_TRY(const AddressOwner owner,
                   decode_text<AddressOwner>(taken->body, Unknown::ignore));
        return fail(Code::conflict,
                    fmt::format("operation would conflict with an existing resource "
                                "that has the same FQDN or xname ID: {} has {}",
                                owner.name, bmc.address));
      }
      DROVER_CHECK_OK(tx.put_quiet(kBmcAddressKind, bmc.address, encode(AddressOwner{bmc.name})));
    }
    if (!held.empty()) DROVER_CHECK_OK(tx.erase_quiet(kBmcAddressKind, held));
  }
  DROVER_CHECK_OK(tx.put(kBmcKind, bmc.name, encode(bmc)));
  return {};
}

Result<bool> erase_bmc(store::Transaction& tx, const std::string& name) {
  DROVER_TRY(const auto there, tx.get(kBmcKind, name));
  if (!there) return false;
  DROVER_TRY(const ManagedBmc bmc, decode_text<ManagedBmc>(there->body, Unknown::ignore));
  if (!bmc.address.empty()) DROVER_CHECK_OK(tx.erase_quiet(kBmcAddressKind, bmc.address));
  return tx.erase(kBmcKind, name);
}

std::vector<uint32_t> system_places(const std::vector<BmcSystem>& systems) {
  if (systems.size() > 1) {
    if (auto places = numbered(systems)) return *std::move(places);
  }
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < systems.size(); ++i) out.push_back(i);
  return out;
}

}  // namespace drover::cluster
