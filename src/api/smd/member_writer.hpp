// Writes a JSON object member by member, in the order of the calls.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::api::smd {

/// Appends to a text that outlives it. close() comes last.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) { out_ += '{'; }

  MemberWriter& text(std::string_view key, std::string_view value);
  /// Nothing when it is empty.
  MemberWriter& known(std::string_view key, std::string_view value);
  MemberWriter& truth(std::string_view key, bool value);
  MemberWriter& number(std::string_view key, uint64_t value);
  MemberWriter& real(std::string_view key, double value);
  /// RFC 3339.
  MemberWriter& time(std::string_view key, WallTime value);
  /// `value` is JSON.
  MemberWriter& raw(std::string_view key, std::string_view value);
  /// Begins a member whose value the caller appends to the text.
  MemberWriter& begin(std::string_view key);
  void close() { out_ += '}'; }

 private:
  std::string& out_;
};

}  // namespace drover::api::smd
