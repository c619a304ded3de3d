// A master's way to ask its boot daemons: HTTP over channels of the links that they hold to it.
#pragma once

#include "api/services.hpp"
#include "cluster/model.hpp"
#include "daemons/master_tree.hpp"
#include "net/http/http_client.hpp"
#include "tree/channel_net.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

/// Executor's thread only; what it is given outlives it.
class BootDoors final : public api::BootDaemons {
 public:
  BootDoors(Executor& executor, MasterTree& tree, const cluster::Model& model)
      : executor_(executor), tree_(tree), model_(model) {}

  [[nodiscard]] std::vector<Known> known() const override;
  std::unique_ptr<net::HttpCall> ask(const std::string& name, net::HttpRequest request,
                                     net::HttpStreamEvents events) override;

 private:
  struct Door {
    Door(Executor& executor, MasterTree& tree, const std::string& name);
    tree::ChannelNet net;
    net::HttpClient client;
  };

  Executor& executor_;
  MasterTree& tree_;
  const cluster::Model& model_;
  std::map<std::string, std::unique_ptr<Door>> doors_;  ///< of each that was ever asked
};

}  // namespace drover::daemons
