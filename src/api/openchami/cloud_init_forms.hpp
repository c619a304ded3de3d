// The bodies of OpenCHAMI's /cloud-init/admin, and how they lie in Drover's one model: cluster
// defaults are what the profile `default` says, instance information what the node says, groups
// what groups say. Pure. Source: OpenCHAMI's cloud-init server, its models of 2026.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/content/cloud_init.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

struct OpenChamiDefaults {
  static constexpr std::string_view kTypeName = "OpenChamiClusterDefaults";
  std::optional<std::string> cloud_provider;          ///< its server writes cloud_provider
  std::optional<std::string> cloud_provider_written;  ///< its documents say cloud-provider
  std::optional<std::string> region;
  std::optional<std::string> availability_zone;
  std::optional<std::string> cluster_name;
  std::optional<std::vector<std::string>> public_keys;
  std::optional<std::string> base_url;
  std::optional<std::string> boot_subnet;
  std::optional<std::string> wg_subnet;
  std::optional<std::string> short_name;
  std::optional<int64_t> nid_length;
  void describe(Visitor& v);
};

struct OpenChamiInstance {
  static constexpr std::string_view kTypeName = "OpenChamiInstanceInfo";
  std::optional<std::string> id;
  std::optional<std::string> instance_id;
  std::optional<std::string> local_hostname;
  std::optional<std::string> hostname;
  std::optional<std::string> cluster_name;
  std::optional<std::string> region;
  std::optional<std::string> availability_zone;
  std::optional<std::string> cloud_provider;
  std::optional<std::string> instance_type;
  std::optional<std::string> base_url;
  std::optional<std::vector<std::string>> public_keys;
  void describe(Visitor& v);
};

struct OpenChamiFile {
  static constexpr std::string_view kTypeName = "OpenChamiCloudConfigFile";
  std::optional<std::string> content;
  std::optional<std::string> filename;
  std::optional<std::string> encoding;
  void describe(Visitor& v);
};
struct OpenChamiGroup {
  static constexpr std::string_view kTypeName = "OpenChamiGroupData";
  std::string name;
  std::optional<std::string> description;
  std::optional<RawJson> meta_data;
  std::optional<OpenChamiFile> file;
  void describe(Visitor& v);
};

/// Sets what is said; fields that are empty leave what is there, as its server does.
/// invalid_argument names field, value and rule.
Status merge_defaults(const OpenChamiDefaults& given, cluster::CloudInit& into);
/// What `kept` says, as JSON without the fields that it does not say.
std::string defaults_text(const cluster::CloudInit* kept);

/// Sets what is said and takes back the other keys of instance information. `id` and `instance` are
/// the node as it was asked for and its own instance id: a body that says otherwise is refused.
Status replace_instance(const OpenChamiInstance& given, std::string_view id,
                        std::string_view instance, cluster::CloudInit& into);

/// Replaces meta-data and user-data. Content is taken as its encoding says; where that gives
/// nothing that cloud-init knows and one more base64 does, as that: the client `ochami` encodes
/// what it calls plain.
Status replace_group(const OpenChamiGroup& given, cluster::CloudInit& into);
std::string group_text(const cluster::CloudInit& kept, std::string_view description);

}  // namespace drover::api
