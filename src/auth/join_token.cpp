#include "auth/join_token.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::string_view kPrefix = "drover-join-v1";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr size_t kIdBytes = 5;
constexpr size_t kSecretBytes = 20;
constexpr size_t kDigestBytes = 32;

std::string to_base32(const std::vector<unsigned char>& bytes) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    held += 8;
    for (; held >= 5; held -= 5) out.push_back(kBase32[(bits >> (held - 5)) & 31]);
    bits &= 31;
  }
  if (held > 0) out.push_back(kBase32[(bits << (5 - held)) & 31]);
  return out;
}

/// Exactly `size` bytes, or nothing: each value has one spelling.
std::optional<std::vector<unsigned char>> from_base32(std::string_view text, size_t size) {
  if (text.size() != (size * 8 + 4) / 5) return std::nullopt;
  std::vector<unsigned char> out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const size_t digit = kBase32.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 5) | static_cast<uint32_t>(digit);
    held += 5;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<unsigned char>(bits >> held));
      bits &= (1U << held) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return out;
}

std::optional<std::vector<unsigned char>> from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<unsigned char> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const size_t high = kDigits.find(text[i]);
    const size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  return out;
}

std::string to_hex(const std::vector<unsigned char>& bytes) {
  std::string out;
  for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::string draw(Random& random, size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  random.fill(raw);
  return to_base32(raw);
}

/// The text without blanks around it, in lower case.
std::string tidy(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  std::string out(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

tl::unexpected<Error> not_a_token(std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("not a join token: {}", why),
              "copy the whole token that 'drover token create' printed");
}

}  // namespace

std::string JoinToken::text() const {
  const auto digest = from_hex(ca_sha256);
  return fmt::format("{}.{}.{}.{}", kPrefix, id, secret,
                     digest ? to_base32(*digest) : std::string());
}

Result<JoinToken> make_join_token(Random& random, std::string_view ca_sha256) {
  if (ca_sha256.size() != kDigestBytes * 2 || !from_hex(ca_sha256)) {
    return fail(Code::invalid_argument, "a CA's fingerprint is 64 lower-case hex digits");
  }
  JoinToken token;
  token.id = draw(random, kIdBytes);
  token.secret = draw(random, kSecretBytes);
  token.ca_sha256 = ca_sha256;
  return token;
}

Result<JoinToken> parse_join_token(std::string_view text) {
  if (text.size() > 256) return not_a_token("longer than 256 characters");
  const std::string token = tidy(text);
  std::array<std::string_view, 4> parts;
  std::string_view rest = token;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t dot = rest.find('.');
    const bool last = i + 1 == parts.size();
    if (last != (dot == std::string_view::npos)) {
      return not_a_token("it has four parts with dots between them");
    }
    parts.at(i) = rest.substr(0, dot);
    if (!last) rest.remove_prefix(dot + 1);
  }
  if (parts[0] != kPrefix) return not_a_token(fmt::format("it begins with {}", kPrefix));
  if (!from_base32(parts[1], kIdBytes)) return not_a_token("its second part, the id, is damaged");
  if (!from_base32(parts[2], kSecretBytes)) {
    return not_a_token("its third part, the secret, is damaged");
  }
  const auto digest = from_base32(parts[3], kDigestBytes);
  if (!digest) return not_a_token("its fourth part, the CA's fingerprint, is damaged");
  return JoinToken{std::string(parts[1]), std::string(parts[2]), to_hex(*digest)};
}

}  // namespace drover::auth
