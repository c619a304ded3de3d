#include "boot/site/ports.hpp"

#include "boot/site/given.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/effective.hpp"
#include "cluster/formula.hpp"

#include <algorithm>
#include <optional>

namespace drover::boot {
namespace {

bool has_formula(const cluster::Interface& interface) {
  return cluster::has_formula(interface.mac) ||
         std::ranges::any_of(interface.addresses, cluster::has_formula);
}

bool is_served(const Port& port) {
  return port.network != nullptr && port.network->mode != cluster::NetworkMode::off;
}

/// The attributes of a node are gathered only where a formula needs them.
class Evaluator {
 public:
  Evaluator(const cluster::Model& model, const cluster::Node& node)
      : definitions_(model, cluster::ModelDefinitions::Groups::fixed), node_(node) {}
  cluster::NodeAttributes& attributes() {
    if (!attributes_) attributes_.emplace(node_, definitions_);
    return *attributes_;
  }

 private:
  cluster::ModelDefinitions definitions_;
  const cluster::Node& node_;
  std::optional<cluster::NodeAttributes> attributes_;
};

std::optional<Port> bmc_port(Evaluator& evaluator, const NetworkIndex& networks,
                             const cluster::Bmc& bmc, std::vector<std::string>& problems) {
  auto evaluated = evaluate_bmc(evaluator.attributes(), bmc);
  if (!evaluated) {
    problems.push_back(evaluated.error().text());
    return std::nullopt;
  }
  Port out;
  out.is_bmc = true;
  out.interface.name = "bmc";
  out.interface.mac = evaluated->mac;
  if (cluster::IpAddress::parse(evaluated->address)) {
    out.interface.addresses.push_back(evaluated->address);
  }
  out.network = networks.of(out.interface);
  return out;
}

}  // namespace

std::vector<Port> ports_of(const cluster::Model& model, const NetworkIndex& networks,
                           const cluster::Node& node, std::vector<std::string>& problems) {
  std::vector<Port> out;
  Evaluator evaluator(model, node);
  for (size_t i = 0; i < node.spec.interfaces.size(); ++i) {
    const cluster::Interface& written = node.spec.interfaces[i];
    Port port;
    if (has_formula(written)) {
      auto evaluated = evaluate_interface(evaluator.attributes(), written, i);
      if (!evaluated) {
        problems.push_back(evaluated.error().text());
        continue;
      }
      port.interface = *std::move(evaluated);
    } else {
      port.interface = written;
    }
    port.network = networks.of(port.interface);
    out.push_back(std::move(port));
  }
  if (node.spec.bmc) {
    auto port = bmc_port(evaluator, networks, *node.spec.bmc, problems);
    if (port) out.push_back(*std::move(port));
  }
  return out;
}

const Port* boot_port(const std::vector<Port>& ports) {
  const Port* with_mac = nullptr;
  const Port* any = nullptr;
  for (const Port& port : ports) {
    if (port.is_bmc) continue;
    if (any == nullptr) any = &port;
    if (port.interface.mac.empty()) continue;
    if (with_mac == nullptr) with_mac = &port;
    if (is_served(port)) return &port;
  }
  return with_mac != nullptr ? with_mac : any;
}

Result<BootPlan> plan_for(const cluster::Model& model, const Images& images,
                          const SiteOptions& options, const cluster::Node& defined,
                          const Port* port, bool explain) {
  const NodeDefinitions definitions(model);
  const std::vector<std::string> meant = profiles_meant(model, defined);
  std::optional<cluster::Node> with_meant;
  if (!meant.empty()) {
    with_meant = defined;
    with_meant->spec.profiles.insert(with_meant->spec.profiles.end(), meant.begin(), meant.end());
  }
  const cluster::Node& node = with_meant ? *with_meant : defined;
  const auto next = model.boot_nexts().find(node.name);
  std::vector<cluster::CloudInitLayer> layers;
  if (!model.cloud_inits().empty()) {
    layers = cluster::cloud_init_of(model, cluster::NodeAttributes(node, definitions));
  }
  return make_plan({.node = node,
                    .definitions = definitions,
                    .images = images,
                    .options = options,
                    .next = next == model.boot_nexts().end() ? nullptr : &next->second,
                    .interface = port == nullptr ? nullptr : &port->interface,
                    .network = port == nullptr ? nullptr : port->network,
                    .cloud_init = !layers.empty(),
                    .secrets = std::ranges::any_of(layers,
                                                   [](const cluster::CloudInitLayer& layer) {
                                                     return !layer.definition->secrets.empty();
                                                   }),
                    .explain = explain});
}

NodeBoot with_script(Result<BootPlan> plan, const cluster::Node& node, const Port* port,
                     script::Loader loader, const SiteOptions& options) {
  NodeBoot out{std::move(plan), loader, port == nullptr ? "" : port->interface.mac, {}, {}};
  Result<std::string> rendered = std::string();
  if (out.plan) {
    const bool own = out.plan->own_template && out.plan->loader == loader;
    out.plan->loader = loader;
    const auto purpose = out.plan->from == BootFrom::disk ? script::Purpose::disk
                         : out.plan->kernel_url.empty()   ? script::Purpose::network
                                                          : script::Purpose::given;
    const script::Template& chosen = own ? *out.plan->own_template : built_in(loader, purpose);
    rendered = chosen.render(template_values(*out.plan, options));
  }
  if (!out.plan || !rendered) {
    out.problem = out.plan ? rendered.error() : out.plan.error();
    BootPlan shown;
    shown.node = node.name;
    shown.loader = loader;
    shown.mac = out.mac;
    script::Values values = template_values(shown, options);
    values.all["problem"] = script::harmless(out.problem.text());
    values.all["fix"] = script::harmless(out.problem.next);
    rendered = built_in(loader, script::Purpose::refused).render(values);
  }
  out.script = script::LateText(rendered.value_or("#!ipxe\nexit 1\n"));
  return out;
}

NodeBoot explain_boot(const cluster::Model& model, const Images& images, const SiteOptions& options,
                      const cluster::Node& node, std::optional<script::Loader> loader) {
  const NetworkIndex networks(model.networks());
  std::vector<std::string> problems;
  const std::vector<Port> ports = ports_of(model, networks, node, problems);
  const Port* const port = boot_port(ports);
  auto plan = plan_for(model, images, options, node, port, true);
  const script::Loader loads = plan ? plan->loader : script::Loader::ipxe;
  return with_script(std::move(plan), node, port, loader.value_or(loads), options);
}

}  // namespace drover::boot
