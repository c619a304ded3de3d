// Boot scripts and blobs over HTTP, for http_bench.py, which runs it beside nginx.
// usage: bench_http_boot serve FOLDER BLOB     as drover-boot does, 10,000 machines and the blobs
// of
//                                              FOLDER/images; prints the port, ends with its parent
//        bench_http_boot fetch PORT PATH N     N times the whole of PATH; MB/s of each, one a line
//        bench_http_boot ask PORT PATH N S     N connections ask for S seconds; answers per second;
//        MAC in
//                                              PATH is another machine's each time
#include "boot/image/blob_store.hpp"
#include "boot/io/http_boot_service.hpp"
#include "boot/io/loader_shelf.hpp"
#include "boot/site/site.hpp"
#include "boot_model.hpp"
#include "cluster/image.hpp"
#include "cluster/model.hpp"
#include "daemons/boot/boot_desk.hpp"
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

/// What drover-boot serves 10,000 machines by HTTP, with its desk, tokens, stages and logs; the
/// kernel of their image is `blob`. Masters are left out.
struct House {
  House(net::Loop& loop, const std::string& folder, const std::string& blob)
      : blobs(disk, random, folder + "/images"),
        stages(loop, [](const cluster::BootReport&) {}),
        logs(loop, disk, log, folder + "/logs", {}),
        desk({loop, random, stages, logs, {}, {}}) {
    auto changes = bench::model_changes(kMachines);
    cluster::Image image;
    image.name = "rocky9";
    image.current.arch = "x86_64";
    image.current.kernel = {blob, 300'000'000, "6.1.0-56"};
    image.current.initrds = {{std::string(64, 'b'), 3'000'000, "drover"}};
    image.current.digest = std::string(64, 'd');
    store::Change change;
    change.sequence = changes.size() + 1;
    change.kind = cluster::kImageKind;
    change.key = image.name;
    change.after = encode(image);
    changes.push_back(std::move(change));
    if (const Status taken = model.apply(changes); !taken) {
      std::fprintf(stderr, "%s\n", taken.error().text().c_str());
      std::exit(1);
    }
    boot::SiteOptions options;
    options.ca_sha256 = std::string(64, 'f');
    images = std::make_unique<boot::ModelImages>(model);
    site = std::make_unique<boot::Site>(model, *images, options);
    desk.serve(*site, model);
  }

  static constexpr uint32_t kMachines = 10'000;
  Quiet quiet;
  Log log{quiet, "bench"};
  os::RealDisk disk;
  os::RealRandom random;
  boot::image::BlobStore blobs;
  boot::LoaderShelf loaders;
  cluster::Model model;
  std::unique_ptr<boot::ModelImages> images;
  std::unique_ptr<boot::Site> site;
  daemons::StageBook stages;
  daemons::NodeLogs logs;
  daemons::BootDesk desk;
};

int serve(const std::string& folder, const std::string& blob) {
  auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  House house(*loop, folder, blob);
  boot::HttpBootConfig config;
  config.plain = {{"127.0.0.1", 0, ""}};
  config.connections_per_client = 20'000;
  boot::HttpBootService service(*loop, net, house.log, config, house.desk, house.blobs,
                                house.loaders);
  service.on_event([&](const boot::HttpBootEvent& event) { house.desk.on_http(event); });
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

/// "MAC" in the path is the hardware address of another machine each time.
int ask(uint16_t port, const std::string& path, size_t connections, int seconds) {
  std::vector<std::string> requests;
  const size_t place = path.find("MAC");
  for (uint32_t i = 0; i < (place == std::string::npos ? 1 : House::kMachines); ++i) {
    std::string one = path;
    if (place != std::string::npos) one.replace(place, 3, bench::mac_of(i).text());
    requests.push_back(request_for(one));
  }
  size_t next = 0;
  const auto send = [&](int fd) {
    const std::string& request = requests[next++ % requests.size()];
    return ::send(fd, request.data(), request.size(), 0) > 0;
  };
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
    if (!send(askers[i].fd)) return 1;
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
      if (!send(asker.fd)) return 1;
    }
  }
  std::printf("%.0f\n", static_cast<double>(answers) / (seconds_now() - begin));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "serve") return serve(words[1], words[2]);
  if (words.size() == 4 && words[0] == "fetch") {
    return fetch(static_cast<uint16_t>(std::stoi(words[1])), words[2], std::stoi(words[3]));
  }
  if (words.size() == 5 && words[0] == "ask") {
    return ask(static_cast<uint16_t>(std::stoi(words[1])), words[2],
               static_cast<size_t>(std::stoi(words[3])), std::stoi(words[4]));
  }
  std::fprintf(
      stderr, "usage: bench_http_boot serve FOLDER BLOB | fetch PORT PATH N | ask PORT PATH N S\n");
  return 2;
}
