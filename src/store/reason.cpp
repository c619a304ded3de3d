// The rule for reasons, in one sentence.
#include "store/reason.hpp"

#include <fmt/core.h>

namespace drover::store {

Status check_why(std::string_view why) {
  if (why.size() <= kMaxGivenWhy) return {};
  return fail(
      Code::invalid_argument,
      fmt::format("why: it has {} bytes, and at most {} are taken", why.size(), kMaxGivenWhy),
      "say it shorter; nothing was changed");
}

std::string with_reason(std::string_view what, std::string_view why) {
  if (why.empty()) return std::string(what);
  std::string out = fmt::format("{}: {}", what, why);
  return out.size() <= kMaxName ? out : fmt::format("{} ({})", why, what);
}

}  // namespace drover::store
