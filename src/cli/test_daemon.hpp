// For tests: a daemon's HTTP side on a Unix socket, in a thread of its own, with scripted answers;
// and one run of the command line against it.
#pragma once

#include "base/log_levels.hpp"
#include "cli/surroundings.hpp"
#include "net/http/http_server.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "os/test_folder.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace drover::cli::testing {

inline net::HttpResponse json_response(std::string body, int status = 200) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

inline net::HttpResponse problem(int status, const std::string& type, const std::string& detail,
                                 const std::string& next) {
  return {status,
          {{"Content-Type", "application/problem+json"}},
          R"({"type":"urn:drover:problem:)" + type + R"(","title":"t","status":)" +
              std::to_string(status) + R"(,"detail":")" + detail + R"(","next":")" + next + "\"}"};
}

class TestDaemon {
 public:
  using Handler =
      std::function<void(const net::HttpRequest&, const std::shared_ptr<net::HttpExchange>&)>;

  /// On a Unix socket; with `tls` on 127.0.0.1 instead.
  explicit TestDaemon(Handler handler, std::optional<net::SecurityConfig> tls = {})
      : handler_(std::move(handler)), tls_(std::move(tls)) {
    std::promise<net::Loop*> ready;
    auto loop = ready.get_future();
    thread_ = std::thread([this, &ready] { serve(ready); });
    loop_ = loop.get();
  }
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;
  ~TestDaemon() {
    loop_->post_from_any_thread([loop = loop_] { loop->stop(); });
    thread_.join();
  }

  [[nodiscard]] std::string socket() const { return folder_ / "daemon.sock"; }
  /// "https://127.0.0.1:port"
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const os::testing::TestFolder& folder() const { return folder_; }
  /// "METHOD target body" of every request so far.
  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(std::promise<net::Loop*>& ready) {
    const auto loop = net::Loop::make().value();
    net::RealNet net(*loop);
    LogLevels levels({Severity::error, {}});
    StderrSink sink(levels, LogForm::text);
    net::HttpServer server(
        *loop, net, Log(sink, "test"),
        [this](net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request.method + " " + request.target +
                                (request.body.empty() ? "" : " ") + request.body);
          }
          handler_(request, exchange);
        });
    net::Endpoint endpoint;
    std::shared_ptr<net::Security> security;
    if (tls_) {
      endpoint.host = "127.0.0.1";
      security = net.make_security(*tls_).value();
    } else {
      endpoint.unix_path = socket();
    }
    Callback<std::shared_ptr<net::Security>()> getter;
    if (security) getter = [security] { return security; };
    url_ = "https://" + server.listen(endpoint, std::move(getter)).value().text();
    ready.set_value(loop.get());
    loop->run();
  }

  Handler handler_;
  std::optional<net::SecurityConfig> tls_;
  std::string url_;
  os::testing::TestFolder folder_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  net::Loop* loop_ = nullptr;
  std::thread thread_;
};

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs one command line in this process.
struct CommandLine {
  std::map<std::string, std::string> environment;
  std::string input;
  bool terminal = false;
  bool input_terminal = false;
  std::string answer;  ///< what the person types when asked
  size_t width = 0;
  size_t height = 0;
  size_t most_refreshes = 0;
  std::vector<std::string> sockets;
  /// Stands for the editor.
  std::function<Result<std::string>(const std::string&)> edit;

  Ran operator()(std::vector<std::string> arguments) const {
    Ran out;
    const auto loop = net::Loop::make().value();
    os::RealDisk disk;
    os::RealRandom random;
    Surroundings surroundings(*loop, disk, random);
    surroundings.arguments = std::move(arguments);
    surroundings.environment = environment;
    surroundings.sockets = sockets;
    surroundings.out_is_terminal = terminal;
    surroundings.in_is_terminal = input_terminal;
    surroundings.answer = [this] { return Result<std::string>(answer); };
    surroundings.width = width;
    surroundings.height = height;
    surroundings.most_refreshes = most_refreshes;
    surroundings.out = [&out](std::string_view text) { out.out += text; };
    surroundings.err = [&out](std::string_view text) { out.err += text; };
    surroundings.input = [this] { return Result<std::string>(input); };
    if (edit) surroundings.edit = [this](const std::string& text) { return edit(text); };
    out.code = run(surroundings);
    return out;
  }
};

using Answers = std::map<std::string, net::HttpResponse>;

/// Answers "METHOD /path" (without the query) from a table; 404 for the rest.
inline TestDaemon::Handler from_table(Answers answers) {
  return [answers = std::move(answers)](const net::HttpRequest& request,
                                        const std::shared_ptr<net::HttpExchange>& exchange) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const auto it = answers.find(request.method + " " + path);
    exchange->respond(it == answers.end()
                          ? problem(404, "not-found", "no " + path, "drover node list")
                          : it->second);
  };
}

inline Ran run_against(const Answers& answers, const std::vector<std::string>& arguments) {
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  return drover(arguments);
}

}  // namespace drover::cli::testing
