// Certificates and OpenSSL errors as text.
#include "net/tls_words.hpp"

#include <array>
#include <ctime>
#include <memory>
#include <string_view>

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

namespace drover::net {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

/// Alerts arrive as error reasons from SSL_AD_REASON_OFFSET on (openssl/ssl3.h).
std::optional<int> alert_of(int reason) {
  if (reason <= SSL_AD_REASON_OFFSET || reason > SSL_AD_REASON_OFFSET + 255) return std::nullopt;
  return reason - SSL_AD_REASON_OFFSET;
}

bool is_about_certificates(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

/// SSL_alert_desc_string_long does not know the alerts of TLS 1.3.
std::string alert_words(int alert) {
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "certificate required";
  if (alert == SSL_AD_MISSING_EXTENSION) return "missing extension";
  return SSL_alert_desc_string_long(alert);
}

Error alert_error(int alert) {
  if (is_about_certificates(alert)) {
    std::string next;
    if (alert == SSL_AD_UNKNOWN_CA) next = "join this host to the peer's cluster";
    if (alert == SSL_AD_CERTIFICATE_EXPIRED) {
      next =
          "compare the clocks of both hosts; if they are right let this host join again with a "
          "token of 'drover token create --replace'";
    }
    return {Code::unauthenticated, "peer refused our certificate: " + alert_words(alert), {}, next};
  }
  if (alert == SSL_AD_PROTOCOL_VERSION) {
    return {Code::unsupported, "peer does not speak TLS 1.3", {}, {}};
  }
  return {Code::unreachable, "peer refused the connection: " + alert_words(alert), {}, {}};
}

}  // namespace

std::string certificate_uri(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return {};
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    const std::string_view uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<size_t>(ASN1_STRING_length(text)));
    // A control byte could make one name look like another; nobody honest sends one.
    for (const char c : uri) {
      if (c <= ' ' || c == '\x7f') return {};
    }
    return std::string(uri);
  }
  return {};
}

std::optional<WallTime> certificate_expiry(const X509& certificate) {
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

std::string certificate_key_sha256(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  if (size <= 0) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<size_t>(size), digest.data());
  OPENSSL_free(der);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string certificate_name(const X509& certificate) {
  std::string uri = certificate_uri(certificate);
  if (!uri.empty()) return uri;
  std::array<char, 256> subject{};
  X509_NAME_oneline(X509_get_subject_name(&certificate), subject.data(),
                    static_cast<int>(subject.size()));
  return subject.data();
}

Error refused_certificate(long verdict, const std::string& name) {
  std::string why = X509_verify_cert_error_string(verdict);
  std::string next;
  if (verdict == X509_V_ERR_APPLICATION_VERIFICATION) {
    why = "its chain does not end in the CA with the pinned SHA-256";
    next = "check the CA digest that was given, and that this is the right address";
  } else if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
    next =
        "compare the clocks of both hosts; if they are right let the peer's host join again with a "
        "token of 'drover token create --replace'";
  } else if (verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
             verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
             verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT) {
    next = "the peer belongs to another cluster, or one side has an old CA: let it join again";
  }
  return {Code::unauthenticated,
          fmt::format("peer's certificate refused: {}{}", why,
                      name.empty() ? "" : fmt::format(" ({})", name)),
          {},
          next};
}

Error error_from_queue() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return {Code::unreachable, "TLS failed without a reason", {}, {}};
  const int reason = ERR_GET_REASON(error);
  if (const auto alert = alert_of(reason)) return alert_error(*alert);
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return {Code::unauthenticated, "peer sent no certificate", {}, {}};
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return {Code::unreachable, "connection cut by the peer without a goodbye", {}, {}};
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return {Code::unsupported, "peer does not offer TLS 1.3", {}, {}};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
      return {Code::corrupt, "peer does not speak TLS", {}, {}};
    default:
      break;
  }
  const char* words = ERR_reason_error_string(error);
  return {Code::unreachable,
          fmt::format("TLS: {}", words != nullptr ? words : "unknown error"),
          {},
          {}};
}

}  // namespace drover::net
