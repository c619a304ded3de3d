#include "cli/client.hpp"

#include "base/json_list.hpp"
#include "base/json_reader.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "net/http/target.hpp"
#include "tree/hello.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

constexpr size_t kPageSize = 1000;
constexpr uint16_t kDefaultPort = 9443;

/// A global option, else its variable.
std::string option_or_variable(const Given& globals, Surroundings& surroundings,
                               const std::string& name, const std::string& variable) {
  if (globals.has(name)) return globals.text(name);
  const auto it = surroundings.environment.find(variable);
  return it == surroundings.environment.end() ? std::string() : it->second;
}

Code code_of_status(int status) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    if (info(static_cast<Code>(i)).http_status == status) return static_cast<Code>(i);
  }
  if (status == 502) return Code::unreachable;
  return status < 500 ? Code::invalid_argument : Code::internal;
}

std::string raw_text(const json::value& document, std::string_view key) {
  const auto* object = document.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

/// 128 random bits: a retried request is the same request to the server.
std::string draw_key(Random& random) {
  std::array<unsigned char, 16> bytes{};
  random.fill(bytes);
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

Result<std::string> read_pem(Surroundings& surroundings, const std::string& path) {
  auto text = surroundings.disk.read_all(path, size_t{1} << 20);
  if (!text) return fail_in("reading " + path, text.error());
  return text;
}

/// DROVER_TOKEN, or what is in --token-file or DROVER_TOKEN_FILE (- for standard input); "" without
/// any. There is no flag for the token itself: every user of the host could read it in `ps`.
Result<std::string> bearer_token(const Given& globals, Surroundings& surroundings) {
  constexpr size_t kLongest = size_t{64} << 10;
  const std::string path =
      option_or_variable(globals, surroundings, "token-file", "DROVER_TOKEN_FILE");
  std::string token;
  if (path == "-") {
    DROVER_TRY(token, surroundings.input());
  } else if (!path.empty()) {
    auto text = surroundings.disk.read_all(path, kLongest);
    if (!text) return fail_in("reading the token in " + path, text.error());
    token = *std::move(text);
  } else {
    token = option_or_variable(globals, surroundings, "", "DROVER_TOKEN");
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = token.find_first_not_of(kBlanks);
  if (first == std::string::npos) {
    if (path.empty()) return std::string();
    return fail(Code::invalid_argument, path + " holds no token");
  }
  token = token.substr(first, token.find_last_not_of(kBlanks) - first + 1);
  // Said here, since a line break would break the request, and never with the text itself.
  const bool visible = std::ranges::all_of(
      token, [](char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7F; });
  if (!visible) return fail(Code::invalid_argument, "the token is not one line of visible text");
  return token;
}

/// Every daemon of the cluster has a certificate of its CA; only a master may get our requests.
Status is_master(const net::Peer& peer) {
  const auto who = tree::parse_certificate_uri(peer.certificate_uri);
  if (who && who->role == "master") return {};
  return fail(Code::denied,
              fmt::format("the server at {} proved to be {}, not a master", peer.address,
                          peer.certificate_uri.empty() ? "nobody of Drover's"
                                                       : printable(peer.certificate_uri)),
              "check the address, and who answers there");
}

}  // namespace

Result<net::Endpoint> parse_server_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not a server: expected https://HOST:PORT", printable(url)));
  }
  std::string rest(url.substr(kScheme.size()));
  while (rest.ends_with('/')) rest.pop_back();
  const bool has_port = rest.ends_with(']') ? false : rest.rfind(':') != std::string::npos;
  auto endpoint = net::Endpoint::parse(has_port ? rest : fmt::format("{}:{}", rest, kDefaultPort));
  if (!endpoint) return fail_in("reading the server's address", endpoint.error());
  return endpoint;
}

Error problem_error(const net::HttpResponse& response) {
  constexpr std::string_view kPrefix = "urn:drover:problem:";
  Error out{code_of_status(response.status), {}, {}, {}};
  if (const auto document = parse_json(response.body); document && document->is_object()) {
    const std::string type = raw_text(*document, "type");
    if (type.starts_with(kPrefix)) {
      const std::string_view name = std::string_view(type).substr(kPrefix.size());
      const Code code = code_from_name(name);
      if (code != Code::internal || name == info(Code::internal).name) out.code = code;
    }
    out.message = raw_text(*document, "detail");
    if (out.message.empty()) out.message = raw_text(*document, "title");
    out.next = raw_text(*document, "next");
  }
  if (out.message.empty()) {
    const std::string_view phrase = net::reason_phrase(response.status);
    out.message = fmt::format("the daemon answered {} {}", response.status,
                              phrase.empty() ? "without a reason" : phrase);
  }
  return out;
}

Client::Client(Surroundings& surroundings)
    : loop_(surroundings.loop), net_(loop_), http_(loop_, net_), surroundings_(surroundings) {}

