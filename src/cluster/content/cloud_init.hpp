// What cloud-init is told on nodes, as one node, group or profile has it.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of the objects in the store; their key is the owner (cluster/content/owner.hpp).
inline constexpr std::string_view kCloudInitKind = "cloud-init";
/// Kind of the sealed values of secrets; key "<owner>/<name>". Bookkeeping: in no log and no feed.
inline constexpr std::string_view kCloudInitSecretKind = "cloud-init-secret";

/// Longest user-data or vendor-data of one owner, in bytes: cloud-init itself has no bound, data
/// sources do.
inline constexpr size_t kMaxUserData = size_t{256} << 10;
inline constexpr size_t kMaxMetaDataKeys = 256;
inline constexpr size_t kMaxSecrets = 64;
/// Longest value of a secret, in bytes: a key pair with its chain of certificates.
inline constexpr size_t kMaxSecret = size_t{32} << 10;

/// Body of a store object of kind kCloudInitKind.
struct CloudInit {
  static constexpr std::string_view kTypeName = "CloudInit";
  std::string name;                              ///< its owner: "group/rack1"
  std::map<std::string, std::string> meta_data;  ///< values may hold formulas
  std::string user_data;                         ///< cloud-config, a script, ..; empty: none
  std::string vendor_data;                       ///< the same, weaker than the user's
  std::vector<std::string> secrets;  ///< names alone, in order; the values are kept apart
  WallTime secrets_changed{};        ///< when one of their values was set or taken away
  bool operator==(const CloudInit&) const = default;
  void describe(Visitor& v);
};

/// Checks every field; the error names field, value and rule. That the owner exists is checked in
/// the mutation.
Status normalise(CloudInit& definition);

/// The MIME type that cloud-init takes a text for, by its first line (its "user-data formats");
/// empty when it is none.
std::string_view cloud_init_type(std::string_view content);

/// Names of secrets are names of files on the node: letters, digits, '.', '_' and '-'.
Status check_secret_name(std::string_view name);

}  // namespace drover::cluster
