// Makes the file that libnss_drover reads (nss/name_file.hpp has its form).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace drover::nss {

/// One host with what it is found by.
struct NamedHost {
  std::vector<std::string> names;  ///< the canonical one first; none: the host is left out
  std::vector<std::array<uint8_t, 4>> addresses4;   ///< network order
  std::vector<std::array<uint8_t, 16>> addresses6;  ///< network order
  bool operator==(const NamedHost&) const = default;
};

/// Adds to a file of names; finish() gives it. The first host with a name or an address is the one
/// that is found by it. What is beyond the bounds of a host (names too long, the 65th address) is
/// left out.
class NameFileWriter {
 public:
  void add(const NamedHost& host);
  /// The whole file. `sequence`: the change of the log that it is complete up to.
  [[nodiscard]] std::string finish(uint64_t sequence) const;

 private:
  struct Key {
    uint32_t hash;
    uint32_t host;  ///< place in `hosts_`
    std::string text;
  };

  std::string hosts_;
  uint32_t count_ = 0;
  std::vector<Key> names_;
  std::vector<Key> addresses_;
};

}  // namespace drover::nss
