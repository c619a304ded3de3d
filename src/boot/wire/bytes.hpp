// Reading and writing network byte order over memory that somebody else owns. Neither allocates
// nor throws: a read or write past the end makes it fail, and so do all that follow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace drover::boot {

/// Takes numbers and pieces from the front of `bytes`. After a read past the end ok() is false and
/// every read gives zero or nothing, so a caller may check once, at the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t size() const { return left_.size(); }
  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] std::string_view rest() const { return left_; }

  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return number(4); }
  /// The next `count` bytes, which live as long as the input; nothing when there are fewer.
  std::string_view take(size_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

 private:
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }

  std::string_view left_;
  bool ok_ = true;
};

/// Puts numbers and pieces into `out`, one after the other. What does not fit is not written at
/// all, and ok() is false from then on.
class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t size() const { return used_; }
  [[nodiscard]] size_t room() const { return out_.size() - used_; }
  [[nodiscard]] std::string_view written() const { return {out_.data(), used_}; }

  void u8(uint8_t value) { number(value, 1); }
  void u16(uint16_t value) { number(value, 2); }
  void u32(uint32_t value) { number(value, 4); }
  void bytes(std::string_view value) {
    if (!fits(value.size())) return;
    std::copy(value.begin(), value.end(), out_.begin() + static_cast<ptrdiff_t>(used_));
    used_ += value.size();
  }
  void zeros(size_t count) {
    if (!fits(count)) return;
    std::fill_n(out_.begin() + static_cast<ptrdiff_t>(used_), count, '\0');
    used_ += count;
  }
  /// Writes over two bytes that were written before, e.g. a length known only now.
  void patch_u16(size_t at, uint16_t value) {
    if (at + 2 > used_) return;
    out_[at] = static_cast<char>(value >> 8);
    out_[at + 1] = static_cast<char>(value);
  }
  /// Forgets all from `size` on, also that it did not fit.
  void rewind(size_t size) {
    used_ = std::min(used_, size);
    ok_ = true;
  }

 private:
  bool fits(size_t count) {
    if (!ok_ || count > room()) ok_ = false;
    return ok_;
  }
  void number(uint32_t value, size_t bytes) {
    if (!fits(bytes)) return;
    for (size_t i = bytes; i-- > 0;) out_[used_++] = static_cast<char>(value >> (8 * i));
  }

  std::span<char> out_;
  size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace drover::boot
