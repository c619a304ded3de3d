// Packs an initramfs in a form that the kernel unpacks by itself.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::boot::image {

enum class Compression : uint8_t {
  none,
  gzip,  ///< RFC 1952; every kernel
  zstd,  ///< RFC 8878; Linux 5.9 and later, unpacked several times faster
};

/// The same input gives the same bytes (with the same version of the library). exhausted: no
/// memory.
Result<std::string> compress(std::string_view bytes, Compression how);
/// The best form for a kernel, judged by its version ("6.1.0-18-amd64"); gzip when that says
/// nothing.
Compression compression_for(std::string_view kernel_version);

}  // namespace drover::boot::image
