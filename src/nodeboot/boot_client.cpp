// Four kinds of POST and the reading of their answers.
#include "nodeboot/boot_client.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(15);
constexpr size_t kAnswerLimit = size_t{256} << 10;

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// An answer that says no, as an error with the server's own words.
Error refusal(const net::HttpResponse& response) {
  std::string why;
  if (const auto body = parse_json(response.body); body && body->is_object()) {
    why = text_in(body->get_object(), "detail");
    if (why.empty()) why = text_in(body->get_object(), "title");
  }
  if (why.empty()) why = response.body.substr(0, 200);
  const bool denied = response.status == 401 || response.status == 403;
  return {denied ? Code::denied : Code::unreachable,
          fmt::format("drover-boot answered {} {}: {}", response.status,
                      net::reason_phrase(response.status), printable(why)),
          {},
          {}};
}

Status accepted(const Result<net::HttpResponse>& response) {
  if (!response) return tl::unexpected(response.error());
  if (response->status / 100 != 2) return tl::unexpected(refusal(*response));
  return {};
}

Result<auth::EnrolAnswer> read_enrolled(const Result<net::HttpResponse>& response) {
  DROVER_CHECK_OK(accepted(response));
  auto answer = decode_text<auth::EnrolAnswer>(response->body, Unknown::ignore);
  if (!answer) {
    return fail(Code::corrupt, "the answer to the enrolment: " + answer.error().message);
  }
  for (std::string& aggregator : answer->aggregators) {
    DROVER_TRY(const auto endpoint, net::Endpoint::parse(aggregator));
    aggregator = endpoint.text();
  }
  if (answer->aggregators.empty()) {
    return fail(Code::unreachable, "drover-boot knows no aggregator that could serve this node",
                "drover health");
  }
  return answer;
}

/// Names become names of files.
bool is_file_name(std::string_view name) {
  constexpr size_t kLongest = 63;
  return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

Result<std::map<std::string, std::string>> read_secrets(const Result<net::HttpResponse>& response) {
  DROVER_CHECK_OK(accepted(response));
  auto body = decode_text<auth::BootSecrets>(response->body, Unknown::ignore);
  if (!body) return fail(Code::corrupt, "the answer holds no secrets: " + body.error().text());
  for (const auto& [name, value] : body->secrets) {
    if (is_file_name(name)) continue;
    return fail(Code::corrupt, fmt::format("'{}' is no name of a secret", printable(name)));
  }
  return std::move(body->secrets);
}

}  // namespace

Result<std::unique_ptr<BootClient>> BootClient::make(Executor& executor, net::Net& net,
                                                     const BootCommand& command) {
  net::SecurityConfig config;
  config.pinned_ca_sha256 = command.ca_sha256;
  DROVER_TRY(auto security, net.make_security(config));
  return std::make_unique<BootClient>(executor, net, command, std::move(security));
}

BootClient::BootClient(Executor& executor, net::Net& net, const BootCommand& command,
                       std::shared_ptr<net::Security> security)
    : executor_(executor),
      authorization_("Boot " + command.token),
      session_(executor, net, command.boot, std::move(security),
               {.timeout = kTimeout, .body_limit = kAnswerLimit}) {}

void BootClient::post(std::string_view what, std::string body, std::string_view type,
                      Callback<void(Result<net::HttpResponse>)> done) {
  net::HttpRequest request;
  request.method = "POST";
  request.target = fmt::format("/boot/v1/{}", what);
  request.headers.add("Authorization", authorization_);
  request.headers.add("Content-Type", std::string(type));
  request.body = std::move(body);
  session_.send(std::move(request), std::move(done));
}

void BootClient::stage(StageReport report, Callback<void(Status)> done) {
  // The loop's clock is the kernel's CLOCK_MONOTONIC, which began with the kernel.
  const auto uptime =
      std::chrono::duration_cast<std::chrono::milliseconds>(executor_.now().time_since_epoch());
  report.uptime_ms = static_cast<uint64_t>(uptime.count());
  report.why = printable(report.why).substr(0, auth::kMaxStageWhy);
  post("stage", encode(report), "application/json",
       [done = std::move(done)](const Result<net::HttpResponse>& response) mutable {
         if (done) done(accepted(response));
       });
}

void BootClient::log(std::string lines, Callback<void(Status)> done) {
  post("log", std::move(lines), "text/plain; charset=utf-8",
       [done = std::move(done)](const Result<net::HttpResponse>& response) mutable {
         done(accepted(response));
       });
}

void BootClient::enrol(const std::string& csr_pem, const std::string& boot_id,
                       Callback<void(Result<auth::EnrolAnswer>)> done) {
  post("enrol", encode(auth::EnrolRequest{csr_pem, boot_id}), "application/json",
       [done = std::move(done)](const Result<net::HttpResponse>& response) mutable {
         done(read_enrolled(response));
       });
}

void BootClient::secrets(Callback<void(Result<std::map<std::string, std::string>>)> done) {
  post("secrets", "{}", "application/json",
       [done = std::move(done)](const Result<net::HttpResponse>& response) mutable {
         done(read_secrets(response));
       });
}

}  // namespace drover::nodeboot
