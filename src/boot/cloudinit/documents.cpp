// YAML is written from JSON values, so that no name or value can change the shape of a document.
#include "boot/cloudinit/documents.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/cloud_init.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace drover::boot::cloudinit {
namespace {

constexpr std::string_view kNothing = "#cloud-config\n{}\n";

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& each : list) out.emplace_back(each);
  return out;
}

bool is_text(std::string_view content) {
  return std::ranges::none_of(content, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
  });
}

Status check_part(const Part& part) {
  if (part.content.size() > kMaxPart) {
    return fail(Code::too_large, fmt::format("{}: longer than {} bytes", part.name, kMaxPart));
  }
  if (!is_text(part.content)) {
    return fail(Code::invalid_argument,
                fmt::format("{}: holds control characters, which are no text", part.name));
  }
  if (!cluster::cloud_init_type(part.content).empty()) return {};
  return fail(Code::invalid_argument,
              fmt::format("{}: its first line says nothing that cloud-init knows: '{}'", part.name,
                          printable(part.content.substr(0, part.content.find('\n')).substr(0, 60))),
              "begin with #cloud-config, #!, #include, #cloud-boothook or ## template: jinja");
}

/// What stands between parts must be in none of them.
std::string boundary_for(const std::vector<Part>& parts) {
  for (unsigned number = 0;; ++number) {
    std::string out = fmt::format("==drover-{}==", number);
    const bool taken = std::ranges::any_of(
        parts, [&](const Part& part) { return part.content.find(out) != std::string::npos; });
    if (!taken) return out;
  }
}

std::string file_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out.push_back(plain || c == '.' || c == '-' || c == '_' ? c : '-');
  }
  return out;
}

Link link_of(const Port& port, bool routes) {
  Link out;
  out.name = port.interface.name;
  out.mac = port.interface.mac;
  const cluster::Network* const network = port.network;
  for (std::string address : port.interface.addresses) {
    const bool v4 = address.find(':') == std::string::npos;
    if (address.find('/') == std::string::npos) {
      const std::string prefix = network == nullptr ? "" : v4 ? network->prefix : network->prefix6;
      const size_t slash = prefix.find('/');
      address += slash != std::string::npos ? prefix.substr(slash) : v4 ? "/32" : "/128";
    }
    out.addresses.push_back(std::move(address));
  }
  if (network == nullptr) return out;
  if (routes) out.gateway = network->gateway;
  out.nameservers = network->nameservers;
  out.search = network->search;
  if (out.search.empty() && !network->domain.empty()) out.search = {network->domain};
  out.mtu = network->mtu;
  return out;
}

json::object link_document(const Link& link) {
  json::object out;
  if (!link.mac.empty()) {
    out["match"] = json::object{{"macaddress", link.mac}};
    out["set-name"] = link.name;
  }
  out["dhcp4"] = false;
  out["dhcp6"] = false;
  if (!link.addresses.empty()) out["addresses"] = texts(link.addresses);
  if (!link.gateway.empty()) {
    out["routes"] = json::array{json::object{{"to", "default"}, {"via", link.gateway}}};
  }
  json::object names;
  if (!link.nameservers.empty()) names["addresses"] = texts(link.nameservers);
  if (!link.search.empty()) names["search"] = texts(link.search);
  if (!names.empty()) out["nameservers"] = std::move(names);
  if (link.mtu != 0) out["mtu"] = link.mtu;
  return out;
}

/// The node's IPv4 address where it boots, without its prefix.
std::string address_of(const Port* boots) {
  if (boots == nullptr) return {};
  const auto& all = boots->interface.addresses;
  const auto v4 = std::ranges::find_if(
      all, [](const std::string& address) { return address.find(':') == std::string::npos; });
  return v4 == all.end() ? std::string() : std::string(cluster::without_prefix(*v4));
}

std::string key_of(const Facts& facts, const std::string& key) {
  const auto it = facts.more.find(key);
  return it == facts.more.end() ? std::string() : it->second;
}

/// instance_data.v1 as OpenCHAMI's server writes it; what is not known is left out.
json::object instance_data(const Facts& facts, const std::string& host,
                           const std::string& full_name, const std::string& cluster) {
  json::object groups;
  for (const GroupFacts& group : facts.groups) {
    json::object told{{"Description", group.description}};
    for (const auto& [key, value] : group.keys) told[key] = value;
    groups[group.name] = std::move(told);
  }
  json::object vendor{{"version", "1.0"}};
  const auto put = [](json::object& to, const char* name, const std::string& value) {
    if (!value.empty()) to[name] = value;
  };
  const std::string own = key_of(facts, "cloud-init-base-url");
  put(vendor, "cloud_init_base_url", own.empty() ? key_of(facts, "base-url") : own);
  if (facts.nid != 0) vendor["nid"] = facts.nid;
  vendor["cluster_name"] = cluster;
  vendor["groups"] = std::move(groups);
  json::object v1;
  put(v1, "cloud_provider", key_of(facts, "cloud-provider"));
  put(v1, "region", key_of(facts, "region"));
  put(v1, "availability_zone", key_of(facts, "availability-zone"));
  put(v1, "instance_type", key_of(facts, "instance-type"));
  v1["instance_id"] = facts.instance;
  v1["local_hostname"] = host;
  v1["hostname"] = full_name;
  put(v1, "local_ipv4", facts.address);
  if (!facts.public_keys.empty()) v1["public_keys"] = texts(facts.public_keys);
  v1["vendor_data"] = std::move(vendor);
  return {{"v1", std::move(v1)}};
}

}  // namespace

