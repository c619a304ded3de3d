// TLS 1.3 with OpenSSL: keys and trust (TlsSecurity) and the transport that uses them.
#pragma once

#include "net/transport.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace drover::net {

/// Keys and trust, checked when made; immutable after.
class TlsSecurity final : public Security {
 public:
  /// invalid_argument for PEM that does not parse or a key that is not the certificate's.
  static Result<std::shared_ptr<TlsSecurity>> make(const SecurityConfig& config);
  ~TlsSecurity() override;

  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }
  [[nodiscard]] bool verify_clients() const { return verify_clients_; }
  [[nodiscard]] const std::string& pinned() const { return pinned_; }
  [[nodiscard]] const std::string& peer_name() const { return peer_name_; }
  [[nodiscard]] bool any_certificate() const { return any_certificate_; }

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };
  TlsSecurity() = default;
  Status load(const SecurityConfig& config);
  Status load_identity(const SecurityConfig& config);
  Status load_trust(const std::string& pem);

  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  bool verify_clients_ = true;
  bool any_certificate_ = false;  ///< clients: the certificate proves its key and nothing else
  std::string pinned_;            ///< lower-case hex; empty unless it stands in for trust
  std::string peer_name_;         ///< clients: whom the certificate must be for; empty: anybody
};

enum class TlsSide { connecting, accepting };

/// TLS on `fd`; handshake() first.
Result<std::unique_ptr<Transport>> make_tls_transport(UniqueFd fd, TlsSide side,
                                                      std::shared_ptr<TlsSecurity> security);

}  // namespace drover::net
