// An idle link's memory and a heartbeat's CPU: the real net beside a bare epoll + OpenSSL server.
// usage: bench_net [links] [seconds]. The load is made by a child process; each server runs alone.
#include "net/certificates_for_tests.hpp"
#include "net/real_net.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace drover;
using namespace drover::net;
using namespace std::chrono_literals;

constexpr size_t kMessage = 64;

struct Settings {
  size_t links = 5000;
  int seconds = 5;
  SecurityConfig security;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

size_t resident_kib() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  size_t total = 0;
  size_t resident = 0;
  if (std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
  std::fclose(file);
  return resident * 4;
}

/// What a server measures of itself and sends to the parent.
struct Figures {
  double link_kib = 0;
  double accept_ms = 0;
  double message_us = 0;
  double messages = 0;
};

SSL_CTX* bare_context(const SecurityConfig& config) {
  auto bio = [](const std::string& text) {
    return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  };
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_use_certificate(
      context, PEM_read_bio_X509(bio(config.certificate_pem), nullptr, nullptr, nullptr));
  SSL_CTX_use_PrivateKey(context,
                         PEM_read_bio_PrivateKey(bio(config.key_pem), nullptr, nullptr, nullptr));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
                      PEM_read_bio_X509(bio(config.trust_pem), nullptr, nullptr, nullptr));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  return context;
}

/// Connects `links` times, reports, then sends every link's message once a second, evenly spread;
/// with `rate` 0 as fast as the sockets take them.
void load(const Settings& settings, uint16_t port, bool paced, int to_server) {
  SSL_CTX* context = bare_context(settings.security);
  std::vector<SSL*> links;
  for (size_t i = 0; i < settings.links; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1) std::abort();
    links.push_back(ssl);
  }
  (void)!::write(to_server, "c", 1);
  std::this_thread::sleep_for(500ms);  // the server measures its memory
  (void)!::write(to_server, "s", 1);
  const std::string message(kMessage, 'h');
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + std::chrono::seconds(settings.seconds);
  size_t sent = 0;
  for (auto now = start; now < end; now = std::chrono::steady_clock::now()) {
    const double elapsed = std::chrono::duration<double>(now - start).count();
    const size_t due = paced ? static_cast<size_t>(elapsed * double(settings.links)) : sent + 100;
    for (; sent < due; ++sent) {
      SSL_write(links[sent % links.size()], message.data(), kMessage);
    }
    if (paced) std::this_thread::sleep_for(1ms);
  }
  (void)!::write(to_server, "e", 1);
  std::this_thread::sleep_for(500ms);
}

/// Follows the load's progress: one byte per phase.
struct Meter {
  Figures figures;
  size_t links = 0;
  size_t base_kib = 0;
  double base_cpu = 0;
  double messages = 0;

  void phase(char c) {
    if (c == 'c') {
      figures.accept_ms = (cpu_seconds() - base_cpu) * 1e3 / double(links);
      malloc_trim(0);
      figures.link_kib = double(resident_kib() - base_kib) / double(links);
    } else if (c == 's') {
      base_cpu = cpu_seconds();
      messages = 0;
    } else {
      figures.messages = messages;
      figures.message_us = (cpu_seconds() - base_cpu) * 1e6 / messages;
    }
  }
};

struct Counter final : StreamHandler {
  explicit Counter(Meter& m) : meter(m) {}
  void on_data(std::string_view bytes) override {
    meter.messages += double(bytes.size()) / kMessage;
  }
  void on_closed(const Error& /*why*/) override {}
  Meter& meter;
};

struct PhasePipe final : FdHandler {
  PhasePipe(int descriptor, Meter& m, Loop& l) : fd(descriptor), meter(m), loop(l) {}
  void on_fd(uint32_t /*events*/) override {
    char c = 0;
    if (::read(fd, &c, 1) != 1) return loop.stop();
    meter.phase(c);
    if (c == 'e') loop.stop();
  }
  int fd;
  Meter& meter;
  Loop& loop;
};

