// The interfaces of a node as the boot service sees them: formulas evaluated, each with its
// network; and the plan of one.
#pragma once

#include "base/result.hpp"
#include "boot/site/images.hpp"
#include "boot/site/network_index.hpp"
#include "boot/site/options.hpp"
#include "boot/site/plan.hpp"
#include "cluster/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace drover::boot {

/// An interface, or a BMC as one (named "bmc").
struct Port {
  cluster::Interface interface;
  const cluster::Network* network = nullptr;  ///< nullptr: on none that is known
  bool is_bmc = false;
};

/// The ports of a node in its own order, the BMC last; one whose formulas fail is left out, and
/// `problems` says why.
std::vector<Port> ports_of(const cluster::Model& model, const NetworkIndex& networks,
                           const cluster::Node& node, std::vector<std::string>& problems);

/// The port that a node boots by when nobody says which: the first with a MAC on a network that is
/// served, else the first with a MAC, else the first. nullptr when it has none.
const Port* boot_port(const std::vector<Port>& ports);

/// The plan of a node for one of its ports (nullptr: none).
Result<BootPlan> plan_for(const cluster::Model& model, const Images& images,
                          const SiteOptions& options, const cluster::Node& node, const Port* port,
                          bool explain);

/// A plan with its script, or the script that says why there is none.
struct NodeBoot {
  Result<BootPlan> plan;
  script::Loader loader = script::Loader::ipxe;
  std::string mac;  ///< that it boots by; empty: none is known
  script::LateText script;
  Error problem;  ///< its code is ok when there is a plan
};

/// The script of a plan; one that says why where there is none, or where it cannot be written.
NodeBoot with_script(Result<BootPlan> plan, const cluster::Node& node, const Port* port,
                     script::Loader loader, const SiteOptions& options);

/// What a node would get, explained. `loader`: whose script; nothing: what the node loads.
NodeBoot explain_boot(const cluster::Model& model, const Images& images, const SiteOptions& options,
                      const cluster::Node& node, std::optional<script::Loader> loader);

}  // namespace drover::boot
