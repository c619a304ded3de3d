// The hosts of a cluster in one file that any program can ask: a daemon writes it whole and puts it
// in the place of the last, libnss_drover reads it. No allocation, no thread, no environment, no
// exception; nothing but libc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace drover::nss {

// The file, in this host's byte order: a header, two hash tables (names, addresses) of a power of
// two of slots with linear probing and one free slot at least, then the hosts. A slot is a hash and
// the place of a host, 0 for a free one. A host is its size in bytes with these four (16 bits), how
// many IPv4 addresses, IPv6 addresses and names it has (8, 8, 16 bits), the addresses, and the
// names in lower case, each behind its length (8 bits); the first is the canonical one.

inline constexpr std::string_view kMagic = "DROVERNH";
inline constexpr uint32_t kVersion = 1;

struct NameFileHeader {
  char magic[8];
  uint32_t version;
  uint32_t hosts;  ///< how many there are
  uint32_t name_slots;
  uint32_t names_at;
  uint32_t address_slots;
  uint32_t addresses_at;
  uint64_t sequence;  ///< the change of the cluster's log that it is complete up to
  uint32_t spare;
  uint32_t check;  ///< name_hash() of all bytes before
};
static_assert(sizeof(NameFileHeader) == 48);

struct NameFileSlot {
  uint32_t hash;
  uint32_t host;
};

/// The most that one host takes, names and addresses together.
inline constexpr size_t kMostHost = 2048;
inline constexpr size_t kMostAddresses = 64;  ///< of each family
inline constexpr size_t kMostNames = 64;
/// Without a final dot.
inline constexpr size_t kMostName = 253;

/// FNV-1a, 32 bits (RFC 9923).
uint32_t name_hash(std::string_view bytes);

/// A name as it is looked up: in lower case, without a final dot. Empty when it can be no host's
/// name. `space` holds it.
std::string_view folded(std::string_view name, char (&space)[kMostName]);

/// One host, as it was read. The views lie in `bytes`; it is neither copied nor moved.
class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] size_t addresses4() const { return count4_; }
  [[nodiscard]] size_t addresses6() const { return count6_; }
  [[nodiscard]] size_t names() const { return names_; }
  /// 4 bytes in network order.
  [[nodiscard]] std::string_view address4(size_t index) const;
  /// 16 bytes in network order.
  [[nodiscard]] std::string_view address6(size_t index) const;
  /// Calls `each` for every name, the canonical one first.
  template <typename Each>
  void for_each_name(Each&& each) const {
    const char* at = names_begin();
    for (size_t i = 0; i < names_; ++i) {
      const size_t length = static_cast<unsigned char>(*at);
      each(std::string_view(at + 1, length));
      at += 1 + length;
    }
  }
  [[nodiscard]] std::string_view canonical() const;
  [[nodiscard]] bool has_name(std::string_view folded_name) const;
  [[nodiscard]] bool has_address(std::string_view octets) const;

 private:
  friend class NameFile;
  /// Takes `bytes_` for a host if it is whole.
  bool check(size_t read);
  [[nodiscard]] const char* names_begin() const;

  char bytes_[kMostHost];
  size_t count4_ = 0;
  size_t count6_ = 0;
  size_t names_ = 0;
};

enum class Found {
  yes,
  no,
  unavailable,  ///< there is no such file, or it is spoiled: ask somebody else
};

/// The open file. Reads with pread(2) alone, so that not even a file cut short under it does harm
/// to the program. Any thread; one object by one at a time.
class NameFile {
 public:
  /// Opens; never waits, whatever `path` is. is_open() says whether it is a file of names.
  explicit NameFile(const char* path);
  ~NameFile();
  NameFile(const NameFile&) = delete;
  NameFile& operator=(const NameFile&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] const NameFileHeader& header() const { return header_; }
  /// By any of its names, in any case, with or without a final dot.
  Found find(std::string_view name, Host& host) const;
  /// By 4 or 16 octets in network order.
  Found find_address(std::string_view octets, Host& host) const;
  /// The host at `place`, which is moved behind it; begin with 0. `no` at the end.
  Found next(uint64_t& place, Host& host) const;

 private:
  template <typename IsIt>
  Found look_up(uint32_t hash, uint32_t slots, uint32_t at, Host& host, IsIt&& is_it) const;
  bool read_host(uint64_t at, Host& host) const;

  int fd_ = -1;
  NameFileHeader header_{};
};

}  // namespace drover::nss
