#include "api/precondition.hpp"

#include "api/whole_number.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

std::optional<uint64_t> revision_in(std::string_view tag) {
  const bool quoted = tag.size() > 2 && tag.front() == '"' && tag.back() == '"';
  return quoted ? whole_number<uint64_t>(tag.substr(1, tag.size() - 2)) : std::nullopt;
}

}  // namespace

std::string etag_of(uint64_t revision) {
  return fmt::format("\"{}\"", revision);
}

Status Precondition::check(store::Transaction& tx, std::string_view kind,
                           std::string_view key) const {
  if (revision) return tx.expect_revision(kind, key, *revision);
  if (is_new) return tx.expect_revision(kind, key, 0);
  if (!exists) return {};
  DROVER_TRY(const auto found, tx.get(kind, key));
  if (found) return {};
  return fail(Code::stale, fmt::format("{} \"{}\" does not exist", kind, key));
}

Result<Precondition> precondition_of(const net::HttpRequest& http) {
  Precondition out;
  if (const auto match = http.headers.get("If-Match")) {
    out.exists = *match == "*";
    out.revision = revision_in(*match);
    if (!out.exists && !out.revision) {
      return fail(Code::invalid_argument,
                  "header If-Match: expected the quoted revision that an ETag gave, e.g. \"17\", "
                  "or *");
    }
  }
  if (const auto none = http.headers.get("If-None-Match")) {
    if (*none != "*" || out.given()) {
      return fail(Code::invalid_argument,
                  "header If-None-Match: a change takes * alone, and not beside If-Match");
    }
    out.is_new = true;
  }
  return out;
}

Result<Precondition> required_precondition_of(const net::HttpRequest& http) {
  DROVER_TRY(Precondition out, precondition_of(http));
  if (out.given()) return out;
  return fail(Code::precondition_required,
              "this replaces the whole thing, so it must say what it replaces",
              "send If-Match with the ETag of a GET, or If-None-Match: * for a new one");
}

bool is_unchanged(const net::HttpRequest& http, std::string_view etag) {
  const auto tags = http.headers.get("If-None-Match");
  if (!tags) return false;
  return *tags == "*" || http.headers.has_token("If-None-Match", etag);
}

}  // namespace drover::api
