// Reads program headers and the dynamic section by offsets that are checked against the file: it
// may be cut short or made to mislead.
#include "boot/image/elf.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace drover::boot::image {
namespace {

constexpr size_t kHeader = 64;
constexpr size_t kProgramHeader = 56;
constexpr size_t kDynamicEntry = 16;
constexpr uint32_t kLoad = 1;
constexpr uint32_t kDynamic = 2;
constexpr uint32_t kInterpreter = 3;
constexpr uint64_t kNeeded = 1;
constexpr uint64_t kStringTable = 5;
constexpr uint64_t kRpath = 15;
constexpr uint64_t kRunpath = 29;
/// The largest library names and paths that make sense (PATH_MAX).
constexpr size_t kLongestText = 4096;

/// A little-endian number of `bytes` bytes at `at`, which the caller has checked to be inside.
uint64_t number(std::string_view file, uint64_t at, size_t bytes) {
  uint64_t out = 0;
  for (size_t i = bytes; i-- > 0;) out = out << 8 | static_cast<uint8_t>(file[at + i]);
  return out;
}

struct Segment {
  uint32_t type = 0;
  uint64_t offset = 0;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

tl::unexpected<Error> broken(const char* why) {
  return fail(Code::corrupt, std::string("a damaged ELF file: ") + why);
}

bool inside(std::string_view file, uint64_t offset, uint64_t bytes) {
  return offset <= file.size() && bytes <= file.size() - offset;
}

Result<std::vector<Segment>> read_segments(std::string_view file) {
  if (!is_elf(file) || file.size() < kHeader || file[4] != 2 || file[5] != 1) {
    return fail(Code::unsupported, "not a 64-bit little-endian ELF file");
  }
  const uint64_t table = number(file, 32, 8);
  const uint64_t size = number(file, 54, 2);
  const uint64_t count = number(file, 56, 2);
  if (count == 0) return broken("it has no program headers");
  if (size != kProgramHeader || table < kHeader || !inside(file, table, size * count)) {
    return broken("its program headers lie outside");
  }
  std::vector<Segment> out;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = table + i * size;
    Segment segment{static_cast<uint32_t>(number(file, at, 4)), number(file, at + 8, 8),
                    number(file, at + 16, 8), number(file, at + 32, 8)};
    const bool matters =
        segment.type == kLoad || segment.type == kDynamic || segment.type == kInterpreter;
    if (!matters) continue;
    if (!inside(file, segment.offset, segment.bytes)) return broken("a segment lies outside");
    if (segment.type != kLoad && segment.offset < kHeader) return broken("it overlaps its header");
    out.push_back(segment);
  }
  return out;
}

std::optional<std::string_view> text_at(std::string_view file, uint64_t offset) {
  if (offset >= file.size()) return std::nullopt;
  const std::string_view rest = file.substr(offset, kLongestText);
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  return rest.substr(0, end);
}

/// Where in the file the byte lies that is loaded to `address`.
std::optional<uint64_t> file_offset(const std::vector<Segment>& segments, uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.type != kLoad || address < segment.address) continue;
    if (address - segment.address < segment.bytes) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t colon = text.find(':');
    if (colon != 0) out.emplace_back(text.substr(0, colon));
    text = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  }
  return out;
}

Status read_dynamic(std::string_view file, const std::vector<Segment>& segments,
                    const Segment& dynamic, ElfFacts& out) {
  std::optional<uint64_t> strings;
  std::vector<uint64_t> needed;
  std::optional<uint64_t> rpath;
  std::optional<uint64_t> runpath;
  for (uint64_t at = 0; at + kDynamicEntry <= dynamic.bytes; at += kDynamicEntry) {
    const uint64_t tag = number(file, dynamic.offset + at, 8);
    const uint64_t value = number(file, dynamic.offset + at + 8, 8);
    if (tag == 0) break;
    if (tag == kNeeded) needed.push_back(value);
    if (tag == kStringTable) strings = file_offset(segments, value);
    if (tag == kRpath) rpath = value;
    if (tag == kRunpath) runpath = value;
  }
  if (needed.empty() && !rpath && !runpath) return {};
  if (!strings || *strings < kHeader) return broken("its dynamic section has no strings");
  const auto text = [&](uint64_t offset) -> std::optional<std::string_view> {
    if (offset > file.size()) return std::nullopt;
    return text_at(file, *strings + offset);
  };
  for (const uint64_t offset : needed) {
    const auto name = text(offset);
    if (!name || name->empty()) return broken("the name of a needed library lies outside");
    out.needed.emplace_back(*name);
  }
  if (!runpath) runpath = rpath;
  if (runpath) {
    const auto paths = text(*runpath);
    if (!paths) return broken("its search path lies outside");
    out.search = split_paths(*paths);
  }
  return {};
}

}  // namespace

bool is_elf(std::string_view bytes) {
  return bytes.starts_with(
      "\x7f"
      "ELF");
}

Result<ElfFacts> read_elf(std::string_view bytes) {
  DROVER_TRY(const auto segments, read_segments(bytes));
  ElfFacts out;
  out.machine = static_cast<uint16_t>(number(bytes, 18, 2));
  out.loaded_bytes = number(bytes, 32, 8) + number(bytes, 54, 2) * number(bytes, 56, 2);
  for (const Segment& segment : segments) {
    out.loaded_bytes = std::max(out.loaded_bytes, segment.offset + segment.bytes);
  }
  // Text ends inside what is loaded: behind that the kernel and the loader see nothing either.
  const std::string_view loaded = bytes.substr(0, out.loaded_bytes);
  for (const Segment& segment : segments) {
    if (segment.type == kInterpreter) {
      const auto path = text_at(loaded.substr(0, segment.offset + segment.bytes), segment.offset);
      if (!path || path->empty()) return broken("its interpreter has no name");
      out.interpreter = *path;
    }
    if (segment.type == kDynamic) DROVER_CHECK_OK(read_dynamic(loaded, segments, segment, out));
  }
  return out;
}

Result<std::string> without_sections(std::string_view bytes) {
  DROVER_TRY(const auto facts, read_elf(bytes));
  std::string out(bytes.substr(0, std::max<uint64_t>(facts.loaded_bytes, kHeader)));
  // e_shoff, then e_shentsize, e_shnum and e_shstrndx: no section table any more.
  std::memset(out.data() + 40, 0, 8);
  std::memset(out.data() + 58, 0, 6);
  return out;
}

}  // namespace drover::boot::image
