// What the loader of shared libraries needs to know of a program: read from its ELF file (System V
// ABI, "Program Header" and "Dynamic Section"), 64-bit little-endian only.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

struct ElfFacts {
  uint16_t machine = 0;             ///< e_machine: 62 x86-64, 183 AArch64
  std::string interpreter;          ///< "/lib64/ld-linux-x86-64.so.2"; empty: static or a library
  std::vector<std::string> needed;  ///< DT_NEEDED in their order
  std::vector<std::string> search;  ///< DT_RUNPATH, or DT_RPATH where there is none; $ORIGIN as is
  uint64_t loaded_bytes = 0;        ///< the file is needed up to here; after it is for debuggers
};

/// Whether it begins like an ELF file at all.
bool is_elf(std::string_view bytes);
/// unsupported: no 64-bit little-endian ELF file; corrupt: one that points outside itself.
Result<ElfFacts> read_elf(std::string_view bytes);
/// What a running program needs of its file: without sections, symbols and debugging notes, as
/// strip(1) and more would leave it. Errors as read_elf().
Result<std::string> without_sections(std::string_view bytes);

}  // namespace drover::boot::image
