// HttpServer: listeners and the set of connections.
#include "net/http/http_server.hpp"

#include "net/http/http_connection.hpp"

#include <map>
#include <vector>

namespace drover::net {
namespace {

/// "10.0.0.7:4711" to "10.0.0.7".
std::string host_of(const Peer& peer) {
  const size_t colon = peer.address.rfind(':');
  return peer.address.substr(0, colon);
}

}  // namespace

/// Shared with nobody but weak references of connections: it lives as long as the server, or until
/// the event in which the server was destroyed returns.
struct HttpServer::State final : HttpConnectionOwner {
  State(Executor& executor_in, Net& net_in, Log log_in, HttpHandler handler_in,
        HttpServerOptions options_in)
      : executor_(executor_in),
        net(net_in),
        log(log_in),
        handler(std::move(handler_in)),
        options_(std::move(options_in)) {}

  Executor& executor() override { return executor_; }
  [[nodiscard]] const HttpServerOptions& options() const override { return options_; }
  void handle(HttpRequest request, std::shared_ptr<HttpExchange> exchange) override {
    handler(std::move(request), std::move(exchange));
  }
  void forget(uint64_t id) override {
    const auto gone = connections.find(id);
    if (gone == connections.end()) return;
    const auto client = clients.find(gone->second.client);
    if (client != clients.end() && --client->second == 0) clients.erase(client);
    connections.erase(gone);
    if (connections.size() < options_.connection_limit) crowded = false;
    if (connections.empty()) finish_stop();
  }

  void accept(tl::expected<std::unique_ptr<Stream>, AcceptFailure> accepted,
              const std::shared_ptr<State>& self);
  void finish_stop();

  Executor& executor_;
  Net& net;
  Log log;
  HttpHandler handler;
  HttpServerOptions options_;
  std::vector<std::unique_ptr<Listener>> listeners;
  struct Open {
    std::shared_ptr<HttpConnection> connection;
    std::string client;  ///< its address, where those are counted
  };
  std::map<uint64_t, Open> connections;
  std::map<std::string, size_t> clients;  ///< open connections by address
  uint64_t next_id = 1;
  bool crowded = false;  ///< at the limit, and said so
  bool stopping = false;
  Callback<void()> stopped;
  Timer grace;
};

void HttpServer::State::accept(tl::expected<std::unique_ptr<Stream>, AcceptFailure> accepted,
                               const std::shared_ptr<State>& self) {
  if (!accepted) {
    log.notice("HTTP connection refused", {{"peer", accepted.error().peer_address},
                                           {"why", accepted.error().error.text()},
                                           {"next", accepted.error().error.next}});
    return;
  }
  if (connections.size() >= options_.connection_limit) {
    if (!std::exchange(crowded, true)) {
      log.warning("too many HTTP connections: new ones are dropped",
                  {{"limit", std::to_string(options_.connection_limit)}});
    }
    return;
  }
  std::string client;
  if (options_.connections_per_address > 0) {
    client = host_of((*accepted)->peer());
    size_t& open = clients[client];
    if (open >= options_.connections_per_address) {
      log.notice("too many HTTP connections of one client: a new one is dropped",
                 {{"client", client}, {"limit", std::to_string(open)}});
      return;
    }
    ++open;
  }
  const uint64_t id = next_id++;
  auto connection = std::make_shared<HttpConnection>(self, id, *std::move(accepted));
  connections.emplace(id, Open{connection, std::move(client)});
  connection->start();
}

void HttpServer::State::finish_stop() {
  if (!stopping || !stopped) return;
  grace.cancel();
  executor_.post(std::exchange(stopped, nullptr));
}

HttpServer::HttpServer(Executor& executor, Net& net, Log log, HttpHandler handler,
                       HttpServerOptions options)
    : state_(std::make_shared<State>(executor, net, log, std::move(handler), std::move(options))) {}

HttpServer::~HttpServer() {
  state_->listeners.clear();
  state_->stopped = nullptr;
  state_->grace.cancel();
  const auto connections = std::exchange(state_->connections, {});
  for (const auto& [id, open] : connections) open.connection->detach();
}

Result<Endpoint> HttpServer::listen(const Endpoint& at,
                                    Callback<std::shared_ptr<Security>()> security) {
  DROVER_TRY(auto listener, state_->net.listen(at, std::move(security),
                                               [weak = std::weak_ptr(state_)](auto accepted) {
                                                 if (const auto state = weak.lock()) {
                                                   state->accept(std::move(accepted), state);
                                                 }
                                               }));
  Endpoint bound = listener->endpoint();
  state_->listeners.push_back(std::move(listener));
  return bound;
}

void HttpServer::stop(Duration grace, Callback<void()> done) {
  State& state = *state_;
  state.stopping = true;
  state.stopped = std::move(done);
  state.listeners.clear();
  if (state.connections.empty()) return state.finish_stop();
  const auto connections = state.connections;
  for (const auto& [id, open] : connections) open.connection->finish_up();
  state.grace.after(state.executor_, grace, [weak = std::weak_ptr(state_)] {
    const auto held = weak.lock();
    if (!held) return;
    const auto left = held->connections;
    for (const auto& [id, open] : left) open.connection->drop();
  });
}

size_t HttpServer::connections() const {
  return state_->connections.size();
}

}  // namespace drover::net
