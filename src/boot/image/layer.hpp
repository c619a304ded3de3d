// One layer of an OCI image: what its archive holds, and what of the layers below it hides.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// What one entry of a layer does.
struct LayerEntry {
  std::string path;  ///< relative, without "." parts and final '/'
  std::string link;  ///< of a hard link: what it names, in the same form
  bool folder = false;
  bool operator==(const LayerEntry&) const = default;
};

/// Reads what `tar --list --verbose --quoting-style=escape --full-time --numeric-owner` says of a
/// layer; its own root is left out. denied for an entry that leaves the root, or whose name cannot
/// be told from the words around it.
Result<std::vector<LayerEntry>> read_layer_list(std::string_view listing);

/// What must go from the tree before a layer is unpacked over it.
struct LayerPlan {
  std::vector<std::string> remove;  ///< paths that a whiteout hides, or that become another thing
  std::vector<std::string> empty;   ///< folders whose content an opaque whiteout hides
  bool operator==(const LayerPlan&) const = default;
};

enum class TreeHas : uint8_t { nothing, link, folder, file };
/// `tree` says what the layers below have put at a path. denied for a layer that reaches through a
/// link of a lower one: it could lead out of the tree.
Result<LayerPlan> plan_layer(const std::vector<LayerEntry>& entries,
                             const std::function<TreeHas(const std::string&)>& tree);

/// Unpacks an archive over what is in `tree`, whiteouts first. Blocks; runs tar(1). Root is needed
/// for owners and devices unless `all_root`.
Status unpack_layer(const std::string& archive, const std::string& tree, bool all_root);

}  // namespace drover::boot::image
