// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of records on disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace drover {

/// Checksum of `bytes`; `before` continues one over the bytes that came earlier.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace drover
