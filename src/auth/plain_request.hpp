// The signing requests that nearly everybody sends, taken apart without OpenSSL's decoders, which
// look for one another anew at every key (OpenSSL 3.0: a quarter of a millisecond each). For this
// room's .cpp files alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace drover::auth {

/// Length of a point of P-256, uncompressed (SEC 1 section 2.3.3).
constexpr size_t kP256Point = 65;
/// SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480 section 2).
constexpr std::string_view kP256Info(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
    "\x07\x03\x42\x00",
    26);

/// A PKCS #10 request (RFC 2986) of a P-256 key, signed with ECDSA over SHA-256. Views into it.
struct PlainRequest {
  std::string_view signed_part;  ///< CertificationRequestInfo, its header included
  std::string_view point;        ///< kP256Point bytes, the first is 4
  std::string_view signature;    ///< DER
};

/// Nothing for a request of any other form, which may still be a good one. Whether the signature
/// holds is not looked at.
std::optional<PlainRequest> read_plain_request(std::string_view der);

}  // namespace drover::auth
