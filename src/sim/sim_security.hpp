// Certificates of the simulated network: a line of text instead of X.509, checked by the same rules
// and refused with the same words as the real ones. No keys, no cost.
#pragma once

#include "base/clock.hpp"
#include "net/net.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

/// The text that stands for a certificate PEM: "sim-cert URI NOTAFTER-UNIX-MS CA-NAME".
std::string sim_certificate(std::string_view uri, WallTime expiry, std::string_view ca);
/// The text that stands for a CA certificate PEM: "sim-ca CA-NAME". Several may be joined by "\n".
std::string sim_ca(std::string_view ca);
/// What Peer::certificate_key_sha256 holds of such a certificate where any is taken.
std::string sim_key_digest(std::string_view uri, std::string_view ca);
/// What SecurityConfig::pinned_ca_sha256 holds for that CA: 64 hex digits.
std::string sim_ca_digest(std::string_view ca);

struct SimCertificate {
  std::string uri;
  WallTime expiry;
  std::string ca;
};

class SimSecurity final : public net::Security {
 public:
  static Result<std::shared_ptr<net::Security>> make(const net::SecurityConfig& config);

  [[nodiscard]] const std::optional<SimCertificate>& certificate() const { return certificate_; }
  [[nodiscard]] bool any_certificate() const { return any_certificate_; }

  enum class Fault { none, no_certificate, unknown_ca, expired };
  /// Judges the other end's certificate at `now`, as a listener or as a connecting client does.
  [[nodiscard]] Fault judge(const SimSecurity& other, bool as_listener, WallTime now) const;

 private:
  std::optional<SimCertificate> certificate_;
  std::vector<std::string> trusted_;
  std::string pinned_;
  bool verify_peer_ = true;
  bool any_certificate_ = false;
};

/// What the end that refuses says, in the words of net/tls_words.cpp.
std::string refusal_text(SimSecurity::Fault fault, const std::optional<SimCertificate>& shown);
/// What the refused end hears (the alert's name, RFC 8446 section 6.2).
std::string_view alert_text(SimSecurity::Fault fault);

}  // namespace drover::sim
