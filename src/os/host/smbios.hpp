// SMBIOS: the tables in which firmware describes the machine. A pure parser of outside bytes.
// Layout: DMTF DSP0134 3.7, section 6.1 (structure and string-set) and 7 (structure types).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// One structure; views point into the parsed table, which must outlive it.
class SmbiosStructure {
 public:
  SmbiosStructure(std::string_view formatted, std::vector<std::string_view> strings)
      : formatted_(formatted), strings_(std::move(strings)) {}

  [[nodiscard]] uint8_t type() const { return static_cast<uint8_t>(formatted_[0]); }
  /// Little-endian fields at an offset from the structure's start; nullopt when an older table
  /// ends before it.
  [[nodiscard]] std::optional<uint8_t> byte(size_t offset) const;
  [[nodiscard]] std::optional<uint16_t> word(size_t offset) const;
  [[nodiscard]] std::optional<uint32_t> dword(size_t offset) const;
  [[nodiscard]] std::string_view bytes(size_t offset, size_t count) const;
  /// The string whose number stands at `offset`, as it is; "" for none.
  [[nodiscard]] std::string_view string(size_t offset) const;

 private:
  [[nodiscard]] std::optional<uint64_t> number(size_t offset, size_t count) const;
  std::string_view formatted_;
  std::vector<std::string_view> strings_;
};

struct SmbiosTable {
  std::vector<SmbiosStructure> structures;
  /// Where and why reading stopped early, "" when the table is whole. Firmware is often sloppy at
  /// the end; what stands before it is good.
  std::string problem;
};

/// At most 8,192 structures and 1 MiB are read.
SmbiosTable parse_smbios(std::string_view table);

/// What one populated memory device (type 17) says.
struct Dimm {
  std::string locator, bank, manufacturer, serial, part_number, type, form_factor;
  uint64_t size_mib = 0;
  std::optional<uint64_t> speed_mts, configured_mts, ranks, data_bits, total_bits;
};
struct DimmList {
  std::vector<Dimm> populated;
  uint32_t slots = 0;  ///< with the empty ones
};
DimmList dimms_of(const SmbiosTable& table);

/// One populated processor socket (type 4), in table order.
struct Processor {
  std::string socket, model, serial, part_number;
  std::optional<uint64_t> max_mhz;
};
std::vector<Processor> processors_of(const SmbiosTable& table);

/// A UUID field (type 1, offset 8) in its usual spelling; "" when unset (all 0 or all 1).
std::string smbios_uuid(std::string_view bytes);

}  // namespace drover::os
