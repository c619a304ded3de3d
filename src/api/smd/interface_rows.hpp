// Interfaces as SMD lists them, put together from nodes, BMCs and what is stored of others; by MAC.
#pragma once

#include "cluster/bmc/component.hpp"
#include "cluster/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct InterfaceRow {
  std::string mac;
  std::string description;
  std::string component;  ///< xname; empty: nobody's
  std::string node;       ///< name of the node that has it; empty: none
  bool of_bmc = false;    ///< it follows from a Redfish endpoint
  std::vector<cluster::InterfaceAddress> addresses;
  WallTime updated{};
};

/// Every interface, by ID (its MAC without colons). A copy.
using InterfaceRows = std::map<std::string, InterfaceRow, std::less<>>;
InterfaceRows interface_rows(const cluster::Model& model);

/// The ID of a MAC or ID in any form; empty: it is none.
std::string interface_id(std::string_view text);

void append_json(std::string& out, const InterfaceRow& row);
/// [{"IPAddress":..,"Network":..}]
void append_json(std::string& out, const std::vector<cluster::InterfaceAddress>& addresses);

}  // namespace drover::api::smd
