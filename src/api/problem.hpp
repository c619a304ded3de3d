// Errors as problem+json (RFC 9457).
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "net/http/http.hpp"

#include <string>
#include <string_view>

namespace drover::api {

/// The body of every answer that is not a success.
struct ProblemDocument {
  static constexpr std::string_view kTypeName = "ProblemDocument";
  std::string type;  ///< "urn:drover:problem:<code name>", stable
  std::string title;
  int32_t status = 500;
  std::string detail;
  std::string next;  ///< the command that mends it; may be empty
  void describe(Visitor& v);
};

/// The body of problems as SMD gives them: the type says nothing, the status all.
struct PlainProblem {
  static constexpr std::string_view kTypeName = "PlainProblem";
  std::string type = "about:blank";
  std::string title;
  std::string detail;
  int32_t status = 500;
  void describe(Visitor& v);
};
net::HttpResponse plain_problem(int status, std::string_view detail);

ProblemDocument problem_of(const Error& error);
net::HttpResponse problem_response(const Error& error);
/// For what HTTP names and no Code does (405, 412): `type_name` is the tail of the type.
net::HttpResponse problem_response(int status, std::string_view type_name, std::string_view title,
                                   std::string_view detail);

}  // namespace drover::api
