// The API on a daemon's own Unix socket: answered by a master over the tree, with the caller's
// kernel-verified identity signed by this daemon; cached reads and clear words when the way up is
// lost.
#pragma once

#include "api/daemon_control.hpp"
#include "auth/assertion.hpp"
#include "daemons/seams.hpp"
#include "net/http/http_client.hpp"
#include "net/http/http_server.hpp"
#include "tree/channel_net.hpp"

#include <list>
#include <map>
#include <memory>
#include <string>

namespace drover::daemons {

struct LocalApiConfig {
  std::string socket;  ///< path of the Unix socket; empty: none
  /// Login name behind a uid, empty when it has none.
  Callback<std::string(uint32_t uid)> user_name;
  /// The link to forward over, nullptr when there is none.
  Callback<tree::Link*()> up;
  /// Why there is none, and since when.
  Callback<std::pair<std::string, WallTime>()> down_why;
  /// The body of GET /api/v1/local.
  Callback<std::string()> local_status;
  /// Who may use the control beside root: the daemon's own user.
  uint32_t own_uid = 0;
  api::DaemonControl* control = nullptr;  ///< null: there is none
};

/// Executor's thread only.
class LocalApi {
 public:
  /// `signer` outlives this object.
  LocalApi(Seams seams, LocalApiConfig config, auth::Signer& signer);
  ~LocalApi();

  Status start();
  void stop();
  /// Sends a request in this daemon's own name (certificate renewal). `done` runs once.
  void ask(net::HttpRequest request, Duration timeout,
           Callback<void(Result<net::HttpResponse>)> done);
  /// The same with the answer as it comes; nullptr without a way up. `request` is a GET's target.
  std::unique_ptr<net::HttpCall> follow(const std::string& target, net::HttpStreamEvents events,
                                        net::HttpHeaders headers = {});

 private:
  struct Forward;
  struct Cached {
    net::HttpResponse response;
    MonoTime when{};
  };
  using ExchangePtr = std::shared_ptr<net::HttpExchange>;

  Status sign_as_daemon(net::HttpRequest& request);
  void serve(net::HttpRequest request, const ExchangePtr& exchange);
  /// The daemon's own control, answered here whatever the way up; false: not a path of it.
  bool serve_control(const net::HttpRequest& request, const ExchangePtr& exchange);
  void forward(net::HttpRequest request, const ExchangePtr& exchange);
  void answer_without_master(const std::string& key, const ExchangePtr& exchange, const Error& why);
  void remember(const std::string& key, const net::HttpResponse& response);
  void drop(std::list<std::unique_ptr<Forward>>::iterator place);

  /// Answers kept for the time without a master: what people look at when something is wrong.
  static constexpr size_t kCacheEntries = 64;
  static constexpr size_t kCacheBody = size_t{4} << 20;

  Seams seams_;
  LocalApiConfig config_;
  auth::Signer& signer_;
  Log log_;
  tree::ChannelNet channels_;
  net::HttpClient client_;
  net::HttpServer server_;
  std::list<std::unique_ptr<Forward>> forwards_;
  std::map<std::string, Cached> cache_;  ///< by "uid target"
  std::list<std::pair<uint64_t, std::unique_ptr<net::HttpCall>>> asks_;
  uint64_t last_ask_ = 0;
};

}  // namespace drover::daemons