Figures real_server(const Settings& settings, int port_to_parent, int from_load) {
  const auto loop = Loop::make().value();
  RealNet net(*loop);
  const auto security = net.make_security(settings.security).value();
  Meter meter;
  meter.links = settings.links;
  Counter counter(meter);
  std::vector<std::unique_ptr<Stream>> streams;
  streams.reserve(settings.links);
  const auto listener = net.listen(
                               {"127.0.0.1", 0, ""}, [&] { return security; },
                               [&](auto accepted) {
                                 streams.push_back(std::move(accepted).value());
                                 streams.back()->set_handler(&counter);
                               })
                            .value();
  PhasePipe pipe(from_load, meter, *loop);
  Loop::Watch watch;
  (void)watch.start(*loop, from_load, EPOLLIN, pipe);
  meter.base_kib = resident_kib();
  meter.base_cpu = cpu_seconds();
  const uint16_t port = listener->endpoint().port;
  (void)!::write(port_to_parent, &port, sizeof port);
  loop->run();
  return meter.figures;
}

Figures bare_server(const Settings& settings, int port_to_parent, int from_load) {
  SSL_CTX* context = bare_context(settings.security);
  Meter meter;
  meter.links = settings.links;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener, 4096);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int epoll = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.u64 = 1;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, from_load, &event);
  meter.base_kib = resident_kib();
  meter.base_cpu = cpu_seconds();
  const uint16_t port = ntohs(address.sin_port);
  (void)!::write(port_to_parent, &port, sizeof port);
  std::array<epoll_event, 512> events{};
  std::array<char, 16384> buffer{};
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), 512, -1);
    for (int i = 0; i < count; ++i) {
      const uint64_t tag = events[static_cast<size_t>(i)].data.u64;
      if (tag == 0) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        SSL* ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        SSL_set_accept_state(ssl);
        event.data.ptr = ssl;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
      } else if (tag == 1) {
        char c = 0;
        if (::read(from_load, &c, 1) != 1) return meter.figures;
        meter.phase(c);
        if (c == 'e') return meter.figures;
      } else {
        SSL* ssl = static_cast<SSL*>(events[static_cast<size_t>(i)].data.ptr);
        const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
        if (got > 0) meter.messages += double(got) / kMessage;
      }
    }
  }
}

using ServerMain = Figures (*)(const Settings&, int, int);

/// Runs `server` and a load against it, each in a process of its own.
Figures measure(const Settings& settings, ServerMain server, bool paced) {
  int port_pipe[2];
  int load_pipe[2];
  int result_pipe[2];
  if (::pipe(port_pipe) != 0 || ::pipe(load_pipe) != 0 || ::pipe(result_pipe) != 0) std::abort();
  const pid_t server_pid = ::fork();
  if (server_pid == 0) {
    ::close(load_pipe[1]);
    const Figures figures = server(settings, port_pipe[1], load_pipe[0]);
    (void)!::write(result_pipe[1], &figures, sizeof figures);
    ::_exit(0);
  }
  const pid_t load_pid = ::fork();
  if (load_pid == 0) {
    uint16_t port = 0;
    if (::read(port_pipe[0], &port, sizeof port) == sizeof port) {
      load(settings, port, paced, load_pipe[1]);
    }
    ::_exit(0);
  }
  Figures figures;
  (void)!::read(result_pipe[0], &figures, sizeof figures);
  ::waitpid(server_pid, nullptr, 0);
  ::waitpid(load_pid, nullptr, 0);
  for (const auto& pipe : {port_pipe, load_pipe, result_pipe}) {
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  return figures;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.links = std::strtoul(argv[1], nullptr, 10);
  if (argc > 2) settings.seconds = std::atoi(argv[2]);
  settings.security = testing::TestCa().config();
  std::printf("%zu mTLS links, %zu-byte messages\n", settings.links, kMessage);
  std::printf("%-28s %12s %14s %14s %14s\n", "", "KiB/link", "ms/accept", "us/msg 1 Hz",
              "us/msg flood");
  for (const auto& [name, server] :
       {std::pair<const char*, ServerMain>{"bare epoll + OpenSSL", bare_server},
        {"drover net", real_server}}) {
    const Figures paced = measure(settings, server, true);
    const Figures flood = measure(settings, server, false);
    std::printf("%-28s %12.1f %14.3f %14.2f %14.2f\n", name, paced.link_kib, paced.accept_ms,
                paced.message_us, flood.message_us);
    std::fflush(stdout);
  }
  return 0;
}
