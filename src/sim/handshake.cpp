#include "sim/handshake.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::sim {
namespace {

/// A listener gives a handshake this long (net.hpp, Net::listen).
constexpr Duration kServerLimit = std::chrono::seconds(10);
/// Retransmission of a handshake message: 1 s, doubling (RFC 6298).
constexpr Duration kRetry = std::chrono::seconds(1);
constexpr int kMostRetries = 6;

Error reset_by_peer() {
  return {Code::unreachable, "connection reset by peer", {}, {}};
}

net::Peer peer_of(std::string address, const SimProcess& process, const SimSecurity* security,
                  bool unix_socket) {
  net::Peer peer;
  peer.address = unix_socket ? "unix" : std::move(address);
  if (security != nullptr && security->certificate()) {
    peer.certificate_uri = security->certificate()->uri;
    peer.certificate_expiry = security->certificate()->expiry;
  }
  if (unix_socket) {
    peer.local = net::LocalCaller{process.options().uid, process.options().gid, process.pid()};
  }
  return peer;
}

std::string endpoint_text(const net::Endpoint& at) {
  if (!at.unix_path.empty()) return "unix:" + at.unix_path;
  const bool v6 = at.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", at.host, at.port) : fmt::format("{}:{}", at.host, at.port);
}

}  // namespace

Handshake::Handshake(Fabric& fabric, SimProcess& client, net::Endpoint to,
                     const std::shared_ptr<net::Security>& security, net::ConnectCallback connected)
    : fabric_(fabric),
      world_(fabric.world()),
      client_(&client),
      client_host_(client.host()),
      to_(std::move(to)),
      client_security_(std::dynamic_pointer_cast<SimSecurity>(security)),
      connected_(std::move(connected)) {}

std::string Handshake::doing() const {
  return "connect to " + endpoint_text(to_);
}

void Handshake::start(Duration timeout) {
  client_->after(timeout, [weak = weak_from_this(), timeout] {
    const auto self = weak.lock();
    if (self == nullptr || self->client_settled_) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    self->client_done(
        fail(Code::timed_out, fmt::format("{}: no answer within {} ms", self->doing(), ms)));
  });
  server_host_ = to_.unix_path.empty() ? fabric_.resolve(client_host_, to_.host) : client_host_;
  if (server_host_.empty()) {
    client_fault_ = fmt::format("cannot resolve host '{}'", to_.host);
    return run_in(0, &Handshake::refused);
  }
  client_address_ = fmt::format("{}:{}", client_host_, fabric_.ephemeral_port(client_host_));
  hop(0, false, &Handshake::syn);
}

void Handshake::cancel() {
  if (client_settled_) return;
  connected_ = nullptr;
  client_done(fail(Code::cancelled, "cancelled"));
}

void Handshake::hop(Side from, bool in_process, StepFunction step, int tries) {
  const std::string& a = from == 0 ? client_host_ : server_host_;
  const std::string& b = from == 0 ? server_host_ : client_host_;
  const Duration delay = fabric_.draw_delay(fabric_.path(a, b));
  world_.after(delay, [weak = weak_from_this(), from, in_process, step, tries] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    const std::string& sender = from == 0 ? self->client_host_ : self->server_host_;
    const std::string& receiver = from == 0 ? self->server_host_ : self->client_host_;
    if (!self->fabric_.open(sender, receiver)) {
      if (tries >= kMostRetries) return self->give_up();
      self->world_.after(kRetry * (1 << tries), [weak, from, in_process, step, tries] {
        if (const auto again = weak.lock()) again->hop(from, in_process, step, tries + 1);
      });
      return;
    }
    if (in_process) {
      self->run_in(from ^ 1, step);
    } else {
      (self.get()->*step)();
    }
  });
}

void Handshake::give_up() {
  client_done(fail(Code::timed_out, doing() + ": connection timed out"));
  server_done({Code::timed_out, "connection timed out", {}, {}});
}

void Handshake::run_in(Side side, StepFunction step) {
  SimProcess* process = side == 0 ? client_ : server_;
  if (process == nullptr) return;
  process->after(Duration{}, [weak = weak_from_this(), step] {
    if (const auto self = weak.lock()) (self.get()->*step)();
  });
}

void Handshake::syn() {
  if (client_settled_) return settle();
  const auto listener = fabric_.find_listener(client_host_, server_host_, to_);
  if (listener == nullptr) {
    client_fault_ = to_.unix_path.empty() ? "connection refused" : "no such socket";
    return hop(1, true, &Handshake::refused);
  }
  listener_ = listener;
  server_ = listener->process;
  server_settled_ = false;
  connection_ = std::make_shared<Connection>(fabric_, client_host_, server_host_,
                                             client_security_ != nullptr);
  // Peers are filled in again once certificates are verified.
  const bool unix_socket = !to_.unix_path.empty();
  connection_->attach(0, *client_, peer_of(endpoint_text(to_), *server_, nullptr, unix_socket));
  connection_->attach(1, *server_, peer_of(client_address_, *client_, nullptr, unix_socket));
  hop(1, client_security_ == nullptr, &Handshake::established);
}

void Handshake::refused() {
  client_done(fail(Code::unreachable, fmt::format("{}: {}", doing(), client_fault_)));
}

void Handshake::established() {
  if (client_settled_) return;
  if (client_security_ != nullptr) return hop(0, true, &Handshake::client_hello);
  hop(0, true, &Handshake::accept_plain);
  client_done(connection_->make_stream(0));
}

