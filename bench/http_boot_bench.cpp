// Boot scripts and blobs over HTTP, for http_bench.py, which runs it beside nginx.
// usage: bench_http_boot serve FOLDER          serves its blobs; prints the port, ends with its
// parent
//        bench_http_boot fetch PORT PATH N     N times the whole of PATH; MB/s of each, one a line
//        bench_http_boot ask PORT PATH N S     N connections ask for S seconds; answers per second
#include "boot/image/blob_store.hpp"
#include "boot/io/http_boot_service.hpp"
#include "boot/io/loader_shelf.hpp"
#include "net/real_net.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace drover;
using namespace std::chrono_literals;

struct Quiet final : LogSink {
  void write(const LogRecord&) override {}
};

/// Gives every machine a script of the usual length, and every blob to everybody.
struct OpenHouse final : boot::BootHandler {
  Result<boot::ServedScript> script(const boot::ScriptQuery& query) override {
    return boot::ServedScript{
        fmt::format("#!ipxe\nset base http://{}/boot/blobs\nkernel ${{base}}/{:064} drover.node={} "
                    "drover.mode=lean drover.boot=10.77.0.1:8443 drover.token={:032} "
                    "drover.ca={:064} drover.ip=10.77.0.11/24\ninitrd ${{base}}/{:064}\nboot\n",
                    query.host, 1, query.mac, 2, 3, 4),
        "n1"};
  }
  Result<boot::BootClaim> check(std::string_view, const std::string&) override {
    return fail(Code::unauthenticated, "nobody");
  }
  Status may_have(const std::string&, std::string_view, const std::string&) override { return {}; }
  Status stage(const boot::BootClaim&, const boot::StageReport&) override { return {}; }
  Status log(const boot::BootClaim&, std::string_view) override { return {}; }
  void enrol(const boot::BootClaim&, std::string_view, auth::EnrolRequest,
             Callback<void(Result<auth::EnrolAnswer>)> reply) override {
    reply(fail(Code::denied, "nobody"));
  }
};

int serve(const std::string& folder) {
  auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  os::RealDisk disk;
  os::RealRandom random;
  boot::image::BlobStore blobs(disk, random, folder);
  boot::LoaderShelf loaders;
  OpenHouse house;
  Quiet quiet;
  boot::HttpBootConfig config;
  config.plain = {{"127.0.0.1", 0, ""}};
  config.connections_per_client = 20'000;
  boot::HttpBootService service(*loop, net, Log(quiet, "bench"), config, house, blobs, loaders);
  if (const Status started = service.start([] { return nullptr; }); !started) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  std::printf("%u\n", unsigned{service.plain().at(0).port});
  std::fflush(stdout);
  Timer look;
  Callback<void()> orphaned;
  const pid_t parent = ::getppid();
  orphaned = [&] {
    if (::getppid() != parent) return loop->stop();
    look.after(*loop, 200ms, [&] { orphaned(); });
  };
  orphaned();
  loop->run();
  return 0;
}

int dial(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

double seconds_now() {
  timespec now{};
  ::timespec_get(&now, TIME_UTC);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string request_for(std::string_view path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
}

uint64_t length_in(std::string_view head) {
  const size_t at = head.find("Content-Length: ");
  uint64_t length = 0;
  if (at == std::string_view::npos || !head.starts_with("HTTP/1.1 200")) {
    std::fprintf(stderr, "no good answer: %.*s\n", 200, std::string(head).c_str());
    std::exit(1);
  }
  const std::string_view digits = head.substr(at + 16);
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return length;
}

int fetch(uint16_t port, std::string_view path, int rounds) {
  const int fd = dial(port);
  std::string buffer(size_t{1} << 20, '\0');
  for (int round = 0; round < rounds; ++round) {
    const double begin = seconds_now();
    const std::string request = request_for(path);
    if (::send(fd, request.data(), request.size(), 0) < 0) return 1;
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(fd, buffer.data(), 4096, 0);
      if (got <= 0) return 1;
      head.append(buffer.data(), static_cast<size_t>(got));
    }
    const uint64_t length = length_in(head);
    uint64_t left = length - (head.size() - head.find("\r\n\r\n") - 4);
    while (left > 0) {
      // The bytes are dropped in the kernel: what is measured is the sender.
      const ssize_t got =
          ::recv(fd, buffer.data(), std::min<uint64_t>(left, buffer.size()), MSG_TRUNC);
      if (got <= 0) return 1;
      left -= static_cast<uint64_t>(got);
    }
    std::printf("%.1f\n", static_cast<double>(length) / 1e6 / (seconds_now() - begin));
  }
  return 0;
}

int ask(uint16_t port, std::string_view path, size_t connections, int seconds) {
  const std::string request = request_for(path);
  struct Asker {
    int fd = -1;
    std::string in;
  };
  std::vector<Asker> askers(connections);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (size_t i = 0; i < connections; ++i) {
    askers[i].fd = dial(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, askers[i].fd, &event);
    if (::send(askers[i].fd, request.data(), request.size(), 0) < 0) return 1;
  }
  uint64_t answers = 0;
  std::array<char, 16384> buffer{};
  std::array<epoll_event, 256> events{};
  const double begin = seconds_now();
  while (seconds_now() < begin + seconds) {
    const int ready = ::epoll_wait(poll, events.data(), events.size(), 100);
    for (int i = 0; i < ready; ++i) {
      Asker& asker = askers[events.at(static_cast<size_t>(i)).data.u64];
      const ssize_t got = ::recv(asker.fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return 1;
      asker.in.append(buffer.data(), static_cast<size_t>(got));
      const size_t body = asker.in.find("\r\n\r\n");
      if (body == std::string::npos || asker.in.size() < body + 4 + length_in(asker.in)) continue;
      asker.in.clear();
      ++answers;
      if (::send(asker.fd, request.data(), request.size(), 0) < 0) return 1;
    }
  }
  std::printf("%.0f\n", static_cast<double>(answers) / (seconds_now() - begin));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "serve") return serve(words[1]);
  if (words.size() == 4 && words[0] == "fetch") {
    return fetch(static_cast<uint16_t>(std::stoi(words[1])), words[2], std::stoi(words[3]));
  }
  if (words.size() == 5 && words[0] == "ask") {
    return ask(static_cast<uint16_t>(std::stoi(words[1])), words[2],
               static_cast<size_t>(std::stoi(words[3])), std::stoi(words[4]));
  }
  std::fprintf(stderr,
               "usage: bench_http_boot serve FOLDER | fetch PORT PATH N | ask PORT PATH N S\n");
  return 2;
}
