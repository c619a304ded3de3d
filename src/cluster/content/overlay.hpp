// Files that nodes are given while they run, as one node, group or profile has them.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Kind of the objects in the store; their key is the owner (cluster/content/owner.hpp).
inline constexpr std::string_view kOverlayKind = "overlay";
inline constexpr size_t kMaxOverlayFiles = 256;
/// Most bytes of all files of one owner, and of all files of one node: with their names they fit
/// into one call of the tree.
inline constexpr size_t kMaxOverlayBytes = size_t{320} << 10;

enum class FileEncoding : uint8_t { text, base64url };
std::span<const std::string_view> enum_names(FileEncoding);

struct OverlayFile {
  static constexpr std::string_view kTypeName = "OverlayFile";
  std::string content;
  FileEncoding encoding = FileEncoding::text;
  std::string mode = "0644";
  std::string user = "root";  ///< name or number, by the node's own accounts
  std::string group = "root";
  bool is_template = false;  ///< content holds formulas, evaluated for each node
  bool operator==(const OverlayFile&) const = default;
  void describe(Visitor& v);
};

/// Body of a store object of kind kOverlayKind.
struct Overlay {
  static constexpr std::string_view kTypeName = "Overlay";
  std::string name;                          ///< its owner: "group/rack1"
  std::map<std::string, OverlayFile> files;  ///< by absolute path
  bool operator==(const Overlay&) const = default;
  void describe(Visitor& v);
};

/// Checks every field; the error names field, value and rule.
Status normalise(Overlay& overlay);

}  // namespace drover::cluster
