// Reading and writing TFTP packets, and keeping paths inside.
#include "boot/tftp/packet.hpp"

#include <algorithm>
#include <charconv>

namespace drover::boot::tftp {

namespace {

constexpr size_t kMaxPath = 255;

/// Takes a text and its zero from the front of `rest`; nothing when the zero is missing.
std::optional<std::string_view> take_text(std::string_view& rest) {
  const size_t zero = rest.find('\0');
  if (zero == std::string_view::npos) return {};
  const std::string_view text = rest.substr(0, zero);
  rest.remove_prefix(zero + 1);
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<uint32_t> number(std::string_view text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return {};
  }
  return value;
}

/// Takes up one option; the first of its name counts.
void take_option(ReadRequest& request, std::string_view name, std::string_view value) {
  if (same_word(name, "blksize") && !request.block_size) {
    // Larger than can be sent means as large as can be (RFC 2348).
    const auto size = number(value, 8, 0xffffffff);
    if (!size) return;
    request.block_size = static_cast<uint16_t>(std::min<uint32_t>(*size, 65464));
    request.order += 'b';
  } else if (same_word(name, "timeout") && !request.timeout) {
    const auto seconds = number(value, 1, 255);
    if (!seconds) return;
    request.timeout = static_cast<uint8_t>(*seconds);
    request.order += 't';
  } else if (same_word(name, "windowsize") && !request.window_size) {
    const auto blocks = number(value, 1, 65535);
    if (!blocks) return;
    request.window_size = static_cast<uint16_t>(*blocks);
    request.order += 'w';
  } else if (same_word(name, "tsize") && !request.wants_size) {
    request.wants_size = true;
    request.order += 's';
  }
}

}  // namespace

std::string_view text(Refusal why) {
  switch (why) {
    case Refusal::not_request:
      return "not a request";
    case Refusal::malformed:
      return "malformed request";
    case Refusal::too_long:
      return "request too long";
    case Refusal::write:
      return "this server is read-only";
    case Refusal::unknown_mode:
      return "unknown transfer mode";
    case Refusal::bad_path:
      return "path not allowed";
    case Refusal::not_found:
      return "file not found";
    case Refusal::too_large:
      return "file too large for netascii, use octet";
  }
  return "refused";
}

ErrorCode code(Refusal why) {
  switch (why) {
    case Refusal::not_found:
      return ErrorCode::not_found;
    case Refusal::write:
    case Refusal::bad_path:
      return ErrorCode::access;
    case Refusal::too_large:
      return ErrorCode::undefined;
    default:
      return ErrorCode::illegal;
  }
}

tl::expected<ReadRequest, Refusal> read_request(std::string_view packet) {
  Reader reader(packet);
  const uint16_t opcode = reader.u16();
  if (!reader.ok()) return tl::unexpected(Refusal::not_request);
  if (opcode == static_cast<uint16_t>(Opcode::wrq)) return tl::unexpected(Refusal::write);
  if (opcode != static_cast<uint16_t>(Opcode::rrq)) return tl::unexpected(Refusal::not_request);
  if (packet.size() > kMaxRequest) return tl::unexpected(Refusal::too_long);
  std::string_view rest = reader.rest();
  ReadRequest request;
  const auto file = take_text(rest);
  const auto mode = take_text(rest);
  if (!file || !mode || file->empty()) return tl::unexpected(Refusal::malformed);
  request.file = *file;
  request.netascii = same_word(*mode, "netascii");
  if (!request.netascii && !same_word(*mode, "octet")) return tl::unexpected(Refusal::unknown_mode);
  // What follows is pairs; some clients leave other bytes behind, which end them.
  while (!rest.empty()) {
    const auto name = take_text(rest);
    const auto value = take_text(rest);
    if (!name || !value) break;
    take_option(request, *name, *value);
  }
  return request;
}

std::optional<ClientPacket> read_client_packet(std::string_view packet) {
  Reader reader(packet);
  ClientPacket read;
  read.opcode = static_cast<Opcode>(reader.u16());
  read.number = reader.u16();
  if (!reader.ok()) return {};
  if (read.opcode == Opcode::ack) return read;
  if (read.opcode != Opcode::error) return {};
  read.message = reader.rest().substr(0, reader.rest().find('\0'));
  return read;
}

size_t write_error(std::span<char> out, ErrorCode code, std::string_view message) {
  Writer writer(out);
  writer.u16(static_cast<uint16_t>(Opcode::error));
  writer.u16(static_cast<uint16_t>(code));
  writer.bytes(message);
  writer.u8(0);
  return writer.ok() ? writer.size() : 0;
}

std::optional<std::string> contained_path(std::string_view path) {
  if (path.size() > kMaxPath) return {};
  std::string out;
  size_t at = 0;
  while (at <= path.size()) {
    const size_t end = std::min(path.find_first_of("/\\", at), path.size());
    const std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return {};
    if (part.size() == 2 && part[1] == ':') return {};
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return {};
    }
    if (!out.empty()) out += '/';
    out += part;
  }
  if (out.empty()) return {};
  return out;
}

}  // namespace drover::boot::tftp
