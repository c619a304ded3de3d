// The documents of cloud-init's NoCloud layout for one node: meta-data, user-data, vendor-data and
// network-config. Pure: facts in, text out.
#pragma once

#include "base/result.hpp"
#include "boot/site/network_index.hpp"
#include "boot/site/ports.hpp"
#include "cluster/model.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::cloudinit {

/// Longest part and longest document, in bytes.
inline constexpr size_t kMaxPart = cluster::kMaxUserData;
inline constexpr size_t kMaxDocument = size_t{1} << 20;

/// An interface as network-config has it.
struct Link {
  std::string name;
  std::string mac;                     ///< empty: it is matched by its name
  std::vector<std::string> addresses;  ///< with /prefix
  std::string gateway;                 ///< empty: none
  std::vector<std::string> nameservers;
  std::vector<std::string> search;
  uint16_t mtu = 0;  ///< 0: not said
  bool operator==(const Link&) const = default;
};

/// A group of the node as templates see it.
struct GroupFacts {
  std::string name;
  std::string description;
  std::map<std::string, std::string> keys;  ///< what the group itself adds to the meta-data
  bool operator==(const GroupFacts&) const = default;
};

/// What a node is to cloud-init.
struct Facts {
  std::string instance;  ///< stays the same for the same node: modules run once per instance
  std::string name;
  uint64_t nid = 0;     ///< 0: none
  std::string address;  ///< IPv4 of the interface that it boots by; empty: none
  std::string domain;   ///< empty: none
  std::string cluster;
  std::vector<GroupFacts> groups;                 ///< strongest first
  std::map<std::string, std::string> attributes;  ///< effective ones
  std::vector<std::string> public_keys;           ///< for the default user, as authorized_keys
  std::map<std::string, std::string> more;        ///< keys that were added for the node
  std::vector<Link> links;
};

/// The facts of a node of the model; attributes whose formulas fail are left out. The default route
/// is that of the interface that the node boots by.
Facts facts_of(const cluster::Model& model, const NetworkIndex& networks, const cluster::Node& node,
               std::string_view cluster);

/// The name that the node is told to take: the key local-hostname; else, where the key short-name
/// is set and the node has a number, that number in nid-length digits (4) behind it, as OpenCHAMI
/// names nodes; else the node's own.
std::string host_name(const Facts& facts);

/// YAML: instance-id, local-hostname, cluster, groups, attributes and keys; and `instance_data.v1`,
/// where templates written for OpenCHAMI look.
std::string meta_data(const Facts& facts);

/// Version 2 (netplan): every link by its MAC, static, and no DHCP: the address was given already.
std::string network_config(const Facts& facts);

/// One piece of user or vendor data: cloud-config, a script, a list of URLs, ...
struct Part {
  std::string name;  ///< its file name for people: "group-rack1"
  std::string content;
};

/// One part as it is; several as MIME in their order (later ones win where cloud-config sets the
/// same); none as an empty cloud-config. invalid_argument names the part that is of no known kind,
/// too long or has bytes that are no text.
Result<std::string> compose(const std::vector<Part>& parts);

/// `#include` of one URL a line: how OpenCHAMI hands out the files of a node's groups. Empty
/// cloud-config when there are none.
std::string include_list(const std::vector<std::string>& urls);

}  // namespace drover::boot::cloudinit
