// The finished things of one port: its reservations and its script.
#include "boot/site/place.hpp"

#include "boot/site/membership.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::boot {
namespace {

/// Whether a profile, a group or the node itself says anything of an attribute: for most clusters
/// the answer is no, and nothing need be worked out for each node.
bool anybody_sets(const cluster::Model& model, const cluster::NodeSpec& spec,
                  const std::string& name) {
  if (spec.attributes.contains(name)) return true;
  const auto sets = [&](const auto& each) { return each.second.value.attributes.contains(name); };
  return std::ranges::any_of(model.profiles(), sets) || std::ranges::any_of(model.groups(), sets);
}

std::string attribute_of(const cluster::Model& model, const std::string& node,
                         const cluster::NodeSpec& spec, const std::string& name) {
  if (!anybody_sets(model, spec, name)) return {};
  const cluster::NodeEntry* entry = model.find(node);
  if (entry == nullptr) return {};
  const NodeDefinitions definitions(model);
  return cluster::NodeAttributes(entry->node(), definitions)
      .value(name)
      .value_or(std::nullopt)
      .value_or("");
}

/// shim's own name for itself, by which it finds GRUB beside it.
std::string shim_of(std::string_view arch) {
  return arch == "aarch64" ? "shimaa64.efi" : "shimx64.efi";
}

/// What a machine said of itself, as it may stand in a URL.
std::string word_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '.' || c == '-' || c == '_' || c == ':') out.push_back(c);
  }
  return out;
}

std::string asked_by(const ScriptRequest& request) {
  if (!request.mac.empty()) return "mac=" + script::mark(script::Late::mac);
  if (!request.name.empty()) return fmt::format("name={}", word_of(request.name));
  if (!request.xname.empty()) return fmt::format("xname={}", word_of(request.xname));
  return fmt::format("nid={}", word_of(request.nid));
}

}  // namespace

void Site::Place::fill(const SiteOptions& options, const cluster::Model& model) {
  const cluster::Interface& interface = port->interface;
  reservation.name = port->is_bmc ? "bmc-" + machine->name : machine->name;
  reservation.boots = !port->is_bmc;
  for (const std::string& address : interface.addresses) {
    const std::string_view bare = cluster::without_prefix(address);
    if (const auto v4 = Ipv4::parse(bare)) {
      reservation.addresses.push_back(*v4);
    } else if (const auto v6 = Ipv6::parse(bare)) {
      reservation6.addresses.push_back(*v6);
    }
  }
  if (!port->is_bmc) {
    // What it is known by here, written out: `${netX/mac}` of a loader may be another interface's.
    // Who is known by its switch port says its MAC itself.
    const std::string path =
        interface.mac.empty()
            ? fmt::format("/boot/v1/bootscript?name={}&mac=${{netX/mac}}", machine->name)
            : fmt::format("/boot/v1/bootscript?mac={}", interface.mac);
    reservation.script = fmt::format("http://{{server}}:{}{}", options.http_port, path);
    reservation6.script = fmt::format("http://[{{server}}]:{}{}", options.http_port, path);
    if (attribute_of(model, machine->name, machine->spec, "boot_loader") == "grub") {
      reservation.loader = shim_of(attribute_of(model, machine->name, machine->spec, "arch"));
    }
  }
  reservation6.name = reservation.name;
  reservation6.boots = reservation.boots;
  reservation6.loader = reservation.loader;
}

void Site::Place::finish(script::Loader asked, const cluster::Model& model, const Images& images,
                         const SiteOptions& options) {
  loader = asked;
  why.clear();
  const cluster::NodeEntry* entry = model.find(machine->name);
  if (entry == nullptr) return;
  NodeBoot boot = with_script(plan_for(model, images, options, entry->node(), port, false),
                              entry->node(), port, asked, options);
  once = boot.plan && boot.plan->once;
  elsewhere = boot.plan && boot.problem.message.empty() && !boot.plan->kernel_url.empty();
  why = boot.problem.message.empty() ? "" : boot.problem.text();
  text = std::move(boot.script);
}

std::vector<std::string> Site::Machine::find_switch_ports(const cluster::Model& model) const {
  std::vector<std::string> out;
  std::string rest = attribute_of(model, name, spec, "switch_port");
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) out.push_back(rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  return out;
}

void asks_again(const ScriptRequest& request, script::Values& values) {
  const std::string again = fmt::format(
      "/boot/v1/bootscript?{}&retry={}{}", asked_by(request), script::mark(script::Late::again),
      request.loader == script::Loader::grub ? "&format=grub" : "&arch=${buildarch}");
  values.all["mac"] = script::mark(script::Late::mac);
  values.all["again"] = values.all["http"] + again;
  values.all["again.path"] = again;
}

script::LateText unknown_script(const SiteOptions& options, const ScriptRequest& request) {
  BootPlan nobody;
  nobody.loader = request.loader;
  script::Values values = template_values(nobody, options);
  asks_again(request, values);
  return script::LateText(
      built_in(request.loader, script::Purpose::unknown).render(values).value_or(""));
}

}  // namespace drover::boot
