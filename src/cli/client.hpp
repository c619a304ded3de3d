// The HTTP API as commands use it: one request at a time, answers as JSON, errors as values.
#pragma once

#include "base/json.hpp"
#include "base/json_items.hpp"
#include "cli/command.hpp"
#include "cli/surroundings.hpp"
#include "net/http/http_client.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// One way to a daemon.
struct Server {
  net::Endpoint endpoint;
  std::shared_ptr<net::Security> security;  ///< TLS; null on a Unix socket
};

/// What a degraded daemon said about its answer.
struct Degraded {
  std::string why;          ///< the Drover-Degraded header; empty: not degraded
  std::string age_seconds;  ///< the Age header; empty: not a cached answer
};

/// Headers of a change that only some commands set; empty: none.
struct SendHeaders {
  std::string prefer = {};    ///< Prefer
  std::string if_match = {};  ///< an ETag: refused when the thing has changed since
};

/// Calls run the loop until the answer is there.
class Client {
 public:
  /// Chooses the daemon from --server, --socket, their variables or the sockets that exist.
  static Result<std::unique_ptr<Client>> make(const Given& globals, Surroundings& surroundings);
  /// For joining: a master whose CA has this SHA-256, this end without a certificate.
  static Result<std::unique_ptr<Client>> make_pinned(const std::string& server,
                                                     const std::string& ca_sha256,
                                                     Surroundings& surroundings);

  /// The answer's JSON; an error carries the server's own code, cause and next step.
  Result<json::value> get(const std::string& path, Duration timeout);
  /// The same as it came.
  Result<std::string> get_text(const std::string& path, Duration timeout);
  Result<json::value> send(const std::string& method, const std::string& path,
                           const json::value& body, Duration timeout,
                           const SendHeaders& headers = {});
  /// All items of a list, page after page. `path` may have a query. At most `limit` items.
  Result<json::array> list(const std::string& path, Duration timeout, size_t limit = SIZE_MAX);
  /// The same item by item, each valid during its call and changeable; nothing is kept of them.
  Status each_item(const std::string& path, Duration timeout, Callback<void(json::value&)> each);
  /// The same, all of it, as text in pieces.
  Status list_text(const std::string& path, Duration timeout, ItemsText::Layout layout,
                   Callback<void(std::string)> to);

  /// Reads an event stream until `events.on_end`; see HttpClient::stream.
  std::unique_ptr<net::HttpCall> stream(const std::string& path, Duration head_timeout,
                                        Duration silence_timeout, net::HttpStreamEvents events);

  /// A request whose answer comes in pieces, to the daemon that answered last: ask for something
  /// small before.
  std::unique_ptr<net::HttpCall> stream(net::HttpRequest request, Duration head_timeout,
                                        Duration silence_timeout, net::HttpStreamEvents events);

  [[nodiscard]] net::Loop& loop() { return loop_; }
  /// The ETag of the last answer, quotes included, for a change that must not undo somebody else's;
  /// empty: it had none.
  [[nodiscard]] const std::string& etag() const { return etag_; }
  /// What the answers so far said; reset by reading.
  Degraded take_degraded() { return std::exchange(degraded_, {}); }
  /// Whom the requests go to, for messages.
  [[nodiscard]] std::string server_text() const;

 private:
  explicit Client(Surroundings& surroundings);
  void authorize(net::HttpRequest& request) const;
  Status use_server(const std::string& url, const net::SecurityConfig& security);
  Result<net::HttpResponse> exchange(net::HttpRequest request, Duration timeout);
  Result<net::HttpResponse> exchange_with(const Server& server, const net::HttpRequest& request,
                                          Duration timeout);
  /// The body of a good answer.
  Result<std::string> body_of(Result<net::HttpResponse> response);
  Result<json::value> answer(Result<net::HttpResponse> response);
  /// Page after page of a list, until `take` says that none follows.
  Status each_page(const std::string& path, Duration timeout, size_t limit,
                   Callback<Result<ItemsText::Page>(const std::string& body)> take);

  net::Loop& loop_;
  net::RealNet net_;
  net::HttpClient http_;
  Surroundings& surroundings_;
  std::vector<Server> servers_;  ///< tried in turn until one takes a connection
  std::string bearer_;           ///< secret; empty: none
  std::string etag_;
  Degraded degraded_;
};

/// The error that an answer of status 400 or more stands for (RFC 9457 problem details).
Error problem_error(const net::HttpResponse& response);

/// "https://host:port" or "https://[v6]:port".
Result<net::Endpoint> parse_server_url(std::string_view url);

}  // namespace drover::cli
