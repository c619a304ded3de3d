// Which node an xname names, and which xname a node goes by: its name or the first of its aliases
// that is a node's xname, else one that is made from its number or id. Pure; why so:
// decisions/0027.
#pragma once

#include "cluster/model.hpp"
#include "cluster/xname.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

namespace drover::cluster {

/// The xname that somebody gave the node; empty: none.
std::string_view given_xname(const Node& node);
/// The xname that it goes by. Without a given one x9999c0s<nid>b0n0, and without a number
/// x9998c0s<48 bits made from its id>b0n0: no cabinets of real machines have these numbers, and
/// where one has, the given xname is the stronger.
std::string xname_of(const Node& node);

/// Finds nodes by xname, in about 100 ns where the xname is given; the first made one costs a walk
/// over the nodes. Valid while the model does not change.
class XnameIndex {
 public:
  explicit XnameIndex(const Model& model) : model_(model) {}
  /// The node that goes by this canonical xname; nullptr: none.
  const NodeEntry* find(std::string_view canonical);
  /// The first node of this number, in natural order; nullptr: none.
  const NodeEntry* find_nid(uint64_t nid);

 private:
  const Model& model_;
  bool walked_ = false;
  std::unordered_map<std::string, const NodeEntry*> made_;  ///< lookup only
  bool numbered_ = false;
  std::unordered_map<uint64_t, const NodeEntry*> by_nid_;  ///< lookup only
};

}  // namespace drover::cluster