void Handshake::accept_plain() {
  if (server_settled_) return settle();
  const auto listener = listener_.lock();
  if (listener == nullptr) return server_done(reset_by_peer());
  if (listener->security) {
    server_security_ = std::dynamic_pointer_cast<SimSecurity>(listener->security());
  }
  if (server_security_ == nullptr) return deliver_accepted();
  server_timed_out();
  wait_for_client_hello();
}

void Handshake::wait_for_client_hello() {
  // A plain client on a TLS port: what it says is no ClientHello; when it says nothing, time runs
  // out.
  if (server_settled_ || server_ == nullptr) return;
  if (connection_->has_received(1))
    return server_done({Code::corrupt, "peer does not speak TLS", {}, {}});
  constexpr Duration kLook = std::chrono::milliseconds(100);
  server_->after(kLook, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->wait_for_client_hello();
  });
}

void Handshake::server_timed_out() {
  server_->after(kServerLimit, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && !self->server_settled_) {
      self->server_done({Code::timed_out, "no TLS handshake in time", {}, {}});
    }
  });
}

void Handshake::client_hello() {
  if (server_settled_) return settle();
  const auto listener = listener_.lock();
  if (listener == nullptr) return server_done(reset_by_peer());
  if (listener->security) {
    server_security_ = std::dynamic_pointer_cast<SimSecurity>(listener->security());
  }
  if (server_security_ == nullptr) {
    hop(1, true, &Handshake::not_tls);
    return deliver_accepted();
  }
  server_timed_out();
  hop(1, true, &Handshake::server_flight);
}

void Handshake::not_tls() {
  client_done(fail(Code::corrupt, doing() + ": peer does not speak TLS"));
}

void Handshake::server_flight() {
  if (client_settled_) return;
  const auto fault = client_security_->judge(*server_security_, false, client_->executor().wall());
  if (fault != SimSecurity::Fault::none) {
    client_fault_ = alert_text(fault);
    hop(0, true, &Handshake::client_refuses);
    client_done(
        fail(Code::unauthenticated,
             fmt::format("{}: {}", doing(), refusal_text(fault, server_security_->certificate()))));
    return;
  }
  net::Peer shown = peer_of(endpoint_text(to_), *client_, server_security_.get(), false);
  if (client_security_->any_certificate() && server_security_->certificate()) {
    shown.certificate_uri.clear();
    shown.certificate_key_sha256 =
        sim_key_digest(server_security_->certificate()->uri, server_security_->certificate()->ca);
  }
  connection_->attach(0, *client_, std::move(shown));
  hop(0, true, &Handshake::client_finished);
  client_done(connection_->make_stream(0));
}

void Handshake::client_refuses() {
  if (client_fault_.empty()) {
    return server_done({Code::unreachable, "peer left during the TLS handshake", {}, {}});
  }
  server_done({Code::unauthenticated, "peer refused our certificate: " + client_fault_, {}, {}});
}

void Handshake::client_finished() {
  if (server_settled_) return settle();
  const auto fault = server_security_->judge(*client_security_, true, server_->executor().wall());
  if (fault != SimSecurity::Fault::none) {
    return server_done(
        {Code::unauthenticated, refusal_text(fault, client_security_->certificate()), {}, {}},
        alert_text(fault));
  }
  connection_->attach(1, *server_,
                      peer_of(client_address_, *server_, client_security_.get(), false));
  deliver_accepted();
}

void Handshake::server_lost() {
  client_done(fail(Code::unreachable, doing() + ": connection reset by peer"));
}

void Handshake::client_done(Result<std::unique_ptr<net::Stream>> result) {
  if (client_settled_) return;
  const auto self = shared_from_this();
  client_settled_ = true;
  const bool failed = !result;
  net::ConnectCallback connected = std::move(connected_);
  if (failed && connection_ != nullptr) {
    connection_->abandon(0, reset_by_peer());
    if (!server_settled_ && client_fault_.empty()) hop(0, true, &Handshake::client_refuses);
  }
  if (connected && client_ != nullptr && client_->alive()) connected(std::move(result));
  settle();
}

void Handshake::server_done(Error failure, std::string_view alert) {
  if (server_settled_) return;
  const auto self = shared_from_this();
  server_settled_ = true;
  Error to_client = reset_by_peer();
  if (!alert.empty()) {
    to_client = {
        Code::unauthenticated, fmt::format("peer refused our certificate: {}", alert), {}, {}};
  }
  connection_->abandon(1, to_client);
  if (!client_settled_) hop(1, true, &Handshake::server_lost);
  const auto listener = listener_.lock();
  if (listener != nullptr && listener->process != nullptr) {
    listener->accepted(tl::unexpected<net::AcceptFailure>({client_address_, std::move(failure)}));
  }
  settle();
}

void Handshake::deliver_accepted() {
  const auto self = shared_from_this();
  server_settled_ = true;
  const auto listener = listener_.lock();
  if (listener == nullptr || listener->process == nullptr) {
    connection_->abandon(1, reset_by_peer());
  } else {
    listener->accepted(connection_->make_stream(1));
  }
  settle();
}

void Handshake::settle() {
  if (client_settled_ && server_settled_) fabric_.remove_handshake(this);
}

void Handshake::process_died(SimProcess& process) {
  if (client_ == &process) {
    client_ = nullptr;
    cancel();
  }
  if (server_ == &process) {
    server_ = nullptr;
    server_settled_ = true;
    if (!client_settled_) hop(1, true, &Handshake::server_lost);
    settle();
  }
}

}  // namespace drover::sim
