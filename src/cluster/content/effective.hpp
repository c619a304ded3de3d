// What one node is given: the definitions of everybody that it takes attributes from, together,
// with the origin of each. Pure.
#pragma once

#include "cluster/attributes.hpp"
#include "cluster/content/cloud_init.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"
#include "cluster/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// A definition of cloud-init that counts for a node.
struct CloudInitLayer {
  const CloudInit* definition = nullptr;  ///< of the model, until that changes
  std::string owner;                      ///< "group/rack1"
  std::string origin;                     ///< "group rack1"
};
/// Weakest first: in cloud-init later parts win.
std::vector<CloudInitLayer> cloud_init_of(const Model& model, const NodeAttributes& attributes);

struct EffectiveStep {
  static constexpr std::string_view kTypeName = "EffectiveStep";
  Step step;
  std::string origin;
  std::vector<std::string> overrides;  ///< origins of those whose place it took
  void describe(Visitor& v);
};
/// The steps of the weakest owner first, each owner's in their order; a step of a stronger owner
/// takes the place of one that is called the same.
std::vector<EffectiveStep> steps_of(const Model& model, const NodeAttributes& attributes);

struct EffectiveFile {
  static constexpr std::string_view kTypeName = "EffectiveFile";
  std::string path;
  OverlayFile file;  ///< its content with formulas evaluated
  std::string origin;
  std::vector<std::string> overrides;
  std::string problem;  ///< why it cannot be made; empty: it is good
  void describe(Visitor& v);
};
/// By path; the strongest owner's counts.
std::vector<EffectiveFile> files_of(const Model& model, NodeAttributes& attributes);

}  // namespace drover::cluster
