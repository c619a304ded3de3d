// Many emulated BMCs on one Net: numbered, each with its own port or host, a share of them hostile.
#pragma once

#include "sim/bmc/bmc_server.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace drover::sim {

struct BmcFleetOptions {
  uint32_t count = 1;
  uint32_t first = 0;  ///< number of the first
  std::string host = "127.0.0.1";
  uint16_t port = 0;      ///< of the first; the others follow. 0: any free ones
  bool spread = false;    ///< each at the next IPv4 address, with the port of the first
  BmcTraits traits = {};  ///< of each, apart from its number
};

class BmcFleet {
 public:
  /// Makes them all and lets them listen; the first that cannot is the error. See BmcServer::listen
  /// for `security`, which all share.
  static Result<std::unique_ptr<BmcFleet>> start(BmcSeams seams, const BmcFleetOptions& options,
                                                 std::shared_ptr<net::Security> security = {});

  [[nodiscard]] size_t size() const { return members_.size(); }
  [[nodiscard]] BmcServer& at(size_t index) { return *members_.at(index).server; }
  [[nodiscard]] const net::Endpoint& endpoint(size_t index) const {
    return members_.at(index).endpoint;
  }
  /// Requests answered by all of them.
  [[nodiscard]] uint64_t requests() const;

 private:
  struct Member {
    std::unique_ptr<BmcServer> server;
    net::Endpoint endpoint;
  };
  std::vector<Member> members_;
};

}  // namespace drover::sim