Result<std::unique_ptr<Client>> Client::make(const Given& globals, Surroundings& surroundings) {
  const auto setting = [&](const std::string& name, const std::string& variable) {
    return option_or_variable(globals, surroundings, name, variable);
  };
  std::unique_ptr<Client> out(new Client(surroundings));
  const std::string server = setting("server", "DROVER_SERVER");
  const bool flag_socket = globals.has("socket");
  if (flag_socket && globals.has("server")) {
    return fail(Code::invalid_argument, "--socket and --server exclude each other");
  }
  if (!server.empty() && !flag_socket) {
    net::SecurityConfig security;
    const std::array<std::pair<std::string, std::string*>, 3> files{
        {{setting("cert", "DROVER_CERT"), &security.certificate_pem},
         {setting("key", "DROVER_KEY"), &security.key_pem},
         {setting("ca", "DROVER_CA"), &security.trust_pem}}};
    for (const auto& [path, pem] : files) {
      if (path.empty()) continue;
      DROVER_TRY(*pem, read_pem(surroundings, path));
    }
    if (security.trust_pem.empty()) {
      return fail(Code::invalid_argument, "--server needs the cluster's CA: --ca FILE",
                  "on a master: ca/ca.pem in its state folder; elsewhere: identity/identity.pem");
    }
    DROVER_TRY(out->bearer_, bearer_token(globals, surroundings));
    DROVER_CHECK_OK(out->use_server(server, security));
    return out;
  }
  if (globals.has("token-file")) {
    return fail(Code::invalid_argument,
                "--token-file is for --server: on a socket the kernel says who you are");
  }
  std::vector<std::string> paths;
  if (std::string path = setting("socket", "DROVER_SOCKET"); !path.empty()) {
    paths.push_back(std::move(path));
  } else {
    for (const std::string& candidate : surroundings.sockets) {
      if (surroundings.disk.exists(candidate).value_or(false)) paths.push_back(candidate);
    }
  }
  if (paths.empty()) {
    return fail(Code::unreachable,
                fmt::format("no Drover daemon runs on this host: none of {} exists",
                            fmt::join(surroundings.sockets, ", ")),
                "start one, or name one with --socket PATH or --server https://HOST:PORT");
  }
  for (std::string& path : paths) {
    net::Endpoint endpoint;
    endpoint.unix_path = std::move(path);
    out->servers_.push_back({std::move(endpoint), nullptr});
  }
  return out;
}

Result<std::unique_ptr<Client>> Client::make_pinned(const std::string& server,
                                                    const std::string& ca_sha256,
                                                    Surroundings& surroundings) {
  std::unique_ptr<Client> out(new Client(surroundings));
  net::SecurityConfig security;
  security.pinned_ca_sha256 = ca_sha256;
  DROVER_CHECK_OK(out->use_server(server, security));
  return out;
}

Status Client::use_server(const std::string& url, const net::SecurityConfig& security) {
  DROVER_TRY(net::Endpoint endpoint, parse_server_url(url));
  DROVER_TRY(auto made, net_.make_security(security));
  http_.check_peers([](const net::Peer& peer) { return is_master(peer); });
  servers_.push_back({std::move(endpoint), std::move(made)});
  return {};
}

void Client::authorize(net::HttpRequest& request) const {
  if (!bearer_.empty()) request.headers.set("Authorization", "Bearer " + bearer_);
}

std::string Client::server_text() const {
  return servers_.empty() ? std::string("nobody") : servers_.front().endpoint.text();
}

Result<net::HttpResponse> Client::exchange_with(const Server& server,
                                                const net::HttpRequest& request, Duration timeout) {
  std::optional<Result<net::HttpResponse>> done;
  const auto call =
      http_.request(server.endpoint, server.security, request, timeout,
                    [&done](Result<net::HttpResponse> response) { done = std::move(response); });
  loop_.run_until([&done] { return done.has_value(); }, timeout + std::chrono::seconds(2));
  if (!done) return fail(Code::timed_out, "no answer in time");
  return *std::move(done);
}

Result<net::HttpResponse> Client::exchange(net::HttpRequest request, Duration timeout) {
  request.headers.set("Accept", "application/json");
  authorize(request);
  Result<net::HttpResponse> last = fail(Code::internal, "no server");
  for (size_t i = 0; i < servers_.size(); ++i) {
    last = exchange_with(servers_[i], request, timeout);
    // A socket file may outlive its daemon: the next daemon of this host is asked.
    if (last || last.error().code != Code::unreachable) {
      if (i > 0) std::swap(servers_[0], servers_[i]);
      return last;
    }
  }
  Error error = std::move(last).error();
  error.context = "asking " + server_text();
  if (error.next.empty()) error.next = "systemctl status 'drover-*'   on that host";
  return tl::unexpected(std::move(error));
}

Result<std::string> Client::body_of(Result<net::HttpResponse> response) {
  if (!response) return tl::unexpected(std::move(response).error());
  if (const auto why = response->headers.get("Drover-Degraded")) {
    degraded_.why = std::string(*why);
    degraded_.age_seconds = std::string(response->headers.get("Age").value_or(""));
  }
  etag_ = response->headers.get("ETag").value_or("");
  if (response->status >= 400) return tl::unexpected(problem_error(*response));
  return std::move(response->body);
}

