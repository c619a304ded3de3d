#include "cluster/discovery/scan_request.hpp"

#include "base/noderange.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/ip_range.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

constexpr uint32_t kMostAtATime = 512;
constexpr uint32_t kMostPerSecond = 10'000;
constexpr uint32_t kLeastPatience = 100;
constexpr uint32_t kMostPatience = 60'000;
constexpr size_t kLongestNetwork = 96;  ///< bytes: two IPv6 addresses and a dash

Status within(std::string_view field, uint32_t value, uint32_t least, uint32_t most) {
  if (value >= least && value <= most) return {};
  return fail(Code::invalid_argument,
              fmt::format("{}: expected {} to {}, got {}", field, least, most, value));
}

Status check_ports(std::string_view field, const std::vector<uint16_t>& ports) {
  if (ports.size() > kMostScanPorts) {
    return fail(Code::invalid_argument, fmt::format("{}: expected at most {} ports, got {}", field,
                                                    kMostScanPorts, ports.size()));
  }
  for (const uint16_t port : ports) {
    DROVER_CHECK_OK(within(field, port, 1, 65535));
  }
  return {};
}

/// One more than the address; the highest of all stays.
IpAddress next(IpAddress address) {
  for (size_t i = address.size; i-- > 0;) {
    if (++address.octets.at(i) != 0) break;
  }
  return address;
}

/// How many addresses it has, as far as a double tells.
double count_of(const IpRange& range) {
  double count = 0;
  for (size_t i = 0; i < range.first.size; ++i) {
    count = count * 256 + range.last.octets.at(i) - range.first.octets.at(i);
  }
  return count + 1;
}

/// Multicast and "any": nobody's address.
bool is_nobodys(const IpAddress& address) {
  const uint8_t first = address.octets.at(0);
  if (address.is_v4()) return first == 0 || first >= 224;
  return first == 0xff || address.octets == std::array<uint8_t, 16>{};
}

Result<IpRange> parse_network(const std::string& text) {
  if (text.size() <= kLongestNetwork) {
    if (auto prefix = IpRange::parse_prefix(text)) {
      // Their first and last address are no host's, where there are others (RFC 3021).
      if (prefix->first.is_v4() && count_of(*prefix) > 2) {
        prefix->first = next(prefix->first);
        --prefix->last.octets.at(3);
      }
      return *prefix;
    }
    if (auto run = IpRange::parse_run(text)) return *run;
    if (auto address = IpAddress::parse(text)) return IpRange{*address, *address};
  }
  return bad_field("networks", text,
                   "expected a network (10.1.0.0/24), a run (10.1.0.9-10.1.0.40) or an address");
}

}  // namespace

void ScanRequest::describe(Visitor& v) {
  v.field("networks", networks,
          "What is asked: networks (10.1.0.0/24), runs (10.1.0.9-10.1.0.40) and addresses.");
  v.field("ports", ports, "Ports that are asked for Redfish by HTTPS.", Presence::optional);
  v.field("plain_ports", plain_ports,
          "Ports that are asked for Redfish by HTTP, where HTTPS has no answer.",
          Presence::optional);
  v.field("ipmi", ipmi, "Whether IPMI is asked for too.", Presence::optional);
  v.field("ipmi_port", ipmi_port, "The UDP port of IPMI.", Presence::optional);
  v.field("at_a_time", at_a_time, "How many addresses are asked at a time.", Presence::optional);
  v.field("per_second", per_second, "How many addresses begin to be asked in a second.",
          Presence::optional);
  v.field("patience_ms", patience_ms, "How long one address may take to answer, in milliseconds.",
          Presence::optional);
  v.field("fresh", fresh, "Whether addresses whose BMC is known are asked again.",
          Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

Status check(const ScanRequest& request) {
  if (request.networks.empty() || request.networks.size() > kMostScanNetworks) {
    return fail(Code::invalid_argument, fmt::format("networks: expected 1 to {} of them, got {}",
                                                    kMostScanNetworks, request.networks.size()));
  }
  DROVER_CHECK_OK(check_ports("ports", request.ports));
  DROVER_CHECK_OK(check_ports("plain_ports", request.plain_ports));
  if (request.ports.empty() && request.plain_ports.empty() && !request.ipmi) {
    return fail(Code::invalid_argument, "ports: there is nothing to ask without ports and IPMI");
  }
  DROVER_CHECK_OK(within("ipmi_port", request.ipmi_port, 1, 65535));
  DROVER_CHECK_OK(within("at_a_time", request.at_a_time, 1, kMostAtATime));
  DROVER_CHECK_OK(within("per_second", request.per_second, 1, kMostPerSecond));
  return within("patience_ms", request.patience_ms, kLeastPatience, kMostPatience);
}

Result<std::vector<std::string>> scan_addresses(std::span<const std::string> networks) {
  std::set<IpAddress> all;
  for (const std::string& text : networks) {
    DROVER_TRY(const IpRange range, parse_network(text));
    if (is_nobodys(range.first) || is_nobodys(range.last)) {
      return bad_field("networks", text, "expected addresses of single machines");
    }
    const double count = count_of(range);
    if (count > static_cast<double>(kMostScanned)) {
      return fail(Code::too_large,
                  fmt::format("networks: {} has {:.0f} addresses, and one scan asks at most {}",
                              text, count, kMostScanned),
                  "drover discover scan with the networks that the BMCs are in");
    }
    for (IpAddress at = range.first;; at = next(at)) {
      all.insert(at);
      if (at == range.last) break;
    }
    if (all.size() > kMostScanned) {
      return fail(Code::too_large,
                  fmt::format("networks: they have more than {} addresses together", kMostScanned),
                  "drover discover scan for some of them at a time");
    }
  }
  std::vector<std::string> out;
  out.reserve(all.size());
  for (const IpAddress& address : all) out.push_back(address.text());
  return out;
}

void ScanPlan::describe(Visitor& v) {
  v.field("addresses", addresses, "How many addresses the networks have.");
  v.field("known", known, "Addresses whose BMC is known, which are not asked again.");
  v.field("asks", asks, "Folded addresses that would be asked.");
  v.field("questions", questions, "What each of them would be asked.");
  v.field("seconds", seconds, "About how long that takes at most, when none of them answers.");
}

ScanPlan plan_of(const ScanRequest& request, const std::vector<std::string>& addresses,
                 const std::vector<std::string>& asked) {
  ScanPlan plan;
  plan.addresses = addresses.size();
  plan.known = addresses.size() - asked.size();
  plan.asks = fold_names(asked);
  if (!request.ports.empty()) {
    plan.questions.push_back(
        fmt::format("GET /redfish/v1/ by HTTPS at port {}", fmt::join(request.ports, ", ")));
  }
  if (!request.plain_ports.empty()) {
    plan.questions.push_back(
        fmt::format("GET /redfish/v1/ by HTTP at port {}", fmt::join(request.plain_ports, ", ")));
  }
  if (request.ipmi) {
    plan.questions.push_back(fmt::format(
        "RMCP presence ping and IPMI's Get Channel Authentication Capabilities at UDP port {}",
        request.ipmi_port));
  }
  if (asked.empty()) return plan;
  constexpr uint64_t kSecond = 1000;
  const uint64_t by_rate = asked.size() * kSecond / request.per_second;
  const uint64_t turns = (asked.size() + request.at_a_time - 1) / request.at_a_time;
  const uint64_t by_places = turns * request.patience_ms;
  plan.seconds = (std::max(by_rate + request.patience_ms, by_places) + kSecond - 1) / kSecond;
  return plan;
}

}  // namespace drover::cluster