Facts facts_of(const cluster::Model& model, const NetworkIndex& networks, const cluster::Node& node,
               std::string_view cluster) {
  Facts out;
  out.instance = "i-" + node.id;
  out.name = node.name;
  out.cluster = cluster;
  const NodeDefinitions definitions(model, NodeDefinitions::Groups::all);
  out.nid = node.spec.nid;
  for (const cluster::Group* group : definitions.groups_of(node)) {
    out.groups.push_back({group->name, group->description, {}});
  }
  for (const auto& each : cluster::NodeAttributes(node, definitions).all()) {
    if (each.problem.empty()) out.attributes[each.name] = each.value;
  }
  std::vector<std::string> problems;
  const std::vector<Port> ports = ports_of(model, networks, node, problems);
  const Port* const boots = boot_port(ports);
  for (const Port& port : ports) {
    if (!port.is_bmc) out.links.push_back(link_of(port, &port == boots));
  }
  out.address = address_of(boots);
  const auto told = [&](const char* name, std::string& to) {
    const auto it = out.attributes.find(name);
    if (it != out.attributes.end() && !it->second.empty()) to = it->second;
  };
  if (boots != nullptr && boots->network != nullptr) out.domain = boots->network->domain;
  told("domain", out.domain);
  for (Link& link : out.links) {
    if (boots != nullptr && link.name == boots->interface.name) told("gateway", link.gateway);
  }
  return out;
}

std::string host_name(const Facts& facts) {
  if (std::string told = key_of(facts, "local-hostname"); !told.empty()) return told;
  const std::string stem = key_of(facts, "short-name");
  if (stem.empty() || facts.nid == 0) return facts.name;
  constexpr unsigned kUsual = 4;
  constexpr unsigned kMost = 20;
  const std::string digits = key_of(facts, "nid-length");
  unsigned width = kUsual;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), width);
  if (error != std::errc() || end != digits.data() + digits.size()) width = kUsual;
  return fmt::format("{}{:0{}}", stem, facts.nid, std::min(width, kMost));
}

std::string meta_data(const Facts& facts) {
  json::object attributes;
  for (const auto& [name, value] : facts.attributes) attributes.emplace(name, value);
  json::array groups;
  for (const GroupFacts& group : facts.groups) groups.emplace_back(group.name);
  const std::string host = host_name(facts);
  std::string full_name = facts.domain.empty() ? host : host + "." + facts.domain;
  if (const std::string told = key_of(facts, "hostname"); !told.empty()) full_name = told;
  const std::string named = key_of(facts, "cluster-name");
  const std::string cluster = named.empty() ? facts.cluster : named;
  json::object out;
  out["instance-id"] = facts.instance;
  out["local-hostname"] = host;
  out["hostname"] = full_name;
  out["cluster-name"] = cluster;
  for (const auto& [key, value] : facts.more) {
    if (!out.contains(key)) out[key] = value;
  }
  if (!facts.public_keys.empty()) out["public-keys"] = texts(facts.public_keys);
  out["instance_data"] = instance_data(facts, host, full_name, cluster);
  out["drover"] =
      json::object{{"groups", std::move(groups)}, {"attributes", std::move(attributes)}};
  return to_yaml(out);
}

std::string network_config(const Facts& facts) {
  json::object links;
  for (const Link& link : facts.links) links[link.name] = link_document(link);
  return to_yaml(json::object{{"version", 2}, {"ethernets", std::move(links)}});
}

Result<std::string> compose(const std::vector<Part>& parts) {
  for (const Part& part : parts) DROVER_CHECK_OK(check_part(part));
  if (parts.empty()) return std::string(kNothing);
  if (parts.size() == 1) return parts.front().content;
  const std::string boundary = boundary_for(parts);
  std::string out = fmt::format(
      "Content-Type: multipart/mixed; boundary=\"{}\"\nMIME-Version: 1.0\n\n", boundary);
  for (const Part& part : parts) {
    out += fmt::format(
        "--{}\nContent-Type: {}; charset=\"utf-8\"\nMIME-Version: 1.0\n"
        "Content-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"{}\"\n\n",
        boundary, cluster::cloud_init_type(part.content), file_name(part.name));
    out += part.content;
    if (!out.ends_with('\n')) out += '\n';
  }
  out += fmt::format("--{}--\n", boundary);
  if (out.size() > kMaxDocument) {
    return fail(Code::too_large,
                fmt::format("the parts are longer than {} bytes together", kMaxDocument));
  }
  return out;
}

std::string include_list(const std::vector<std::string>& urls) {
  if (urls.empty()) return std::string(kNothing);
  std::string out = "#include\n";
  for (const std::string& url : urls) out += url + "\n";
  return out;
}

}  // namespace drover::boot::cloudinit
