// What the tests of the boot protocols share: packets as real clients sent them, and hexadecimal.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace drover::boot::test {

/// One packet of the corpus, e.g. ("dhcp", "edk2_pxe_discover").
inline std::string corpus(std::string_view folder, std::string_view file) {
  const std::filesystem::path path =
      std::filesystem::path(DROVER_SOURCE_DIR) / "tests/fuzz/corpus" / folder / file;
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Every packet of a folder of the corpus, by name.
inline std::map<std::string, std::string> corpus(std::string_view folder) {
  std::map<std::string, std::string> files;
  const auto path = std::filesystem::path(DROVER_SOURCE_DIR) / "tests/fuzz/corpus" / folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string name = entry.path().filename();
    files[name] = corpus(folder, name);
  }
  EXPECT_FALSE(files.empty()) << path;
  return files;
}

/// Bytes of "01 02 ff"; blanks are skipped.
inline std::string unhex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  return out;
}

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace drover::boot::test
