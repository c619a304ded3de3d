// What all of SMD's routes share: bodies that are read whatever their Content-Type says, queries
// with repeated parameters, who may see and change what, and the small answers of success.
#pragma once

#include "api/idempotency.hpp"
#include "api/request.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// Largest body of a list: what the server takes.
inline constexpr size_t kListLimit = size_t{8} << 20;

/// Whether the site wants SMD's faults too (setting smd.strict).
bool is_strict(const Services& services);

/// The request's body as an object. SMD answers 500 to a malformed one, which is a fault; that is
/// given where the site wants it (then this has answered already, and gives nothing).
std::optional<json::value> body_of_request(const Services& services, const RequestPtr& request);
/// Answers for a member of the wrong type, as body_of_request() does.
void refuse_malformed(const Services& services, const RequestPtr& request, std::string_view why);

/// Members by name in any case, as Go reads them; unknown ones are ignored. What is of the wrong
/// type is noted, and wrong() says so.
class Members {
 public:
  explicit Members(const json::value& value);
  [[nodiscard]] const json::value* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Absent and null: nothing.
  std::optional<std::string> text(std::string_view name);
  std::optional<bool> truth(std::string_view name);
  /// A whole number, or a text of digits.
  std::optional<int64_t> number(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// What is of the wrong type, in words; empty: nothing is.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  void note(std::string_view name, std::string_view expected);
  const json::object* object_ = nullptr;
  std::string wrong_;
};

/// Parameters by lower-case name, in order, each as often as it is given.
using Query = std::map<std::string, std::vector<std::string>>;
/// invalid_argument for bad percent-encoding.
Result<Query> query_of(const Request& request);

/// authorize_nodes() for these nodes; a caller who is limited to some nodes changes nothing else,
/// so `beyond` (components that are no nodes are touched) is denied to them.
Status authorize(const RequestPtr& request, const std::vector<std::string>& nodes, bool beyond);

/// {"code":0,"message":"deleted 1 entry"}
std::string done_text(std::string_view message);
std::string deleted_text(size_t count, std::string_view one = "entry",
                         std::string_view several = "entries");
/// {"URI":"/hsm/v2/.."}
std::string uri_text(std::string_view path);
/// Text as a JSON string, with its quotes.
void append_quoted(std::string& out, std::string_view text);

/// invalid_argument, not_found .. with SMD's words.
inline tl::unexpected<Error> bad(std::string text) {
  return fail(Code::invalid_argument, std::move(text));
}
inline Error missing(std::string text) {
  return {Code::not_found, std::move(text), {}, {}};
}

/// {code, message}, which some successes say.
struct Outcome {
  static constexpr std::string_view kTypeName = "SmdOutcome";
  int32_t code = 0;
  std::string message;
  void describe(Visitor& v);
};
/// {URI}
struct ResourceUri {
  static constexpr std::string_view kTypeName = "SmdResourceUri";
  std::string uri;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd
