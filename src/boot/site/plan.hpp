// What a node gets when it boots, and why: every value with its origin. Pure.
#pragma once

#include "base/result.hpp"
#include "boot/script/built_in.hpp"
#include "boot/script/late.hpp"
#include "boot/site/images.hpp"
#include "boot/site/options.hpp"
#include "cluster/attributes.hpp"
#include "cluster/boot_next.hpp"
#include "cluster/network.hpp"
#include "cluster/node.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot {

/// Where a boot takes its kernel from.
enum class BootFrom : uint8_t {
  network,  ///< from here
  disk,     ///< the node's own disk
};
std::span<const std::string_view> enum_names(BootFrom);

/// One value of a plan, and where it comes from, in words: "node", "profile gpu of group rack1",
/// "network boot", "image rocky9", "boot-next", "built in".
struct PlanValue {
  static constexpr std::string_view kTypeName = "BootPlanValue";
  std::string name;
  std::string value;
  std::string origin;
  bool operator==(const PlanValue&) const = default;
  void describe(Visitor& v);
};

/// How one interface of a node boots. Texts may hold late marks (script/late.hpp).
struct BootPlan {
  std::string node;
  uint64_t nid = 0;
  BootFrom from = BootFrom::network;
  cluster::BootMode mode = cluster::BootMode::lean;
  script::Loader loader = script::Loader::ipxe;
  BootImage image;
  std::string kernel_url;  ///< a kernel that is fetched from there, and no image; empty: an image
  std::string initrd_url;  ///< beside it; empty: none
  std::string interface;   ///< that boots: "eth0"
  std::string mac;
  std::string network;  ///< its name; empty: on none that is known
  std::string args;     ///< the kernel's command line
  /// The site's own template of the network's script; nothing: the built-in one.
  std::optional<script::Template> own_template;
  std::map<std::string, std::string> attributes;  ///< that it names, those that are set
  bool once = false;                              ///< a boot-next decided some of it
  std::vector<PlanValue> values;                  ///< when they were asked for
};

/// What a plan is made from. References and pointers are used during the call alone.
struct PlanRequest {
  const cluster::Node& node;
  const cluster::Definitions& definitions;
  const Images& images;
  const SiteOptions& options;
  const cluster::BootNext* next = nullptr;
  /// The interface that boots, evaluated; nullptr: the node has none.
  const cluster::Interface* interface = nullptr;
  const cluster::Network* network = nullptr;  ///< that the interface is on
  bool cloud_init = false;                    ///< something is defined for the node
  bool secrets = false;                       ///< .. and it has secrets
  bool explain = false;  ///< fill BootPlan::values, which costs several times the rest
};

/// Errors say what an administrator must do: no image, an image that is not there, a mode that the
/// image cannot do, kernel arguments that a loader would not leave alone.
Result<BootPlan> make_plan(const PlanRequest& request);

/// The values of a template's variables for a plan.
script::Values template_values(const BootPlan& plan, const SiteOptions& options);

}  // namespace drover::boot
