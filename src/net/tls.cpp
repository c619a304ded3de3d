// TlsSecurity and the TLS transport. OpenSSL sits on the socket itself: its buffers exist only
// while a record is under way (SSL_MODE_RELEASE_BUFFERS), so that an idle link costs little memory.
#include "net/tls.hpp"

#include "net/tls_words.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;

BioPtr memory_bio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

tl::unexpected<Error> bad(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return fail(Code::invalid_argument,
              fmt::format("{}: {}", what, reason != nullptr ? reason : "not valid PEM"));
}

/// Never asks on a terminal: an encrypted key is an error here.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

Result<std::vector<X509Ptr>> parse_certificates(const std::string& pem, std::string_view what) {
  if (pem.size() > size_t{16} * 1024 * 1024)
    return fail(Code::too_large, fmt::format("{} is over 16 MiB", what));
  const BioPtr bio = memory_bio(pem);
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // "No start line" is how the end of the file reads; all else is a broken block.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_end) return bad(what);
  ERR_clear_error();
  return certificates;
}

std::string sha256_hex(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
  return hex;
}

// --- the socket below OpenSSL ---

/// What OpenSSL reads and writes through; lives in the transport, hangs on its BIO. A BIO of our
/// own because OpenSSL's socket BIO writes without MSG_NOSIGNAL, and because only here can be seen
/// that a read took all there was, which saves a second read per message.
struct Wire {
  int fd = -1;
  int error = 0;         ///< errno of the last failure
  bool drained = false;  ///< the last read left the socket empty
  bool ended = false;    ///< the peer sent its end
};

Wire& wire_of(BIO* bio) {
  return *static_cast<Wire*>(BIO_get_data(bio));
}

int wire_read(BIO* bio, char* into, size_t room, size_t* got) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(wire.fd, into, room, 0);
  wire.drained = count < static_cast<ssize_t>(room);
  if (count > 0) {
    *got = static_cast<size_t>(count);
    return 1;
  }
  if (count == 0) {
    wire.ended = true;
  } else if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_read(bio);
  } else {
    wire.error = errno;
  }
  return 0;
}

int wire_write(BIO* bio, const char* bytes, size_t size, size_t* taken) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::send(wire.fd, bytes, size, MSG_NOSIGNAL);
  if (count >= 0) {
    *taken = static_cast<size_t>(count);
    return 1;
  }
  if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_write(bio);
  } else {
    wire.error = errno;
  }
  return 0;
}

long wire_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_EOF) return wire_of(bio).ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, Freer<BIO_meth_free>> method = [] {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "drover");
    BIO_meth_set_read_ex(made, wire_read);
    BIO_meth_set_write_ex(made, wire_write);
    BIO_meth_set_ctrl(made, wire_control);
    return std::unique_ptr<BIO_METHOD, Freer<BIO_meth_free>>(made);
  }();
  return method.get();
}

// --- verification ---

/// Carries the refused certificate's name from the verification to the error text.
struct Refusal {
  long verdict = X509_V_OK;
  std::string name;
};

/// Trusts the self-signed certificate in the peer's own chain whose digest is `pinned`.
bool trust_pinned(X509_STORE_CTX* store, const std::string& pinned, STACK_OF(X509) * roots) {
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* certificate = sk_X509_value(sent, i);
    // Its own signature proves nothing that its digest does not.
    if (X509_self_signed(certificate, 0) != 1 || sha256_hex(*certificate) != pinned) continue;
    sk_X509_push(roots, certificate);
    X509_STORE_CTX_set0_trusted_stack(store, roots);
    return true;
  }
  return false;
}

