// A node as it was read out of the store, or is about to be written there.
#pragma once

#include "base/result.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace drover::cluster {

/// The reading of a body of kNodeKind. Whoever keeps a node in memory keeps this, so that the
/// node is there once.
struct StoredNode final : store::Reading {
  /// Takes times to the millisecond, which is what a body can say.
  explicit StoredNode(Node value);
  const Node node;
};

/// A node after a change of it.
struct ChangedNode {
  std::shared_ptr<const StoredNode> stored;
  bool changed = false;  ///< false: it was so already, and nothing was written
};

/// The node that `body` says: the reading, where there is one of a node, or what parsing gives.
/// Code::corrupt naming the node when it cannot be read.
Result<std::shared_ptr<const StoredNode>> stored_node(std::string_view name, std::string_view body,
                                                      const store::ReadingPointer& reading);

/// The node of that name, without parsing where it is known. not_found.
Result<std::shared_ptr<const StoredNode>> read_stored_node(store::Transaction& tx,
                                                           const std::string& name);

/// Writes it; returns the revision now in force.
Result<uint64_t> write_node(store::Transaction& tx, std::shared_ptr<const StoredNode> node);

}  // namespace drover::cluster
