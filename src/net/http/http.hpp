// HTTP messages as values: what a request and a response hold.
#pragma once

#include "net/net.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::net {

/// Header fields in the order they came. Names compare without regard to case (RFC 9110
/// section 5.1).
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}

  /// The first field of that name; nullopt when there is none.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
  /// Whether the comma-separated field `name` holds `token`, compared without regard to case.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
  void add(std::string name, std::string value);
  /// Replaces all fields of that name by one.
  void set(std::string name, std::string value);
  void erase(std::string_view name);
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

/// ASCII comparison without regard to case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method = "GET";  ///< upper case
  std::string target = "/";    ///< as on the wire: path and query, percent-encoded
  HttpHeaders headers;
  std::string body;
  Peer peer;  ///< server side: who asks
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

/// "Not Found" for 404 (RFC 9110 section 15); "" for a code that has no registered phrase.
std::string_view reason_phrase(int status);

}  // namespace drover::net
