// What drover-boot tells cloud-init on nodes: the NoCloud documents against the boot token, and
// OpenCHAMI's paths by the node's own address.
#pragma once

#include "base/log.hpp"
#include "boot/cloudinit/node_documents.hpp"
#include "boot/site/site.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/boot/token_book.hpp"
#include "net/http/http_server.hpp"
#include "net/http/target.hpp"

#include <memory>
#include <string>

namespace drover::daemons {

/// - GET /cloud-init/nocloud/TOKEN/{meta-data,user-data,vendor-data,network-config}: of the token's
///   node, from the addresses that the token is bound to alone.
/// - GET /cloud-init/{meta-data,user-data,vendor-data,network-config} and /cloud-init/GROUP.yaml
///   as OpenCHAMI's server gives them: of the node whose address asks; 422 when none has it.
/// - POST /cloud-init/phone-home/ID: noted in the node's log.
/// Secrets are never in a document. One executor's thread; the tokens and logs outlive it.
class CloudInitDesk {
 public:
  CloudInitDesk(TokenBook& tokens, NodeLogs& logs, std::string cluster)
      : tokens_(tokens), logs_(logs), cluster_(std::move(cluster)) {}

  /// The cluster as it is from now on; both outlive their use here.
  void serve(const boot::Site& site, const cluster::Model& model) {
    site_ = &site;
    model_ = &model;
  }
  void answer(const net::HttpRequest& request, const net::Target& target,
              net::HttpExchange& exchange, bool secure);

 private:
  Result<std::string> document(const net::HttpRequest& request, const net::Target& target,
                               std::string_view client, bool secure);
  Result<const cluster::Node*> node_of(const std::string& name) const;
  Result<const cluster::Node*> node_at(std::string_view client) const;
  [[nodiscard]] Result<std::string> told(const cluster::Node& node, std::string_view name) const;
  [[nodiscard]] Result<std::string> told_as_openchami(const net::HttpRequest& request,
                                                      const cluster::Node& node,
                                                      std::string_view name, bool secure) const;
  /// `text`, and a line in the node's log.
  Result<std::string> noted(const cluster::Node& node, std::string_view name,
                            Result<std::string> text);
  /// `why`, and a line in the log of the node that asks and of the one whose token it is.
  Result<std::string> refused(std::string_view token, std::string_view name,
                              std::string_view client, const Error& why);

  TokenBook& tokens_;
  NodeLogs& logs_;
  std::string cluster_;
  const boot::Site* site_ = nullptr;
  const cluster::Model* model_ = nullptr;
};

}  // namespace drover::daemons
