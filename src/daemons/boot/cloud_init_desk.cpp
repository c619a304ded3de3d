// Documents are made when they are asked for: four small ones for each boot.
#include "daemons/boot/cloud_init_desk.hpp"

#include "base/text.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr std::array<std::string_view, 4> kDocuments{"meta-data", "user-data", "vendor-data",
                                                     "network-config"};
/// What OpenCHAMI's server answers to an address that no node has.
constexpr int kUnknownAddress = 422;
constexpr std::string_view kYaml = ".yaml";
/// Of names, addresses and ports: nothing that would end a URL's line.
constexpr std::string_view kHostLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

/// "10.0.0.7:4711" and "[fd00::7]:4711" to the address alone.
std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

net::HttpResponse text_response(int status, std::string body) {
  net::HttpResponse out;
  out.status = status;
  out.headers.add("Content-Type", "text/yaml; charset=utf-8");
  out.headers.add("Cache-Control", "no-store");
  out.body = std::move(body);
  return out;
}

bool is_document(std::string_view name) {
  return std::ranges::find(kDocuments, name) != kDocuments.end();
}

}  // namespace

Result<const cluster::Node*> CloudInitDesk::node_of(const std::string& name) const {
  const cluster::NodeEntry* entry = model_->find(name);
  if (entry != nullptr) return &entry->node();
  return fail(Code::not_found, fmt::format("{} is no node any more", name));
}

Result<const cluster::Node*> CloudInitDesk::node_at(std::string_view client) const {
  const std::string name = site_->node_at(client);
  if (!name.empty()) return node_of(name);
  return fail(Code::conflict, fmt::format("no node has the address {}", client),
              "drover node set NAME eth0.addresses=ADDRESS");
}

Result<std::string> CloudInitDesk::noted(const cluster::Node& node, std::string_view name,
                                         Result<std::string> text) {
  logs_.add(
      node.name, LogSource::boot,
      text ? fmt::format("cloud-init fetches {}", name) : "cloud-init: " + text.error().text());
  return text;
}

Result<std::string> CloudInitDesk::refused(std::string_view token, std::string_view name,
                                           std::string_view client, const Error& why) {
  const std::string line =
      fmt::format("cloud-init: refused {} to {}: {}", name, client, why.text());
  const std::string asks = site_->node_at(client);
  const std::string named = tokens_.node_of(token);
  if (!asks.empty()) logs_.add_refusal(asks, line);
  if (!named.empty() && named != asks) logs_.add_refusal(named, line);
  return tl::unexpected<Error>(why);
}

Result<std::string> CloudInitDesk::told(const cluster::Node& node, std::string_view name) const {
  const boot::NetworkIndex networks(model_->networks());
  DROVER_TRY(auto documents, boot::cloudinit::documents_of(*model_, networks, node, cluster_));
  if (name == "meta-data") return std::move(documents.meta_data);
  if (name == "user-data") return std::move(documents.user_data);
  if (name == "vendor-data") return std::move(documents.vendor_data);
  return std::move(documents.network_config);
}

Result<std::string> CloudInitDesk::told_as_openchami(const net::HttpRequest& request,
                                                     const cluster::Node& node,
                                                     std::string_view name, bool secure) const {
  if (name == "network-config") return told(node, name);
  const std::string_view host = request.headers.get("Host").value_or("");
  if (host.empty() || host.find_first_not_of(kHostLetters) != std::string_view::npos) {
    return fail(Code::invalid_argument, "the Host field names no host");
  }
  const std::string base = fmt::format("{}://{}/cloud-init", secure ? "https" : "http", host);
  const boot::NetworkIndex networks(model_->networks());
  DROVER_TRY(auto documents,
             boot::cloudinit::openchami_documents_of(*model_, networks, node, cluster_, base));
  if (name == "meta-data") return std::move(documents.meta_data);
  if (name == "user-data") return std::move(documents.user_data);
  return std::move(documents.vendor_data);
}

Result<std::string> CloudInitDesk::document(const net::HttpRequest& request,
                                            const net::Target& target, std::string_view client,
                                            bool secure) {
  if (model_ == nullptr || site_ == nullptr) {
    return fail(Code::unreachable, "nothing is known of the cluster yet: no master has answered");
  }
  const auto& path = target.segments;
  const bool phones = path.size() == 3 && path[1] == "phone-home";
  if (request.method != (phones ? "POST" : "GET")) {
    return fail(Code::invalid_argument, printable(request.method) + " is not served here");
  }
  if (path.size() == 4 && path[1] == "nocloud" && is_document(path[3])) {
    const auto ticket = tokens_.check(path[2], client);
    if (!ticket) return refused(path[2], path[3], client, ticket.error());
    DROVER_TRY(const cluster::Node* node, node_of((*ticket)->node));
    return noted(*node, path[3], told(*node, path[3]));
  }
  if (phones) {
    DROVER_TRY(const cluster::Node* node, node_at(client));
    logs_.add(node->name, LogSource::boot, "cloud-init has finished");
    return std::string();
  }
  if (path.size() == 2 && is_document(path[1])) {
    DROVER_TRY(const cluster::Node* node, node_at(client));
    return noted(*node, path[1], told_as_openchami(request, *node, path[1], secure));
  }
  if (path.size() == 2 && path[1].ends_with(kYaml)) {
    DROVER_TRY(const cluster::Node* node, node_at(client));
    const std::string group = path[1].substr(0, path[1].size() - kYaml.size());
    return noted(*node, printable(path[1]), boot::cloudinit::group_file(*model_, *node, group));
  }
  return fail(Code::not_found, "nothing is served here");
}

void CloudInitDesk::answer(const net::HttpRequest& request, const net::Target& target,
                           net::HttpExchange& exchange, bool secure) {
  auto text = document(request, target, host_of(request.peer.address), secure);
  if (text) return exchange.respond(text_response(200, *std::move(text)));
  const Error& error = text.error();
  const int status = error.code == Code::conflict ? kUnknownAddress : info(error.code).http_status;
  exchange.respond(text_response(status, error.text() + "\n"));
}

}  // namespace drover::daemons
