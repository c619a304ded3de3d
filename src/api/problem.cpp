#include "api/problem.hpp"

namespace drover::api {
namespace {

constexpr std::string_view kTypePrefix = "urn:drover:problem:";

std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Request Entity Too Large";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Internal Server Error";
  }
}

template <Described T>
net::HttpResponse response_of(const T& problem) {
  net::HttpResponse response;
  response.status = problem.status;
  response.headers.add("Content-Type", "application/problem+json");
  constexpr int kTooMany = 429;
  if (problem.status == kTooMany) response.headers.add("Retry-After", "1");
  response.body = encode(problem) + "\n";
  return response;
}

}  // namespace

void ProblemDocument::describe(Visitor& v) {
  v.field("type", type, "urn:drover:problem: and the name of the kind of problem; stable.");
  v.field("title", title, "The kind of problem in words.");
  v.field("status", status, "The HTTP status.");
  v.field("detail", detail, "What failed, and why.");
  v.field("next", next, "The command or step that mends it; may be empty.", Presence::optional);
}

void PlainProblem::describe(Visitor& v) {
  v.field("type", type, "Always about:blank.");
  v.field("title", title, "The HTTP status in words.");
  v.field("detail", detail, "What failed, and why.");
  v.field("status", status, "The HTTP status.");
}

net::HttpResponse plain_problem(int status, std::string_view detail) {
  PlainProblem problem;
  problem.title = title_of(status);
  problem.detail = detail;
  problem.status = status;
  return response_of(problem);
}

ProblemDocument problem_of(const Error& error) {
  const CodeInfo& code = info(error.code);
  return {std::string(kTypePrefix).append(code.name), std::string(code.title), code.http_status,
          error.text(), error.next};
}

net::HttpResponse problem_response(const Error& error) {
  return response_of(problem_of(error));
}

net::HttpResponse problem_response(int status, std::string_view type_name, std::string_view title,
                                   std::string_view detail) {
  return response_of(ProblemDocument{std::string(kTypePrefix).append(type_name), std::string(title),
                                     status, std::string(detail), ""});
}

}  // namespace drover::api
