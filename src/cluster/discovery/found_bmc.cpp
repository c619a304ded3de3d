#include "cluster/discovery/found_bmc.hpp"

#include "base/text.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {

void FoundBmc::describe(Visitor& v) {
  v.field("address", address, "Its address.");
  v.field("port", port, "Port of its Redfish service; 0: it speaks none.", Presence::optional);
  v.field("plain", plain, "Whether Redfish is there by HTTP alone: no password is sent to it.",
          Presence::optional);
  v.field("redfish_version", redfish_version, "The version of Redfish that it speaks.",
          Presence::optional);
  v.field("vendor", vendor, "Who made it, in its own words.", Presence::optional);
  v.field("product", product, "What it is, in its own words.", Presence::optional);
  v.field("uuid", uuid, "The UUID of its Redfish service.", Presence::optional);
  v.field("ipmi_port", ipmi_port, "UDP port of IPMI; 0: it speaks none.", Presence::optional);
  v.field("ipmi_version", ipmi_version, "The version of IPMI: 2.0 or 1.5.", Presence::optional);
  v.field("found", found, "When a scan found it first.");
}

std::string summary_of(const FoundBmc& bmc) {
  std::string out;
  if (bmc.port != 0) {
    out = fmt::format("Redfish{}{} at port {}{}", bmc.redfish_version.empty() ? "" : " ",
                      bmc.redfish_version, bmc.port, bmc.plain ? " without TLS" : "");
    std::string make = bmc.vendor;
    // "Contoso" and "Contoso Controller" are one make.
    if (bmc.product.starts_with(bmc.vendor)) make.clear();
    if (!make.empty() && !bmc.product.empty()) make += ' ';
    make += bmc.product;
    if (!make.empty()) out += fmt::format(" ({})", make);
  }
  if (bmc.ipmi_port != 0) {
    out += fmt::format("{}IPMI{}{}", out.empty() ? "" : ", ", bmc.ipmi_version.empty() ? "" : " ",
                       bmc.ipmi_version);
  }
  return out;
}

Result<std::optional<FoundBmc>> found_bmc(store::Transaction& tx, const std::string& address) {
  DROVER_TRY(const auto object, tx.get(kFoundBmcKind, address));
  if (!object) return std::optional<FoundBmc>();
  DROVER_TRY(auto bmc, decode_text<FoundBmc>(object->body, Unknown::ignore));
  return std::optional(std::move(bmc));
}

Result<bool> keep_found(store::Transaction& tx, FoundBmc bmc) {
  DROVER_TRY(const auto known, found_bmc(tx, bmc.address));
  bmc.found = known ? known->found : from_unix_ms(tx.time_ms());
  if (known && bmc.port == 0) {
    bmc.port = known->port;
    bmc.plain = known->plain;
    bmc.redfish_version = known->redfish_version;
    bmc.vendor = known->vendor;
    bmc.product = known->product;
    bmc.uuid = known->uuid;
  }
  if (known && bmc.ipmi_port == 0) {
    bmc.ipmi_port = known->ipmi_port;
    bmc.ipmi_version = known->ipmi_version;
  }
  if (known && *known == bmc) return false;
  DROVER_CHECK_OK(tx.put(kFoundBmcKind, bmc.address, encode(bmc)));
  return true;
}

Result<std::vector<FoundBmc>> found_bmcs(store::Transaction& tx) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kFoundBmcKind)}));
  std::vector<std::pair<IpAddress, FoundBmc>> sorted;
  sorted.reserve(objects.size());
  for (const store::Object& object : objects) {
    DROVER_TRY(auto bmc, decode_text<FoundBmc>(object.body, Unknown::ignore));
    const auto address = IpAddress::parse(bmc.address);
    sorted.emplace_back(address.value_or(IpAddress{}), std::move(bmc));
  }
  std::ranges::sort(sorted, {}, &std::pair<IpAddress, FoundBmc>::first);
  std::vector<FoundBmc> out;
  out.reserve(sorted.size());
  for (auto& [address, bmc] : sorted) out.push_back(std::move(bmc));
  return out;
}

Status forget_found(store::Transaction& tx, std::string_view address) {
  const auto canonical = canonical_address(address);
  if (canonical) {
    DROVER_TRY(const bool there, tx.erase(kFoundBmcKind, *canonical));
    if (there) return {};
  }
  return fail(Code::not_found, fmt::format("no scan has found a BMC at '{}'", printable(address)),
              "drover discover list shows those that were found");
}

std::string bmc_name_of(std::string_view address) {
  std::string out = "bmc";
  if (const auto octets = address_octets(address)) {
    const bool v4 = octets->size() == 4;
    if (!v4) out += '-';
    for (const uint8_t octet : *octets)
      out += v4 ? fmt::format("-{}", octet) : fmt::format("{:02x}", octet);
    return out;
  }
  return std::string(address);
}

}  // namespace drover::cluster
