#include "base/natural_sort.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace drover {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kLongestNumber = 254;

struct Keyed {
  uint64_t high = 0;
  uint64_t low = 0;
  size_t index = 0;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes as they are; a number as '0', how many significant digits it has, and those. '0' stands in
/// for every digit where a number meets another byte, since digits are neighbours in ASCII. Zeros
/// after the end. Equal keys say nothing.
std::array<unsigned char, kKeyBytes> key_of(const std::string& name) {
  std::array<unsigned char, kKeyBytes> key{};
  size_t used = 0;
  for (size_t at = 0; at < name.size() && used < kKeyBytes;) {
    if (!is_digit(name[at])) {
      key[used++] = static_cast<unsigned char>(name[at++]);
      continue;
    }
    size_t end = at;
    while (end < name.size() && is_digit(name[end])) ++end;
    while (at < end && name[at] == '0') ++at;
    key[used++] = '0';
    if (used == kKeyBytes) break;
    if (end - at > kLongestNumber) {
      key[used] = kLongestNumber + 1;
      break;  // what follows is compared in full
    }
    key[used++] = static_cast<unsigned char>(end - at);
    while (at < end && used < kKeyBytes) key[used++] = static_cast<unsigned char>(name[at++]);
    at = end;
  }
  return key;
}

uint64_t big_endian(const unsigned char* bytes) {
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof out; ++i) out = out << 8 | bytes[i];
  return out;
}

}  // namespace

void sort_natural(std::vector<std::string>& names) {
  std::vector<Keyed> order;
  order.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto key = key_of(names[i]);
    order.push_back({big_endian(key.data()), big_endian(key.data() + sizeof(uint64_t)), i});
  }
  std::sort(order.begin(), order.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.high != b.high) return a.high < b.high;
    if (a.low != b.low) return a.low < b.low;
    return natural_compare(names[a.index], names[b.index]) < 0;
  });
  std::vector<std::string> sorted;
  sorted.reserve(names.size());
  for (const Keyed& one : order) sorted.push_back(std::move(names[one.index]));
  names = std::move(sorted);
}

}  // namespace drover
