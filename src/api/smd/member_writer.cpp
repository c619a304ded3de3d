#include "api/smd/member_writer.hpp"

#include "api/smd/manners.hpp"

#include <iterator>

#include <fmt/format.h>

namespace drover::api::smd {

MemberWriter& MemberWriter::begin(std::string_view key) {
  if (out_.back() != '{') out_ += ',';
  append_quoted(out_, key);
  out_ += ':';
  return *this;
}

MemberWriter& MemberWriter::text(std::string_view key, std::string_view value) {
  begin(key);
  append_quoted(out_, value);
  return *this;
}

MemberWriter& MemberWriter::known(std::string_view key, std::string_view value) {
  return value.empty() ? *this : text(key, value);
}

MemberWriter& MemberWriter::truth(std::string_view key, bool value) {
  begin(key);
  out_ += value ? "true" : "false";
  return *this;
}

MemberWriter& MemberWriter::number(std::string_view key, uint64_t value) {
  begin(key);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

MemberWriter& MemberWriter::real(std::string_view key, double value) {
  begin(key);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

MemberWriter& MemberWriter::time(std::string_view key, WallTime value) {
  return text(key, to_rfc3339(value));
}

MemberWriter& MemberWriter::raw(std::string_view key, std::string_view value) {
  begin(key);
  out_ += value;
  return *this;
}

}  // namespace drover::api::smd
