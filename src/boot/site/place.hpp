// What a Site keeps of a machine. Private to it.
#pragma once

#include "boot/site/site.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace drover::boot {

/// For machines that no node is known by: it asks again by what it asked by.
script::LateText unknown_script(const SiteOptions& options, const ScriptRequest& request);
/// Sets where the script of a machine that no node is known by is asked for again.
void asks_again(const ScriptRequest& request, script::Values& values);

struct Site::Place {
  Place(Machine& of, const Port* at) : machine(&of), port(at) {}

  /// The reservations, from the port.
  void fill(const SiteOptions& options, const cluster::Model& model);
  /// The script, as the model is now; one that says why where the node cannot boot.
  void finish(script::Loader loader, const cluster::Model& model, const Images& images,
              const SiteOptions& options);

  Machine* machine;
  const Port* port;  ///< nullptr: the node has no interface
  dhcp::Reservation reservation;
  dhcp6::Reservation reservation6;

  // The script, finished but for its late values.
  uint64_t finished = 0;  ///< as of that epoch of the site; 0: not at all
  script::Loader loader = script::Loader::ipxe;
  script::LateText text;
  std::string why;  ///< why the node cannot boot; empty: it can
  bool once = false;
  bool elsewhere = false;  ///< it boots a kernel by URL
};

struct Site::Machine {
  /// The values of the attribute switch_port, which may be several joined by commas.
  [[nodiscard]] std::vector<std::string> find_switch_ports(const cluster::Model& model) const;

  std::string name;
  cluster::NodeSpec spec;
  std::vector<Port> ports;
  std::vector<Place> places;  ///< one for each port, in their order; never moved
  Place* boots = nullptr;     ///< the place that it boots by when nobody says which
  std::vector<dns::Name> names;
  std::vector<std::string> switch_ports;  ///< its keys in the index of ports
};

class Site::Reservations6 final : public dhcp6::ReservationView {
 public:
  using Index = std::unordered_map<HardwareAddress, Place*, HardwareAddressHash>;
  explicit Reservations6(const Index& by_mac) : by_mac_(by_mac) {}
  [[nodiscard]] const dhcp6::Reservation* by_hardware(
      const HardwareAddress& address) const override {
    const auto it = by_mac_.find(address);
    return it == by_mac_.end() ? nullptr : &it->second->reservation6;
  }
  // What firmware calls a machine's UUID and DUID is not in the model; its MAC decides.
  [[nodiscard]] const dhcp6::Reservation* by_uuid(std::string_view /*uuid*/) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp6::Reservation* by_duid(std::string_view /*duid*/) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp6::Reservation* by_port(std::string_view /*interface_id*/,
                                                  std::string_view /*remote*/) const override {
    return nullptr;
  }

 private:
  const Index& by_mac_;
};

}  // namespace drover::boot
