// ETag, If-Match and If-None-Match (RFC 9110 section 13): changing only what one has seen.
#pragma once

#include "base/result.hpp"
#include "net/http/http.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::api {

/// The tag of a revision: "17" in quotes.
std::string etag_of(uint64_t revision);

/// What a request demands of the thing as it is before it is changed.
struct Precondition {
  std::optional<uint64_t> revision;  ///< If-Match: "17"
  bool exists = false;               ///< If-Match: *
  bool is_new = false;               ///< If-None-Match: *

  /// Whether the request says anything.
  [[nodiscard]] bool given() const { return revision || exists || is_new; }
  /// Run inside the mutation before anything is changed. Code::stale saying who changed it and when
  /// for another revision, for something that is missing, and for something that is there already.
  [[nodiscard]] Status check(store::Transaction& tx, std::string_view kind,
                             std::string_view key) const;
};

/// Reads the two headers; invalid_argument for anything but one strong tag of ours or "*".
Result<Precondition> precondition_of(const net::HttpRequest& http);
/// The same for what replaces a thing as a whole: precondition_required when the request says
/// neither.
Result<Precondition> required_precondition_of(const net::HttpRequest& http);

/// Whether a GET may be answered with 304: its If-None-Match names the tag of what is there. The
/// router does that for every route that gives an ETag.
bool is_unchanged(const net::HttpRequest& http, std::string_view etag);

}  // namespace drover::api
