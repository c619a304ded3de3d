// An emulated BMC on the Net seam: latency, and the harm that a hostile one does.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/http/http_server.hpp"
#include "net/net.hpp"
#include "sim/bmc/emulated_bmc.hpp"

#include <memory>
#include <vector>

namespace drover::sim {

/// What a server stands on; outlives it. `random` draws session tokens and jitter.
struct BmcSeams {
  Executor& executor;
  net::Net& net;
  Random& random;
  Log log;
};

class BmcServer {
 public:
  BmcServer(BmcSeams seams, BmcTraits traits);
  BmcServer(const BmcServer&) = delete;
  BmcServer& operator=(const BmcServer&) = delete;
  ~BmcServer();

  /// Listens there; with `security` (asked for at each connection, so that certificates can be
  /// changed) by TLS. The bound endpoint.
  Result<net::Endpoint> listen(const net::Endpoint& at,
                               Callback<std::shared_ptr<net::Security>()> security = {});
  [[nodiscard]] EmulatedBmc& bmc() { return bmc_; }
  [[nodiscard]] size_t connections() const { return server_->connections(); }

 private:
  void serve(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange);

  BmcSeams seams_;
  EmulatedBmc bmc_;
  std::unique_ptr<net::HttpServer> server_;
  std::vector<std::shared_ptr<net::HttpExchange>> held_;  ///< unanswered, until their client goes
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::sim
