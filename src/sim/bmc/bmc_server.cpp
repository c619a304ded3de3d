#include "sim/bmc/bmc_server.hpp"

#include "sim/bmc/bmc_harm.hpp"
#include "sim/bmc/bmc_tree.hpp"

#include <utility>

namespace drover::sim {

BmcServer::BmcServer(BmcSeams seams, BmcTraits traits)
    : seams_(std::move(seams)), bmc_(std::move(traits), seams_.executor, seams_.random) {
  net::HttpServerOptions options;
  options.server_name = "emulated-bmc";
  options.connection_limit = 64;  // real ones have fewer
  server_ = std::make_unique<net::HttpServer>(
      seams_.executor, seams_.net, seams_.log,
      [this](net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
        const BmcTraits& traits = bmc_.traits();
        Duration wait = traits.latency;
        if (traits.latency_jitter > Duration::zero()) {
          wait += seams_.random.between(Duration::zero(), traits.latency_jitter);
        }
        if (wait == Duration::zero()) return serve(std::move(request), std::move(exchange));
        seams_.executor.arm(
            seams_.executor.now() + wait,
            [this, alive = std::weak_ptr<bool>(alive_), request = std::move(request),
             exchange = std::move(exchange)]() mutable {
              if (alive.expired()) return;
              serve(std::move(request), std::move(exchange));
            });
      },
      options);
}

BmcServer::~BmcServer() {
  server_.reset();  // first: what is held hears nothing of it then
}

Result<net::Endpoint> BmcServer::listen(const net::Endpoint& at,
                                        Callback<std::shared_ptr<net::Security>()> security) {
  return server_->listen(at, std::move(security));
}

void BmcServer::serve(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
  if (exchange->gone()) return;
  net::HttpResponse answer = bmc_.answer(request);
  const BmcHostility hostility = bmc_.traits().hostility;
  const bool root = request.target.size() <= kBmcRoot.size() + 1;
  if (hostility == BmcHostility::none || (root && shapes_bodies(hostility))) {
    return exchange->respond(std::move(answer));
  }
  std::erase_if(held_, [](const auto& held) { return held->gone(); });
  auto held = do_harm(hostility, seams_.executor, request, std::move(answer), std::move(exchange));
  if (held) held_.push_back(std::move(held));
}

}  // namespace drover::sim
