#include "daemons/boot/server_duid.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr size_t kDigits = 32;

/// The octets of hexadecimal text; empty for any other text.
std::string octets_of(std::string_view hex) {
  std::string out;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    uint8_t octet = 0;
    const char* const end = hex.data() + at + 2;
    const auto [stopped, error] = std::from_chars(hex.data() + at, end, octet, 16);
    if (error != std::errc() || stopped != end) return {};
    out.push_back(static_cast<char>(octet));
  }
  return out;
}

}  // namespace

Result<std::string> boot_duid(Disk& disk, Random& random, const std::string& state) {
  const std::string path = state + "/duid";
  DROVER_TRY(const bool there, disk.exists(path));
  if (!there) {
    DROVER_CHECK_OK(disk.write_atomic(path, random.hex(kDigits / 2) + "\n", 0600));
  }
  DROVER_TRY(std::string text, disk.read_all(path, 256));
  while (text.ends_with('\n')) text.pop_back();
  const std::string uuid = text.size() == kDigits ? octets_of(text) : std::string();
  if (uuid.empty()) {
    return fail(Code::corrupt, fmt::format("{} does not hold the 32 digits of a DUID", path),
                "restore it, or remove it: clients then ask for their addresses anew");
  }
  return std::string("\0\4", 2) + uuid;
}

std::array<uint64_t, 2> address_key(std::string_view ca_sha256) {
  std::array<uint64_t, 2> out{};
  for (size_t i = 0; i < out.size(); ++i) {
    constexpr size_t kPart = 16;
    const std::string_view part = ca_sha256.substr(std::min(i * kPart, ca_sha256.size()), kPart);
    std::from_chars(part.data(), part.data() + part.size(), out[i], 16);
  }
  return out;
}

}  // namespace drover::daemons