int verify_peer(X509_STORE_CTX* store, void* argument) {
  const auto& security = *static_cast<const TlsSecurity*>(argument);
  if (security.any_certificate()) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_free(s); })>
      roots(sk_X509_new_null());
  int passed = 0;
  if (!security.pinned().empty() && !trust_pinned(store, security.pinned(), roots.get())) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  } else {
    passed = X509_verify_cert(store) == 1 ? 1 : 0;
  }
  auto* refusal = static_cast<Refusal*>(SSL_get_app_data(ssl));
  if (passed == 0 && refusal != nullptr) {
    refusal->verdict = X509_STORE_CTX_get_error(store);
    if (const X509* leaf = X509_STORE_CTX_get0_cert(store)) refusal->name = certificate_name(*leaf);
  }
  // The pinned roots live only for this call.
  X509_STORE_CTX_set0_trusted_stack(store, nullptr);
  return passed;
}

// --- the transport ---

class TlsTransport final : public Transport {
 public:
  TlsTransport(UniqueFd fd, std::shared_ptr<TlsSecurity> security)
      : Transport(std::move(fd)), security_(std::move(security)) {}

  Status start(TlsSide side) {
    ssl_.reset(SSL_new(security_->context()));
    BIO* bio = BIO_new(wire_method());
    if (!ssl_ || bio == nullptr) {
      BIO_free(bio);
      return fail(Code::exhausted, "no memory for a TLS connection");
    }
    wire_.fd = fd();
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (side == TlsSide::accepting) {
      SSL_set_verify(
          ssl_.get(),
          SSL_VERIFY_PEER | (security_->verify_clients() ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
          nullptr);
      SSL_set_accept_state(ssl_.get());
    } else {
      SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
      SSL_set_connect_state(ssl_.get());
      return demand_name(security_->peer_name());
    }
    return {};
  }

  Io handshake() override {
    ERR_clear_error();
    Refusal refusal;
    SSL_set_app_data(ssl_.get(), &refusal);
    const int done = SSL_do_handshake(ssl_.get());
    SSL_set_app_data(ssl_.get(), nullptr);
    if (done == 1) return Io::moved;
    if (refusal.verdict != X509_V_OK) {
      ERR_clear_error();
      return failed(refused_certificate(refusal.verdict, refusal.name));
    }
    const Io io = outcome(done);
    if (io != Io::ended) return io;
    return failed({Code::unreachable, "peer left during the TLS handshake", {}, {}});
  }

  Io read(char* into, size_t room, size_t& got) override {
    got = 0;
    ERR_clear_error();
    const int done = SSL_read_ex(ssl_.get(), into, room, &got);
    return done == 1 ? Io::moved : outcome(done);
  }

  [[nodiscard]] bool more() const override { return !wire_.drained || buffered(); }
  [[nodiscard]] bool buffered() const override { return SSL_has_pending(ssl_.get()) == 1; }

  Io write(std::string_view bytes, size_t& taken) override {
    taken = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken);
    return done == 1 ? Io::moved : outcome(done);
  }

  void finish() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // one try: a full socket means that the peer reads nothing anyway
    ERR_clear_error();
    ::shutdown(fd(), SHUT_WR);
  }

  void describe(Peer& peer) const override {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
    if (!security_->any_certificate()) peer.certificate_uri = certificate_uri(*certificate);
    peer.certificate_key_sha256 = certificate_key_sha256(*certificate);
    peer.certificate_expiry = certificate_expiry(*certificate);
  }

 private:
  /// The server's certificate must be for `name`, a host name or an address.
  Status demand_name(const std::string& name) {
    if (name.empty()) return {};
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) return {};
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size()) == 1 &&
        SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1) {
      return {};
    }
    return bad("the server's name");
  }

  Io outcome(int done) {
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        return Io::want_read;
      case SSL_ERROR_WANT_WRITE:
        return Io::want_write;
      case SSL_ERROR_ZERO_RETURN:
        return Io::ended;
      case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        if (wire_.error != 0) return failed(errno_error("connection", wire_.error));
        return failed({Code::unreachable, "connection cut by the peer without a goodbye", {}, {}});
      default:
        return failed(error_from_queue());
    }
  }

  std::shared_ptr<TlsSecurity> security_;
  Wire wire_;
  SslPtr ssl_;
};

