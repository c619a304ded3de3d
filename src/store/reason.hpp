// The reason that people give for a change: one rule for it wherever it is taken.
#pragma once

#include "base/result.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace drover::store {

/// Longest reason that is taken of a request, in bytes: all of it is kept.
inline constexpr size_t kMaxGivenWhy = kMaxName;

/// invalid_argument with the field, its length and the rule when `why` has more than kMaxGivenWhy
/// bytes.
Status check_why(std::string_view why);

/// What a daemon says of a change and the reason that was given for it, as one: "renamed from a to
/// b: clearer". Where the log cannot keep both, the daemon's words come last: those are cut.
std::string with_reason(std::string_view what, std::string_view why);

}  // namespace drover::store
