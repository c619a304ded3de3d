// OpenSSL's verdicts in words that an operator can act on. Includes OpenSSL: for net's .cpp files.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace drover::net {

/// The first URI of the certificate's subject alternative names; "" without one.
std::string certificate_uri(const X509& certificate);
std::optional<WallTime> certificate_expiry(const X509& certificate);
/// SHA-256 over the DER form of its public key (SubjectPublicKeyInfo), 64 hex digits; "" when it
/// cannot be written.
std::string certificate_key_sha256(const X509& certificate);
/// How to name a certificate in an error: its URI, else its subject.
std::string certificate_name(const X509& certificate);

/// The peer's certificate did not pass: `verdict` is an X509_V_ERR_ code, `name` the certificate's.
Error refused_certificate(long verdict, const std::string& name);
/// What OpenSSL's error queue says, emptying it.
Error error_from_queue();

}  // namespace drover::net
