// Bodies are parsed only where nobody has done it yet.
#include "cluster/stored_node.hpp"

#include <cassert>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Bytes of most nodes' bodies.
constexpr size_t kUsualBody = 1'024;

Node as_written(Node node) {
  for (WallTime* since : {&node.phase.since, &node.power.since, &node.service.since}) {
    *since = from_unix_ms(to_unix_ms(*since));
  }
  return node;
}

}  // namespace

StoredNode::StoredNode(Node value) : node(as_written(std::move(value))) {}

Result<std::shared_ptr<const StoredNode>> stored_node(std::string_view name, std::string_view body,
                                                      const store::ReadingPointer& reading) {
  if (auto known = std::dynamic_pointer_cast<const StoredNode>(reading.pointer)) return known;
  auto node = decode_text<Node>(body, Unknown::ignore);
  if (node) return std::make_shared<const StoredNode>(*std::move(node));
  return fail(Code::corrupt,
              fmt::format("the stored node '{}' cannot be read: {}", name, node.error().message));
}

Result<std::shared_ptr<const StoredNode>> read_stored_node(store::Transaction& tx,
                                                           const std::string& name) {
  DROVER_TRY(auto reading, tx.reading(kNodeKind, name));
  if (auto known = std::dynamic_pointer_cast<const StoredNode>(std::move(reading))) return known;
  DROVER_TRY(const auto object, tx.get(kNodeKind, name));
  if (object) return stored_node(name, object->body, object->reading);
  return fail(Code::not_found, fmt::format("there is no node '{}'", name),
              "drover node list shows all nodes");
}

Result<uint64_t> write_node(store::Transaction& tx, std::shared_ptr<const StoredNode> node) {
  std::string body;
  body.reserve(kUsualBody);
  append_json(body, node->node);
  // What others are given instead of the body has to be what they would read in it.
  assert(decode_text<Node>(body) == node->node);
  const std::string& name = node->node.name;
  return tx.put(kNodeKind, name, body, {node});
}

}  // namespace drover::cluster