/// For peers that are not ours and know no TLS 1.3.
void allow_tls12(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_security_level(context, 1);  // RSA keys of 1024 bits are found in old BMCs
  SSL_CTX_set_cipher_list(context,
                          "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:RSA+AESGCM:!aNULL");
  SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}

/// Modes and limits that every connection shares.
void configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // AES-128 first: as strong as the P-256 keys around it, and the cheapest with AES instructions.
  SSL_CTX_set_ciphersuites(
      context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set1_groups_list(context, "X25519:P-256");
  // No automatic chain: what is sent is what the configuration says. Daemons know their CA; sending
  // it would cost every link the memory of a second certificate.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  // One read per message: header and body of a record come in together.
  SSL_CTX_set_read_ahead(context, 1);
  // No resumption. It would halve the CPU of a reconnect, but a ticket lets a peer in again without
  // its certificate being looked at, past its expiry and past a change of the cluster's CA.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

}  // namespace

void TlsSecurity::FreeContext::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsSecurity::~TlsSecurity() = default;

Status TlsSecurity::load_identity(const SecurityConfig& config) {
  DROVER_TRY(auto chain, parse_certificates(config.certificate_pem, "certificate"));
  if (SSL_CTX_use_certificate(context_.get(), chain.front().get()) != 1) return bad("certificate");
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context_.get(), chain[i].get()) != 1)
      return bad("certificate chain");
  }
  const BioPtr bio = memory_bio(config.key_pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return bad("private key");
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context_.get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid_argument, "the private key is not the certificate's");
  }
  return {};
}

Status TlsSecurity::load_trust(const std::string& pem) {
  DROVER_TRY(auto trusted, parse_certificates(pem, "trusted CA certificates"));
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  for (const X509Ptr& certificate : trusted) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return bad("trusted CA certificate");
    // Tells clients whose certificates are wanted: browsers then do not ask their user for another.
    SSL_CTX_add_client_CA(context_.get(), certificate.get());
  }
  return {};
}

Status TlsSecurity::load(const SecurityConfig& config) {
  configure(context_.get());
  if (config.allow_tls12) allow_tls12(context_.get());
  any_certificate_ = config.any_certificate;
  verify_clients_ = config.verify_peer;
  peer_name_ = config.peer_name;
  SSL_CTX_set_cert_verify_callback(context_.get(), verify_peer, this);
  if (!config.certificate_pem.empty() || !config.key_pem.empty()) {
    DROVER_CHECK_OK(load_identity(config));
  }
  if (!config.trust_pem.empty()) return load_trust(config.trust_pem);
  if (config.pinned_ca_sha256.empty()) return {};
  if (config.pinned_ca_sha256.size() != 64 ||
      config.pinned_ca_sha256.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return fail(Code::invalid_argument, "the pinned CA digest is not 64 hexadecimal digits");
  }
  pinned_ = config.pinned_ca_sha256;
  for (char& c : pinned_) c = static_cast<char>(c | 0x20);  // digits keep theirs
  return {};
}

Result<std::shared_ptr<TlsSecurity>> TlsSecurity::make(const SecurityConfig& config) {
  ERR_clear_error();
  std::shared_ptr<TlsSecurity> security(new TlsSecurity());
  security->context_.reset(SSL_CTX_new(TLS_method()));
  if (!security->context_) return fail(Code::exhausted, "no memory for a TLS context");
  if (Status loaded = security->load(config); !loaded) {
    return fail_in("loading TLS keys", std::move(loaded).error());
  }
  return security;
}

Result<std::unique_ptr<Transport>> make_tls_transport(UniqueFd fd, TlsSide side,
                                                      std::shared_ptr<TlsSecurity> security) {
  auto transport = std::make_unique<TlsTransport>(std::move(fd), std::move(security));
  DROVER_CHECK_OK(transport->start(side));
  return transport;
}

}  // namespace drover::net
