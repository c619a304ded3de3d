#include "sim/sim_security.hpp"

#include "sim/sim_random.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::sim {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<SimCertificate> parse_certificate(std::string_view pem) {
  const auto words = split(pem.substr(0, pem.find('\n')), ' ');
  int64_t ms = 0;
  if (words.size() != 4 || words[0] != "sim-cert" ||
      std::from_chars(words[2].data(), words[2].data() + words[2].size(), ms).ec != std::errc{}) {
    return fail(Code::invalid_argument, "not a simulated certificate");
  }
  return SimCertificate{std::string(words[1]), from_unix_ms(ms), std::string(words[3])};
}

}  // namespace

std::string sim_certificate(std::string_view uri, WallTime expiry, std::string_view ca) {
  return fmt::format("sim-cert {} {} {}", uri, to_unix_ms(expiry), ca);
}

std::string sim_ca(std::string_view ca) {
  return fmt::format("sim-ca {}", ca);
}

std::string sim_ca_digest(std::string_view ca) {
  return SimRandom(0, ca).hex(32);
}

std::string sim_key_digest(std::string_view uri, std::string_view ca) {
  return SimRandom(0, fmt::format("key {} {}", uri, ca)).hex(32);
}

Result<std::shared_ptr<net::Security>> SimSecurity::make(const net::SecurityConfig& config) {
  auto security = std::make_shared<SimSecurity>();
  if (!config.certificate_pem.empty()) {
    DROVER_TRY(security->certificate_, parse_certificate(config.certificate_pem));
  }
  for (const std::string_view line : split(config.trust_pem, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() != 2 || words[0] != "sim-ca") {
      return fail(Code::invalid_argument, "not a simulated CA certificate");
    }
    security->trusted_.emplace_back(words[1]);
  }
  security->pinned_ = config.pinned_ca_sha256;
  security->verify_peer_ = config.verify_peer;
  security->any_certificate_ = config.any_certificate;
  return security;
}

SimSecurity::Fault SimSecurity::judge(const SimSecurity& other, bool as_listener,
                                      WallTime now) const {
  if (!other.certificate_) {
    return as_listener && !verify_peer_ ? Fault::none : Fault::no_certificate;
  }
  if (any_certificate_ && !as_listener) return Fault::none;
  const SimCertificate& shown = *other.certificate_;
  const bool known = trusted_.empty() && !pinned_.empty()
                         ? pinned_ == sim_ca_digest(shown.ca)
                         : std::find(trusted_.begin(), trusted_.end(), shown.ca) != trusted_.end();
  const bool unchecked_client =
      !as_listener && !verify_peer_ && trusted_.empty() && pinned_.empty();
  if (!known && !unchecked_client) return Fault::unknown_ca;
  if (shown.expiry < now && !unchecked_client) return Fault::expired;
  return Fault::none;
}

std::string refusal_text(SimSecurity::Fault fault, const std::optional<SimCertificate>& shown) {
  if (!shown) return "peer sent no certificate";
  const std::string_view why = fault == SimSecurity::Fault::expired
                                   ? "certificate has expired"
                                   : "unable to get local issuer certificate";
  return fmt::format("peer's certificate refused: {} ({})", why, shown->uri);
}

std::string_view alert_text(SimSecurity::Fault fault) {
  switch (fault) {
    case SimSecurity::Fault::no_certificate:
      return "certificate required";
    case SimSecurity::Fault::unknown_ca:
      return "unknown CA";
    case SimSecurity::Fault::expired:
      return "certificate expired";
    case SimSecurity::Fault::none:
      break;
  }
  return "";
}

}  // namespace drover::sim
