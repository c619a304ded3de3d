#include "cli/top/keys.hpp"

#include <array>
#include <utility>

namespace drover::cli::top {
namespace {

using Kind = Key::Kind;

/// What follows ESC [ or ESC O, by its final bytes.
constexpr std::array<std::pair<std::string_view, Kind>, 14> kSequences{{{"A", Kind::up},
                                                                        {"B", Kind::down},
                                                                        {"C", Kind::right},
                                                                        {"D", Kind::left},
                                                                        {"H", Kind::home},
                                                                        {"F", Kind::end},
                                                                        {"1~", Kind::home},
                                                                        {"7~", Kind::home},
                                                                        {"4~", Kind::end},
                                                                        {"8~", Kind::end},
                                                                        {"5~", Kind::page_up},
                                                                        {"6~", Kind::page_down},
                                                                        {"3~", Kind::erase},
                                                                        {"M", Kind::enter}}};
/// Longer than any sequence of a key: what has no end is dropped.
constexpr size_t kLongest = 16;

size_t utf8_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xf0 && lead < 0xf8) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc2 ? 2 : 1;
}

}  // namespace

size_t KeyReader::take(std::vector<Key>& out) const {
  const auto lead = static_cast<unsigned char>(held_[0]);
  if (lead == 0x1b) {
    if (held_.size() < 2) return 0;
    if (held_[1] != '[' && held_[1] != 'O') {
      out.push_back({Kind::escape, {}});
      return 1;
    }
    for (size_t i = 2; i < held_.size(); ++i) {
      const auto c = static_cast<unsigned char>(held_[i]);
      if (c < 0x40 || c > 0x7e) continue;
      const std::string_view tail(held_.data() + 2, i - 1);
      for (const auto& [sequence, kind] : kSequences) {
        if (tail == sequence) out.push_back({kind, {}});
      }
      return i + 1;
    }
    return held_.size() < kLongest ? 0 : held_.size();
  }
  if (lead == '\r' || lead == '\n') {
    out.push_back({Kind::enter, {}});
    return 1;
  }
  if (lead == 0x7f || lead == 0x08) {
    out.push_back({Kind::erase, {}});
    return 1;
  }
  const size_t length = utf8_length(lead);
  if (held_.size() < length) return 0;
  if (lead >= 0x20 && (lead < 0x80 || length > 1)) {
    out.push_back({Kind::text, held_.substr(0, length)});
  }
  return length;
}

std::vector<Key> KeyReader::feed(std::string_view bytes) {
  held_ += bytes;
  std::vector<Key> out;
  while (!held_.empty()) {
    const size_t used = take(out);
    if (used == 0) break;
    held_.erase(0, used);
  }
  return out;
}

std::vector<Key> KeyReader::pause() {
  std::vector<Key> out;
  if (held_.starts_with('\x1b')) out.push_back({Kind::escape, {}});
  held_.clear();
  return out;
}

}  // namespace drover::cli::top
