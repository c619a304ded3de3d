#include "auth/audit_query.hpp"

#include "auth/pattern.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::auth {
namespace {

/// "MS-COUNT".
std::optional<std::pair<int64_t, size_t>> parse_page(std::string_view text) {
  int64_t ms = 0;
  size_t count = 0;
  const char* end = text.data() + text.size();
  const auto [dash, error] = std::from_chars(text.data(), end, ms);
  if (error != std::errc{} || dash == end || *dash != '-' || ms < 0) return std::nullopt;
  const auto [rest, bad] = std::from_chars(dash + 1, end, count);
  if (bad != std::errc{} || rest != end) return std::nullopt;
  return std::pair(ms, count);
}

}  // namespace

Result<AuditReader> AuditReader::make(AuditQuery query) {
  if (query.limit < 1 || query.limit > kMostAuditRecords) {
    return fail(Code::invalid_argument,
                fmt::format("limit: expected 1 to {}, got {}", kMostAuditRecords, query.limit));
  }
  AuditReader out(std::move(query));
  if (out.query_.page.empty()) return out;
  const auto page = parse_page(out.query_.page);
  if (!page) return fail(Code::invalid_argument, "page: not a next_page of this list");
  out.from_ms_ = page->first;
  out.skip_ = page->second;
  return out;
}

bool AuditReader::fits(const AuditRecord& record) const {
  return (query_.principal.empty() || fits_pattern(query_.principal, record.principal)) &&
         (query_.outcome.empty() || query_.outcome == record.outcome) &&
         (query_.method.empty() || query_.method == record.method) &&
         (query_.target.empty() || record.target.find(query_.target) != std::string::npos) &&
         record.address.starts_with(query_.address) &&
         (!query_.until || record.time < *query_.until);
}

bool AuditReader::take(std::string_view line) {
  const auto record = decode_text<AuditRecord>(line, Unknown::ignore);
  if (!record) return true;
  // Records are in the order in which they were answered; a clock that was set back may have
  // disturbed it, by which `since` ends early and never late.
  if (query_.since && record->time < *query_.since) return false;
  if (!fits(*record)) return true;
  const int64_t ms = to_unix_ms(record->time);
  if (from_ms_ && ms > *from_ms_) return true;
  at_last_ms_ = ms == last_ms_ ? at_last_ms_ + 1 : 1;
  last_ms_ = ms;
  if (from_ms_ && ms == *from_ms_ && at_last_ms_ <= skip_) return true;
  if (page_.records.size() == query_.limit) {
    page_.next = fmt::format("{}-{}", ms, at_last_ms_ - 1);
    return false;
  }
  page_.records.push_back(*record);
  return true;
}

AuditPage AuditReader::page() && {
  return std::move(page_);
}

}  // namespace drover::auth
