// A mark is the byte 0x01 and the letter 'a' + value.
#include "boot/script/late.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace drover::boot::script {
namespace {

constexpr char kMark = '\x01';

class Decimal {
 public:
  explicit Decimal(uint32_t value) {
    end_ = std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr;
  }
  [[nodiscard]] std::string_view text() const {
    return {digits_.data(), static_cast<size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 10> digits_{};
  char* end_ = nullptr;
};

/// "fd77::1" of "[fd77::1]".
std::string_view bare(std::string_view server) {
  const bool bracketed = server.starts_with('[') && server.ends_with(']');
  return bracketed ? server.substr(1, server.size() - 2) : server;
}

}  // namespace

std::string mark(Late late) {
  return {kMark, static_cast<char>('a' + static_cast<int>(late))};
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool meant = c == '$' || c == '|' || c == '&' || static_cast<unsigned char>(c) < 0x20;
    out.push_back(c == '\'' ? '"' : meant ? ' ' : c);
  }
  return out;
}

uint32_t delay_after(uint32_t tries) {
  constexpr uint32_t kMost = 30;
  return tries >= 5 ? kMost : uint32_t{1} << tries;
}

LateText::LateText(std::string_view text) {
  text_.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int what = i + 1 < text.size() ? text[i + 1] - 'a' : -1;
    if (text[i] != kMark || what < 0 || what >= static_cast<int>(kLates)) {
      text_.push_back(text[i]);
      continue;
    }
    holes_.push_back({text_.size(), static_cast<Late>(what)});
    ++i;
  }
}

void LateText::append_to(std::string& out, const LateValues& values) const {
  const Decimal tries(values.tries);
  const Decimal again(std::min(values.tries, UINT32_MAX - 1) + 1);
  const Decimal delay(delay_after(values.tries));
  const std::array<std::string_view, kLates> texts{values.server, values.token,       values.source,
                                                   values.mac,    tries.text(),       again.text(),
                                                   delay.text(),  bare(values.server)};
  size_t size = text_.size();
  for (const Hole& hole : holes_) size += texts.at(static_cast<size_t>(hole.what)).size();
  out.reserve(out.size() + size);
  size_t from = 0;
  for (const Hole& hole : holes_) {
    out.append(text_, from, hole.at - from);
    out.append(texts.at(static_cast<size_t>(hole.what)));
    from = hole.at;
  }
  out.append(text_, from);
}

}  // namespace drover::boot::script
