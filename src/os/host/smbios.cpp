// The SMBIOS structure walk and the types that Drover reads. Nothing here trusts a length.
#include "os/host/smbios.hpp"

#include "os/host/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::os {
namespace {

constexpr size_t kMaxTable = size_t{1} << 20;
constexpr size_t kMaxStructures = 8192;
constexpr size_t kHeader = 4;  // type, length, handle
constexpr uint8_t kTypeProcessor = 4;
constexpr uint8_t kTypeMemoryDevice = 17;
constexpr uint8_t kTypeEnd = 127;

/// Cuts one string-set off `rest`: strings each ended by a NUL, the set by another one (6.1.3).
std::optional<std::vector<std::string_view>> take_strings(std::string_view& rest) {
  std::vector<std::string_view> strings;
  if (rest.starts_with(std::string_view("\0\0", 2))) {
    rest.remove_prefix(2);
    return strings;
  }
  for (;;) {
    const size_t end = rest.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (text.empty()) return strings;
    strings.push_back(text);
  }
}

/// DSP0134 table 77, the kinds met since 2000.
std::string memory_type(uint8_t code) {
  switch (code) {
    case 0x12:
      return "DDR";
    case 0x13:
      return "DDR2";
    case 0x14:
      return "DDR2 FB-DIMM";
    case 0x18:
      return "DDR3";
    case 0x1a:
      return "DDR4";
    case 0x1b:
      return "LPDDR";
    case 0x1c:
      return "LPDDR2";
    case 0x1d:
      return "LPDDR3";
    case 0x1e:
      return "LPDDR4";
    case 0x1f:
      return "non-volatile";
    case 0x20:
      return "HBM";
    case 0x21:
      return "HBM2";
    case 0x22:
      return "DDR5";
    case 0x23:
      return "LPDDR5";
    case 0x24:
      return "HBM3";
    default:
      return {};
  }
}

/// DSP0134 table 76.
std::string form_factor(uint8_t code) {
  switch (code) {
    case 0x03:
      return "SIMM";
    case 0x05:
      return "chip";
    case 0x09:
      return "DIMM";
    case 0x0d:
      return "SODIMM";
    case 0x0f:
      return "FB-DIMM";
    case 0x10:
      return "die";
    case 0x11:
      return "CAMM";
    default:
      return {};
  }
}

/// Size of a memory device in MiB (7.18, offsets 0Ch and 1Ch); 0 for an empty slot or unknown.
uint64_t dimm_size_mib(const SmbiosStructure& device) {
  constexpr uint16_t kUnknown = 0xffff;
  constexpr uint16_t kExtended = 0x7fff;
  constexpr uint16_t kInKib = 0x8000;
  const uint16_t size = device.word(0x0c).value_or(0);
  if (size == kUnknown) return 0;
  if (size == kExtended) return device.dword(0x1c).value_or(0) & 0x7fffffffU;
  return (size & kInKib) != 0 ? (size & 0x7fffU) / 1024U : size;
}

/// A speed in MT/s: 0 is unknown, FFFFh points to the extended field.
std::optional<uint64_t> speed(const SmbiosStructure& device, size_t offset, size_t extended) {
  const uint16_t value = device.word(offset).value_or(0);
  if (value == 0xffff) {
    const uint32_t wide = device.dword(extended).value_or(0) & 0x7fffffffU;
    return wide == 0 ? std::nullopt : std::optional<uint64_t>(wide);
  }
  return value == 0 ? std::nullopt : std::optional<uint64_t>(value);
}

std::optional<uint64_t> width(const SmbiosStructure& device, size_t offset) {
  const uint16_t value = device.word(offset).value_or(0xffff);
  return value == 0xffff || value == 0 ? std::nullopt : std::optional<uint64_t>(value);
}

Dimm dimm_of(const SmbiosStructure& device, uint64_t size_mib) {
  Dimm dimm;
  dimm.size_mib = size_mib;
  dimm.locator = clean(device.string(0x10));
  dimm.bank = clean_identity(device.string(0x11));
  dimm.manufacturer = clean_identity(device.string(0x17));
  dimm.serial = clean_identity(device.string(0x18));
  dimm.part_number = clean_identity(device.string(0x1a));
  dimm.type = memory_type(device.byte(0x12).value_or(0));
  dimm.form_factor = form_factor(device.byte(0x0e).value_or(0));
  dimm.speed_mts = speed(device, 0x15, 0x54);
  dimm.configured_mts = speed(device, 0x20, 0x58);
  dimm.total_bits = width(device, 0x08);
  dimm.data_bits = width(device, 0x0a);
  const unsigned ranks = device.byte(0x1b).value_or(0) & 0x0fU;
  if (ranks != 0) dimm.ranks = ranks;
  return dimm;
}

}  // namespace

