// Reading the file of names. It goes into libnss_drover: libc is all that may be used.
#include "nss/name_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::nss {
namespace {

constexpr size_t kHostHead = 6;
/// Read at once while probing; runs are shorter nearly always.
constexpr uint32_t kRun = 8;

/// Up to `size` bytes at `at`; fewer at the end of the file or on an error.
size_t read_at(int fd, uint64_t at, void* out, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd, static_cast<char*>(out) + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

uint16_t u16_at(const char* at) {
  uint16_t out = 0;
  std::memcpy(&out, at, sizeof(out));
  return out;
}

bool is_sound(const NameFileHeader& header) {
  const auto fits = [](uint32_t slots) { return slots != 0 && (slots & (slots - 1)) == 0; };
  const std::string_view bytes(reinterpret_cast<const char*>(&header),
                               offsetof(NameFileHeader, check));
  return std::memcmp(header.magic, kMagic.data(), sizeof(header.magic)) == 0 &&
         header.version == kVersion && header.check == name_hash(bytes) &&
         fits(header.name_slots) && fits(header.address_slots);
}

}  // namespace

uint32_t name_hash(std::string_view bytes) {
  uint32_t hash = 0x811c9dc5;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

std::string_view folded(std::string_view name, char (&space)[kMostName]) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.size() > kMostName) return {};
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    space[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return {space, name.size()};
}

std::string_view Host::address4(size_t index) const {
  return {bytes_ + kHostHead + 4 * index, 4};
}

std::string_view Host::address6(size_t index) const {
  return {bytes_ + kHostHead + 4 * count4_ + 16 * index, 16};
}

const char* Host::names_begin() const {
  return bytes_ + kHostHead + 4 * count4_ + 16 * count6_;
}

std::string_view Host::canonical() const {
  const char* at = names_begin();
  return {at + 1, static_cast<unsigned char>(*at)};
}

bool Host::has_name(std::string_view folded_name) const {
  bool out = false;
  for_each_name([&](std::string_view name) { out = out || name == folded_name; });
  return out;
}

bool Host::has_address(std::string_view octets) const {
  for (size_t i = 0; octets.size() == 4 && i < count4_; ++i) {
    if (address4(i) == octets) return true;
  }
  for (size_t i = 0; octets.size() == 16 && i < count6_; ++i) {
    if (address6(i) == octets) return true;
  }
  return false;
}

bool Host::check(size_t read) {
  if (read < kHostHead) return false;
  const size_t size = u16_at(bytes_);
  count4_ = static_cast<unsigned char>(bytes_[2]);
  count6_ = static_cast<unsigned char>(bytes_[3]);
  names_ = u16_at(bytes_ + 4);
  size_t at = kHostHead + 4 * count4_ + 16 * count6_;
  const bool bounded = size <= read && count4_ <= kMostAddresses && count6_ <= kMostAddresses &&
                       names_ > 0 && names_ <= kMostNames;
  if (!bounded) return false;
  for (size_t i = 0; i < names_; ++i) {
    if (at >= size) return false;
    const size_t length = static_cast<unsigned char>(bytes_[at]);
    if (length == 0 || length > kMostName) return false;
    at += 1 + length;
  }
  return at == size;
}

NameFile::NameFile(const char* path) {
  do {
    fd_ = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd_ < 0 && errno == EINTR);
  if (fd_ < 0) return;
  struct stat status{};
  const bool readable = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) &&
                        read_at(fd_, 0, &header_, sizeof(header_)) == sizeof(header_);
  if (readable && is_sound(header_)) return;
  ::close(fd_);
  fd_ = -1;
}

NameFile::~NameFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool NameFile::read_host(uint64_t at, Host& host) const {
  return host.check(read_at(fd_, at, host.bytes_, sizeof(host.bytes_)));
}

template <typename IsIt>
Found NameFile::look_up(uint32_t hash, uint32_t slots, uint32_t at, Host& host,
                        IsIt&& is_it) const {
  if (!is_open()) return Found::unavailable;
  NameFileSlot run[kRun];
  uint32_t probed = 0;
  while (probed < slots) {
    const uint32_t index = (hash + probed) & (slots - 1);
    const uint32_t count = kRun < slots - index ? kRun : slots - index;
    const size_t bytes = count * sizeof(NameFileSlot);
    if (read_at(fd_, at + uint64_t{index} * sizeof(NameFileSlot), run, bytes) != bytes) {
      return Found::unavailable;
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (run[i].host == 0) return Found::no;
      if (run[i].hash != hash) continue;
      if (!read_host(run[i].host, host)) return Found::unavailable;
      if (is_it(host)) return Found::yes;
    }
    probed += count;
  }
  return Found::unavailable;  // a free slot ends every run of a sound table
}

Found NameFile::find(std::string_view name, Host& host) const {
  char space[kMostName];
  const std::string_view wanted = folded(name, space);
  if (wanted.empty()) return is_open() ? Found::no : Found::unavailable;
  return look_up(name_hash(wanted), header_.name_slots, header_.names_at, host,
                 [wanted](const Host& it) { return it.has_name(wanted); });
}

Found NameFile::find_address(std::string_view octets, Host& host) const {
  return look_up(name_hash(octets), header_.address_slots, header_.addresses_at, host,
                 [octets](const Host& it) { return it.has_address(octets); });
}

Found NameFile::next(uint64_t& place, Host& host) const {
  if (!is_open()) return Found::unavailable;
  if (place == 0) {
    place = header_.addresses_at + uint64_t{header_.address_slots} * sizeof(NameFileSlot);
  }
  const size_t got = read_at(fd_, place, host.bytes_, sizeof(host.bytes_));
  if (got == 0) return Found::no;
  if (!host.check(got)) return Found::unavailable;
  place += u16_at(host.bytes_);
  return Found::yes;
}

}  // namespace drover::nss
