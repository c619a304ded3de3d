// What cloud-init gets on one node: the definitions of everybody that the node takes attributes
// from, put together, with the origin of each part. Pure.
#pragma once

#include "base/result.hpp"
#include "boot/site/network_index.hpp"
#include "cluster/attributes.hpp"
#include "cluster/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::cloudinit {

/// Something that is told, and whose it is.
struct ToldPart {
  static constexpr std::string_view kTypeName = "CloudInitPart";
  std::string what;  ///< user-data, vendor-data, a key of the meta-data, or a secret
  std::string name;  ///< of the key or the secret; empty: the whole
  std::string owner;
  std::string origin;  ///< in words: "profile gpu of group rack1"
  bool operator==(const ToldPart&) const = default;
  void describe(Visitor& v);
};

/// The four documents of the NoCloud layout.
struct NodeDocuments {
  std::string meta_data;
  std::string user_data;
  std::string vendor_data;
  std::string network_config;
  std::vector<ToldPart> parts;  ///< in the order in which cloud-init reads them
};

/// Names of the secrets that a node may fetch, each with the owner whose value counts: the
/// strongest.
struct NodeSecret {
  std::string name;
  std::string owner;
  std::string origin;
};
std::vector<NodeSecret> secrets_of(const cluster::Model& model,
                                   const cluster::NodeAttributes& attributes);

/// Whether anything is defined for the node.
bool is_defined(const cluster::Model& model, const cluster::Node& node);

/// `cluster` is the cluster's name. Errors name the owner and what is wrong: a formula that fails,
/// parts that are too long together.
Result<NodeDocuments> documents_of(const cluster::Model& model, const NetworkIndex& networks,
                                   const cluster::Node& node, std::string_view cluster);

/// The same for clients of OpenCHAMI's paths: what groups say comes as files of their own, which
/// vendor-data includes, and user-data is that of the node and its profiles.
struct OpenChamiDocuments {
  std::string meta_data;
  std::string user_data;    ///< `#cloud-config` when nobody says anything
  std::string vendor_data;  ///< `#include` of a URL for each group
};
/// `base` is where the files of groups are: "http://10.0.0.1:8080/cloud-init"; the keys
/// cloud-init-base-url and base-url are stronger.
Result<OpenChamiDocuments> openchami_documents_of(const cluster::Model& model,
                                                  const NetworkIndex& networks,
                                                  const cluster::Node& node,
                                                  std::string_view cluster, std::string_view base);

/// GROUP.yaml for a node: the group's user-data, an empty cloud-config when it has none; not_found
/// when the node is not in it.
Result<std::string> group_file(const cluster::Model& model, const cluster::Node& node,
                               std::string_view group);

}  // namespace drover::boot::cloudinit
