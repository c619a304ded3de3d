// The addresses that drover-boot gives out, as an administrator sees them.
#include "boot/dhcp/lease_book.hpp"
#include "cluster/network.hpp"
#include "daemons/boot/boot_services.hpp"

#include <algorithm>

namespace drover::daemons {
namespace {

/// The MAC in a key of client_key(); nothing for a client that is known by its identifier.
std::optional<boot::HardwareAddress> hardware_of(const std::string& client) {
  constexpr size_t kHead = 2;
  if (client.size() <= kHead || client.front() != 'h') return {};
  return boot::HardwareAddress::from(static_cast<uint8_t>(client[1]), client.substr(kHead));
}

api::BootLeaseState state_of(boot::dhcp::LeaseState state) {
  switch (state) {
    case boot::dhcp::LeaseState::offered:
      return api::BootLeaseState::offered;
    case boot::dhcp::LeaseState::leased:
      return api::BootLeaseState::leased;
    case boot::dhcp::LeaseState::free:
      return api::BootLeaseState::free;
    case boot::dhcp::LeaseState::quarantined:
      break;
  }
  return api::BootLeaseState::quarantined;
}

}  // namespace

std::vector<api::BootLease> BootServices::leases() const {
  std::vector<api::BootLease> out;
  if (!dhcp_ || !site_) return out;
  const auto network_of = [this](boot::Ipv4 address) {
    for (const auto& [name, defined] : replica_.model().networks()) {
      if (cluster::holds(defined.value, address.text())) return name;
    }
    return std::string();
  };
  for (const boot::dhcp::Lease& lease : dhcp_->leases().snapshot()) {
    api::BootLease one;
    one.address = lease.address.text();
    one.network = network_of(lease.address);
    one.state = state_of(lease.state);
    one.name = lease.name;
    one.since = lease.since;
    if (lease.state != boot::dhcp::LeaseState::free) one.expires = lease.until;
    if (const auto hardware = hardware_of(lease.client)) {
      one.mac = hardware->text();
      if (const auto* machine = site_->by_hardware(*hardware)) one.node = machine->name;
    }
    out.push_back(std::move(one));
  }
  for (const boot::Site::Given& given : site_->given()) {
    api::BootLease one;
    one.address = given.address.text();
    one.mac = given.hardware.text();
    one.node = given.node;
    one.network = network_of(given.address);
    one.state = api::BootLeaseState::reserved;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace drover::daemons
