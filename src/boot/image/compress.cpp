// The only user of zlib and libzstd.
#include "boot/image/compress.hpp"

#include <charconv>

#include <zlib.h>
#include <zstd.h>

namespace drover::boot::image {
namespace {

/// Made once per kernel and fetched by every node: worth some seconds of a manager's time, but not
/// the minutes of the highest levels.
constexpr int kGzipLevel = 6;
constexpr int kZstdLevel = 12;
/// RFC 1952 framing, 32 KiB window.
constexpr int kGzipWindow = 15 + 16;

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(Code::exhausted, "no memory for compressing");
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  // zlib counts in 32 bits: the input goes in by pieces.
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  constexpr size_t kPiece = size_t{1} << 30;
  size_t taken = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t now = std::min(kPiece, bytes.size() - taken);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
    stream.avail_in = static_cast<uInt>(now);
    stream.avail_out = static_cast<uInt>(std::min(kPiece, out.size() - stream.total_out));
    status = deflate(&stream, taken + now == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    taken += now - stream.avail_in;
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return fail(Code::internal, "compressing failed");
  return out;
}

Result<std::string> zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) {
    return fail(Code::exhausted, std::string("compressing failed: ") + ZSTD_getErrorName(size));
  }
  out.resize(size);
  return out;
}

}  // namespace

Result<std::string> compress(std::string_view bytes, Compression how) {
  switch (how) {
    case Compression::gzip:
      return gzip(bytes);
    case Compression::zstd:
      return zstd(bytes);
    case Compression::none:
      break;
  }
  return std::string(bytes);
}

Compression compression_for(std::string_view kernel_version) {
  int major = 0;
  int minor = 0;
  const char* end = kernel_version.data() + kernel_version.size();
  const auto first = std::from_chars(kernel_version.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return Compression::gzip;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc{}) return Compression::gzip;
  return major > 5 || (major == 5 && minor >= 9) ? Compression::zstd : Compression::gzip;
}

}  // namespace drover::boot::image
