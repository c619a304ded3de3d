// The floor under Drover's links: a bare epoll loop with OpenSSL and nothing else, in two
// processes.
//   bench_floor_echo [connections] [seconds] [rounds]
// N mutual TLS 1.3 connections; the client sends 64 bytes on each once a second and the server
// returns them; then the server sends 64 bytes to all and waits for all answers. Drover's own
// figures are given as multiples of these.
#include "os/fd.hpp"
#include "os/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using drover::os::UniqueFd;

constexpr size_t kMessage = 64;
constexpr char kHeartbeat = 'h';
constexpr char kAsk = 'a';
constexpr char kAnswer = 'r';

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
double cpu_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double resident_kib() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("Rss:")) return std::atof(line.c_str() + 4);
  }
  return 0;
}

/// One P-256 key with a self-signed certificate that both ends show and trust.
Context make_context(EVP_PKEY* key, X509* certificate) {
  Context context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificate);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

Context make_context() {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("floor"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return make_context(key.get(), certificate.get());
}

struct Peer {
  UniqueFd fd;
  Session session;
  bool ready = false;
  std::string unsent;  ///< kinds of the messages that did not fit into the socket yet
};

/// One thread's loop: handshakes, reading and writing of 64-byte messages.
class Loop {
 public:
  explicit Loop(SSL_CTX* context) : context_(context), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  [[nodiscard]] size_t ready() const { return ready_; }

 protected:
  virtual void on_message(Peer& peer, char kind) = 0;
  virtual void on_other(int fd) = 0;

  void watch_other(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<uint64_t>(fd) << 32}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }

  void add(int fd, bool server) {
    constexpr int kOn = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
    auto peer = std::make_unique<Peer>();
    peer->fd.reset(fd);
    peer->session.reset(SSL_new(context_));
    SSL_set_fd(peer->session.get(), fd);
    server ? SSL_set_accept_state(peer->session.get()) : SSL_set_connect_state(peer->session.get());
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = peers_.size() + 1}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    peers_.push_back(std::move(peer));
  }

  void send(Peer& peer, char kind) {
    std::array<char, kMessage> message{};
    message[0] = kind;
    if (!peer.unsent.empty() || !write(peer, message)) peer.unsent.push_back(kind);
  }

  void poll(int timeout_ms) {
    std::array<epoll_event, 512> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), timeout_ms);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events.at(static_cast<size_t>(i)).data.u64;
      id >> 32 != 0 ? on_other(static_cast<int>(id >> 32)) : serve(*peers_[id - 1]);
    }
  }

  std::vector<std::unique_ptr<Peer>> peers_;

 private:
  static bool write(Peer& peer, const std::array<char, kMessage>& message) {
    const int put = SSL_write(peer.session.get(), message.data(), kMessage);
    if (put == static_cast<int>(kMessage)) return true;
    if (SSL_get_error(peer.session.get(), put) != SSL_ERROR_WANT_WRITE) die("SSL_write");
    return false;
  }

  void serve(Peer& peer) {
    if (!peer.ready) {
      const int done = SSL_do_handshake(peer.session.get());
      if (done != 1) {
        const int error = SSL_get_error(peer.session.get(), done);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) die("handshake");
        return;
      }
      peer.ready = true;
      ++ready_;
    }
    while (!peer.unsent.empty()) {
      std::array<char, kMessage> message{};
      message[0] = peer.unsent.front();
      if (!write(peer, message)) break;
      peer.unsent.erase(0, 1);
    }
    std::array<char, kMessage> message{};
    int got = 0;
    while ((got = SSL_read(peer.session.get(), message.data(), kMessage)) ==
           static_cast<int>(kMessage)) {
      on_message(peer, message[0]);
    }
    if (SSL_get_error(peer.session.get(), got) != SSL_ERROR_WANT_READ) die("SSL_read");
  }

  SSL_CTX* context_;
  UniqueFd epoll_;
  size_t ready_ = 0;
};

class Server final : public Loop {
 public:
  Server(SSL_CTX* context, int listener) : Loop(context), listener_(listener) {
    watch_other(listener);
  }

  void run_until_ready(size_t connections) {
    while (ready() < connections) poll(1000);
  }
  void run_for(double seconds) {
    const double end = seconds_of(CLOCK_MONOTONIC) + seconds;
    while (seconds_of(CLOCK_MONOTONIC) < end) poll(10);
  }
  /// Milliseconds from the first byte out to the last answer in.
  double round() {
    answers_ = 0;
    const double began = seconds_of(CLOCK_MONOTONIC);
    for (const auto& peer : peers_) send(*peer, kAsk);
    while (answers_ < peers_.size()) poll(1000);
    return (seconds_of(CLOCK_MONOTONIC) - began) * 1e3;
  }
  [[nodiscard]] uint64_t heartbeats() const { return heartbeats_; }

