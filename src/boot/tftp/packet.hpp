// TFTP packets (RFC 1350) and their options (RFC 2347 to 2349, 7440), read as views, written into
// the caller's buffer.
#pragma once

#include "boot/wire/bytes.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace drover::boot::tftp {

enum class Opcode : uint16_t { rrq = 1, wrq = 2, data = 3, ack = 4, error = 5, oack = 6 };

/// Error codes of RFC 1350 and 2347.
enum class ErrorCode : uint16_t {
  undefined = 0,
  not_found = 1,
  access = 2,
  disk_full = 3,
  illegal = 4,
  unknown_transfer = 5,
  exists = 6,
  no_user = 7,
  options = 8,
};

/// RFC 2347 section 2: a request has at most so many bytes.
inline constexpr size_t kMaxRequest = 512;

/// What a client asked for. An option that was absent or made no sense is nothing, and is then
/// not answered (RFC 2347).
struct ReadRequest {
  std::string_view file;  ///< as it was sent; into the packet
  bool netascii = false;
  std::optional<uint16_t> block_size;   ///< 8 to 65464
  std::optional<uint8_t> timeout;       ///< seconds, 1 to 255
  std::optional<uint16_t> window_size;  ///< 1 to 65535
  bool wants_size = false;
  /// The answered options in the order in which they were asked, one letter each: b, t, w, s.
  std::string order;
};

/// Why a first packet opens no transfer, with the error that the client is told.
enum class Refusal : uint8_t {
  not_request,  ///< no RRQ: told nothing, as it may belong to a transfer that is over
  malformed,    ///< a text without its end, or nothing asked for
  too_long,
  write,         ///< this server only gives
  unknown_mode,  ///< neither octet nor netascii
  bad_path,      ///< leads outside, or is no path
  not_found,
  too_large,  ///< netascii of a file that is no text
};
std::string_view text(Refusal why);
ErrorCode code(Refusal why);

/// Reads a client's first packet.
tl::expected<ReadRequest, Refusal> read_request(std::string_view packet);

/// A client's later packet: an acknowledgement, or an error that ends the transfer.
struct ClientPacket {
  Opcode opcode = Opcode::ack;
  uint16_t number = 0;       ///< block of an ACK, code of an ERROR
  std::string_view message;  ///< of an ERROR
};
/// Nothing for bytes that are neither.
std::optional<ClientPacket> read_client_packet(std::string_view packet);

/// Writes an ERROR. Its size; 0 when it does not fit.
size_t write_error(std::span<char> out, ErrorCode code, std::string_view message);

/// The path of a file under the served root, as firmware writes it: '\' is '/', leading and double
/// slashes and "." vanish. Nothing for what leads outside (".."), has control characters or a drive
/// letter, is empty, or is longer than 255 bytes.
std::optional<std::string> contained_path(std::string_view path);

}  // namespace drover::boot::tftp