std::optional<uint64_t> SmbiosStructure::number(size_t offset, size_t count) const {
  if (offset + count > formatted_.size()) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(formatted_[offset + i]);
  }
  return value;
}

std::optional<uint8_t> SmbiosStructure::byte(size_t offset) const {
  const auto value = number(offset, 1);
  return value ? std::optional(static_cast<uint8_t>(*value)) : std::nullopt;
}

std::optional<uint16_t> SmbiosStructure::word(size_t offset) const {
  const auto value = number(offset, 2);
  return value ? std::optional(static_cast<uint16_t>(*value)) : std::nullopt;
}

std::optional<uint32_t> SmbiosStructure::dword(size_t offset) const {
  const auto value = number(offset, 4);
  return value ? std::optional(static_cast<uint32_t>(*value)) : std::nullopt;
}

std::string_view SmbiosStructure::bytes(size_t offset, size_t count) const {
  return offset + count > formatted_.size() ? std::string_view() : formatted_.substr(offset, count);
}

std::string_view SmbiosStructure::string(size_t offset) const {
  const uint8_t number = byte(offset).value_or(0);
  return number == 0 || number > strings_.size() ? std::string_view() : strings_[number - 1U];
}

SmbiosTable parse_smbios(std::string_view table) {
  SmbiosTable result;
  const auto stop = [&](std::string_view rest, std::string_view why) {
    result.problem = fmt::format("SMBIOS table at byte {}: {}", table.size() - rest.size(), why);
  };
  table = table.substr(0, kMaxTable);
  std::string_view rest = table;
  while (!rest.empty()) {
    if (rest.size() < kHeader) {
      stop(rest, "ends inside a header");
      break;
    }
    const auto length = static_cast<unsigned char>(rest[1]);
    if (length < kHeader || length > rest.size()) {
      stop(rest, "a structure's length is impossible");
      break;
    }
    std::string_view tail = rest.substr(length);
    auto strings = take_strings(tail);
    if (!strings) {
      stop(rest, "a structure's strings have no end");
      break;
    }
    SmbiosStructure structure(rest.substr(0, length), *std::move(strings));
    if (structure.type() == kTypeEnd) break;
    if (result.structures.size() == kMaxStructures) {
      stop(rest, "too many structures");
      break;
    }
    result.structures.push_back(std::move(structure));
    rest = tail;
  }
  return result;
}

DimmList dimms_of(const SmbiosTable& table) {
  DimmList list;
  for (const SmbiosStructure& device : table.structures) {
    if (device.type() != kTypeMemoryDevice) continue;
    ++list.slots;
    const uint64_t size_mib = dimm_size_mib(device);
    if (size_mib != 0) list.populated.push_back(dimm_of(device, size_mib));
  }
  return list;
}

std::vector<Processor> processors_of(const SmbiosTable& table) {
  constexpr uint8_t kCentralProcessor = 3;
  constexpr uint8_t kPopulated = 0x40;
  std::vector<Processor> processors;
  for (const SmbiosStructure& entry : table.structures) {
    if (entry.type() != kTypeProcessor || entry.byte(5) != kCentralProcessor) continue;
    if ((entry.byte(0x18).value_or(0) & kPopulated) == 0) continue;
    Processor processor;
    processor.socket = clean_identity(entry.string(4));
    processor.model = clean_identity(entry.string(0x10));
    processor.serial = clean_identity(entry.string(0x20));
    processor.part_number = clean_identity(entry.string(0x22));
    const uint16_t mhz = entry.word(0x14).value_or(0);
    if (mhz != 0) processor.max_mhz = mhz;
    processors.push_back(std::move(processor));
  }
  return processors;
}

std::string smbios_uuid(std::string_view bytes) {
  if (bytes.size() != 16) return {};
  const auto all = [&](char value) {
    return std::all_of(bytes.begin(), bytes.end(), [value](char c) { return c == value; });
  };
  if (all('\0') || all('\xff')) return {};
  // The first three fields are little-endian (7.2.1), as in /sys/class/dmi/id/product_uuid.
  constexpr std::array<size_t, 16> kOrder{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  std::string out;
  for (size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out += fmt::format("{:02x}", static_cast<unsigned char>(bytes[kOrder.at(i)]));
  }
  return out;
}

}  // namespace drover::os