 private:
  void on_message(Peer& peer, char kind) override {
    if (kind == kAnswer) {
      ++answers_;
    } else {
      ++heartbeats_;
      send(peer, kHeartbeat);
    }
  }
  void on_other(int) override {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && errno == EAGAIN) return;
      if (fd < 0) die("accept");
      add(fd, true);
    }
  }

  int listener_;
  size_t answers_ = 0;
  uint64_t heartbeats_ = 0;
};

class Client final : public Loop {
 public:
  Client(SSL_CTX* context, const sockaddr_in& server, int control)
      : Loop(context), server_(server) {
    watch_other(control);
  }

  /// Connects, a few hundred at a time, then beats until the control pipe closes.
  void run(size_t connections) {
    constexpr size_t kAtOnce = 256;
    while (ready() < connections) {
      while (peers_.size() < connections && peers_.size() - ready() < kAtOnce) dial();
      poll(1000);
    }
    const double began = seconds_of(CLOCK_MONOTONIC);
    uint64_t sent = 0;
    while (!over_) {
      // Spread evenly over each second, as nodes that started at random are.
      const double passed = seconds_of(CLOCK_MONOTONIC) - began;
      const auto due = static_cast<uint64_t>(passed * static_cast<double>(connections));
      if (due > sent + connections) sent = due - connections;  // starved: what is late is left out
      for (; sent < due; ++sent) send(*peers_[sent % connections], kHeartbeat);
      poll(2);
    }
  }

 private:
  void dial() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    const auto* address = reinterpret_cast<const sockaddr*>(&server_);
    if (::connect(fd, address, sizeof server_) != 0) die("connect");
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    add(fd, false);
  }
  void on_message(Peer& peer, char kind) override {
    if (kind == kAsk) send(peer, kAnswer);
  }
  void on_other(int) override { over_ = true; }

  sockaddr_in server_;
  bool over_ = false;
};

UniqueFd listen_on_loopback(sockaddr_in& address) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 4096;
  if (::bind(fd.get(), generic, length) != 0 || ::listen(fd.get(), kBacklog) != 0 ||
      ::getsockname(fd.get(), generic, &length) != 0) {
    die("listen");
  }
  return fd;
}

void measure(Server& server, size_t connections, double seconds, int rounds) {
  const double before = resident_kib();
  const double began = seconds_of(CLOCK_MONOTONIC);
  const double began_cpu = cpu_seconds();
  server.run_until_ready(connections);
  const auto count = static_cast<double>(connections);
  std::printf("set-up     %zu connections in %.2f s, server %.0f us CPU each\n", connections,
              seconds_of(CLOCK_MONOTONIC) - began, (cpu_seconds() - began_cpu) / count * 1e6);

  server.run_for(2);
  const uint64_t beats = server.heartbeats();
  const double beat_cpu = cpu_seconds();
  server.run_for(seconds);
  std::printf("heartbeat  %.0f/s echoed, server %.2f %% of a core, %.1f KiB resident per link\n",
              static_cast<double>(server.heartbeats() - beats) / seconds,
              (cpu_seconds() - beat_cpu) / seconds * 100, (resident_kib() - before) / count);

  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(server.round());
  std::sort(times.begin(), times.end());
  std::printf("fan-out    %d rounds to %zu and back: median %.1f ms, worst %.1f ms\n", rounds,
              connections, times[times.size() / 2], times.back());
}

int argument(int argc, char** argv, int index, int otherwise) {
  return argc > index ? std::max(std::atoi(argv[index]), 1) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto connections = static_cast<size_t>(argument(argc, argv, 1, 10'000));
  const int seconds = argument(argc, argv, 2, 10);
  const int rounds = argument(argc, argv, 3, 30);
  const auto files = drover::os::raise_open_file_limit();
  if (!files || *files < connections + 64) {
    std::fprintf(stderr, "the limit of open files is too low for %zu connections\n", connections);
    return 2;
  }
  sockaddr_in address{};
  const UniqueFd listener = listen_on_loopback(address);
  const Context context = make_context();
  std::array<int, 2> control{};
  if (::pipe2(control.data(), O_CLOEXEC) != 0) die("pipe");
  UniqueFd control_read(control[0]);
  UniqueFd control_write(control[1]);
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) die("fork");
  if (child == 0) {
    control_write.reset();
    Client client(context.get(), address, control_read.get());
    client.run(connections);
    ::_exit(0);
  }
  control_read.reset();
  Server server(context.get(), listener.get());
  measure(server, connections, seconds, rounds);
  control_write.reset();
  ::waitpid(child, nullptr, 0);
  return 0;
}