Result<json::value> Client::answer(Result<net::HttpResponse> response) {
  DROVER_TRY(const std::string body, body_of(std::move(response)));
  if (body.empty()) return json::value(nullptr);
  auto document = parse_json(body);
  if (!document) return fail_in("reading the answer of " + server_text(), document.error());
  return document;
}

Result<json::value> Client::get(const std::string& path, Duration timeout) {
  net::HttpRequest request;
  request.target = path;
  return answer(exchange(std::move(request), timeout));
}

Result<std::string> Client::get_text(const std::string& path, Duration timeout) {
  net::HttpRequest request;
  request.target = path;
  return body_of(exchange(std::move(request), timeout));
}

Result<json::value> Client::send(const std::string& method, const std::string& path,
                                 const json::value& body, Duration timeout,
                                 const SendHeaders& headers) {
  net::HttpRequest request;
  if (!headers.prefer.empty()) request.headers.set("Prefer", headers.prefer);
  if (!headers.if_match.empty()) request.headers.set("If-Match", headers.if_match);
  request.method = method;
  request.target = path;
  request.headers.set("Idempotency-Key", draw_key(surroundings_.random));
  if (!body.is_null()) {
    request.headers.set("Content-Type",
                        method == "PATCH" ? "application/merge-patch+json" : "application/json");
    request.body = to_text(body);
  }
  return answer(exchange(std::move(request), timeout));
}

Status Client::each_page(const std::string& path, Duration timeout, size_t limit,
                         Callback<Result<ItemsText::Page>(const std::string& body)> take) {
  std::string page;
  size_t have = 0;
  do {
    net::HttpRequest request;
    request.target = path;
    std::string_view join = path.find('?') == std::string::npos ? "?" : "&";
    const auto add = [&](std::string_view name, const std::string& value) {
      request.target += fmt::format("{}{}={}", std::exchange(join, "&"), name, value);
    };
    if (limit != SIZE_MAX) add("limit", std::to_string(std::min(kPageSize, limit - have)));
    if (!page.empty()) add("page", net::percent_encode(page));
    DROVER_TRY(const std::string body, body_of(exchange(std::move(request), timeout)));
    auto taken = take(body);
    if (!taken) return fail_in("reading the answer of " + server_text(), taken.error());
    have += taken->count;
    if (taken->next_page == page) break;  // a server that repeats itself must not keep us here
    page = std::move(taken->next_page);
  } while (!page.empty() && have < limit);
  return {};
}

Result<json::array> Client::list(const std::string& path, Duration timeout, size_t limit) {
  std::optional<json::array> out;  // the first page itself: moved, it keeps its memory
  const auto take = [&out](const std::string& body) -> Result<ItemsText::Page> {
    DROVER_TRY(json::value document, parse_json(body));
    auto* object = document.if_object();
    auto* items = object == nullptr ? nullptr : object->if_contains("items");
    if (items == nullptr || !items->is_array()) return fail(Code::corrupt, "it is not a list");
    ItemsText::Page page{items->get_array().size(), raw_text(document, "next_page")};
    if (!out) {
      out.emplace(std::move(items->get_array()));
    } else {
      for (json::value& item : items->get_array()) out->push_back(std::move(item));
    }
    return page;
  };
  DROVER_CHECK_OK(each_page(path, timeout, limit, take));
  if (out->size() > limit) out->resize(limit);
  return *std::move(out);
}

Status Client::each_item(const std::string& path, Duration timeout,
                         Callback<void(json::value&)> each) {
  JsonReader reader;
  const auto take = [&](const std::string& body) {
    return drover::each_item(body, [&](std::string_view text) -> Status {
      DROVER_TRY(json::value* const item, reader.read(text));
      each(*item);
      return {};
    });
  };
  return each_page(path, timeout, SIZE_MAX, take);
}

Status Client::list_text(const std::string& path, Duration timeout, ItemsText::Layout layout,
                         Callback<void(std::string)> to) {
  ItemsText text(layout, std::move(to));
  DROVER_CHECK_OK(each_page(path, timeout, SIZE_MAX,
                            [&text](const std::string& body) { return text.add(body); }));
  text.finish();
  return {};
}

std::unique_ptr<net::HttpCall> Client::stream(const std::string& path, Duration head_timeout,
                                              Duration silence_timeout,
                                              net::HttpStreamEvents events) {
  net::HttpRequest request;
  request.target = path;
  request.headers.set("Accept", "text/event-stream");
  return stream(std::move(request), head_timeout, silence_timeout, std::move(events));
}

std::unique_ptr<net::HttpCall> Client::stream(net::HttpRequest request, Duration head_timeout,
                                              Duration silence_timeout,
                                              net::HttpStreamEvents events) {
  authorize(request);
  return http_.stream(servers_.front().endpoint, servers_.front().security, std::move(request),
                      head_timeout, silence_timeout, std::move(events));
}

}  // namespace drover::cli
