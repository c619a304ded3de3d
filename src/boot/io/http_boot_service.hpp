// The HTTP side of network boot: scripts, loaders and blobs for everybody; stages, kernel messages
// and enrolment for machines with a boot token, over TLS alone.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/io/boot_handler.hpp"
#include "net/http/http_server.hpp"
#include "net/http/target.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot {

struct HttpBootConfig {
  std::vector<net::Endpoint> plain = {};   ///< listeners without TLS; port 0: any
  std::vector<net::Endpoint> secure = {};  ///< listeners with TLS
  size_t connections = 20'000;             ///< open at a time, each side
  size_t connections_per_client = 64;      ///< of one address; a switch that hides many needs more
  bool operator==(const HttpBootConfig&) const = default;
};

/// What happened, for stages, traces and counters.
struct HttpBootEvent {
  enum class What : uint8_t { script, loader, blob, stage, log, enrol, secrets, refused };
  What what = What::refused;
  bool begun = false;    ///< a loader or blob: it begins now; its end follows
  std::string client;    ///< address without port
  std::string node;      ///< where a script or a token says so
  std::string token;     ///< refused: what was shown, good or not; never to be written down
  std::string name;      ///< loader, blob (its SHA-256), stage, or target of what was refused
  uint64_t offset = 0;   ///< loader or blob: where the part begins
  uint64_t bytes = 0;    ///< begun: asked for; ended: given to the network
  uint64_t size = 0;     ///< loader or blob: all of it
  bool complete = true;  ///< false: the client left before its end
  int status = 200;
  std::string why;  ///< of a refusal
};

/// One executor's thread. Everything it is given outlives it; replies that come later find their
/// client gone and do nothing.
///
/// - GET /boot/v1/bootscript?mac=|name=|nid=|xname=&arch=&retry=&format=  text/plain
/// - GET|HEAD /boot/loaders/FILE, /boot/blobs/SHA256?t=TOKEN  ranges
/// - POST /boot/v1/stage, /boot/v1/log, /boot/v1/enrol, /boot/v1/secrets
///   TLS, Authorization: Boot TOKEN
class HttpBootService {
 public:
  HttpBootService(Executor& executor, net::Net& net, Log log, HttpBootConfig config,
                  BootHandler& handler, BlobSource& blobs, const LoaderSource& loaders);
  HttpBootService(const HttpBootService&) = delete;
  HttpBootService& operator=(const HttpBootService&) = delete;
  ~HttpBootService();

  /// Opens all listeners, or none with the first error. `security` is asked for each connection.
  Status start(Callback<std::shared_ptr<net::Security>()> security);
  /// Lets answers in hand go on for up to `grace`, then calls `done`, never in here.
  void stop(Duration grace, Callback<void()> done);
  /// Where it listens, with the ports that were chosen.
  [[nodiscard]] const std::vector<net::Endpoint>& plain() const { return plain_at_; }
  [[nodiscard]] const std::vector<net::Endpoint>& secure() const { return secure_at_; }
  [[nodiscard]] size_t connections() const;

  /// One listener. Not called from inside start() or stop().
  void on_event(Callback<void(const HttpBootEvent&)> on_event) { on_event_ = std::move(on_event); }

  using Mounted = Callback<void(net::HttpRequest, const net::Target&,
                                std::shared_ptr<net::HttpExchange>, bool secure)>;
  /// Hands on every request whose first segment is `root` (cloud-init's "cloud-init").
  void mount(std::string root, Mounted handler);

 private:
  struct Asked;
  using Route = void (HttpBootService::*)(const Asked&);
  struct RouteRow;
  /// The row that a path means; null when nothing is served there.
  static const RouteRow* find_row(const net::Target& target);

  void handle(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange, bool secure);
  void take(Asked& asked, const RouteRow& row);
  Status identify(Asked& asked);
  void script(const Asked& asked);
  void loader(const Asked& asked);
  void blob(const Asked& asked);
  void stage(const Asked& asked);
  void log_lines(const Asked& asked);
  void enrol(const Asked& asked);
  void secrets(const Asked& asked);

  void serve(HttpBootEvent::What what, const std::string& name, const std::string& client,
             const net::HttpRequest& request, net::HttpExchange& exchange,
             const std::shared_ptr<const net::HttpBody>& body, const std::string& sha256);
  /// Who is refused what: what is left of a request when its answer comes later.
  struct Refused {
    std::string client;
    std::string target;
    std::string node = {};
    std::string token = {};
  };
  static Refused refused_of(const Asked& asked);
  void refuse(const Refused& who, net::HttpExchange& exchange, const Error& error, int status = 0);
  void refuse(const Asked& asked, const Error& error, int status = 0);
  void tell(const HttpBootEvent& event);
  bool may_log();

  Executor& executor_;
  net::Net& net_;
  Log log_;
  HttpBootConfig config_;
  BootHandler& handler_;
  BlobSource& blobs_;
  const LoaderSource& loaders_;
  Callback<void(const HttpBootEvent&)> on_event_;
  std::vector<std::pair<std::string, std::shared_ptr<Mounted>>> mounted_;
  std::unique_ptr<net::HttpServer> plain_;
  std::unique_ptr<net::HttpServer> secure_;
  std::vector<net::Endpoint> plain_at_;
  std::vector<net::Endpoint> secure_at_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  WallTime log_second_{};
  size_t logged_ = 0;
};

}  // namespace drover::boot
