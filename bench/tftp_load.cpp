// Clients that fetch one file by TFTP at the same time, over a link that is as slow as is wished:
//
//   bench_tftp_load SERVER FILE CLIENTS BLOCK WINDOW DELAY_US
//
// SERVER is an IPv4 address. Each client asks with blksize (RFC 2348), tsize (2349) and, when
// WINDOW is more than 1, windowsize (7440), and goes by what it is granted. What a client says
// leaves DELAY_US late, which is what a link with that round trip does to it; the kernels that this
// runs on have no netem. Answers that do not come within 250 ms are asked for again, and counted.
// Every byte is compared with the first client's. Prints one line.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::milliseconds(250);
constexpr auto kLongest = std::chrono::seconds(120);
constexpr uint16_t kPort = 69;
enum Opcode : uint16_t { kRequest = 1, kData = 3, kAck = 4, kError = 5, kOptions = 6 };

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_tftp_load: %s\n", why.c_str());
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::string u16(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

struct Wanted {
  sockaddr_in server{};
  std::string file;
  size_t block = 512;
  size_t window = 1;
  Clock::duration delay{};
};

struct Client {
  int fd = -1;
  sockaddr_in peer{};  ///< the request's, then the transfer's own port
  std::string said;    ///< last, to be said again
  std::string bytes;
  size_t block = 512;
  size_t window = 1;
  uint64_t next = 0;   ///< block that is expected; 0: the answer to the request
  size_t unacked = 0;  ///< blocks of this window
  bool done = false;
  Clock::time_point heard;
};

class Load {
 public:
  Load(Wanted wanted, size_t clients) : wanted_(std::move(wanted)), clients_(clients) {
    for (Client& it : clients_) {
      it.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const int room = 1 << 20;
      ::setsockopt(it.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
      if (it.fd < 0) give_up("no socket");
      polled_.push_back({it.fd, POLLIN, 0});
    }
  }

  void run() {
    const auto began = Clock::now();
    for (Client& it : clients_) ask(it);
    while (left_ > 0 && Clock::now() - began < kLongest) turn();
    if (left_ > 0) give_up("not done in two minutes");
    const double took = std::chrono::duration<double>(Clock::now() - began).count();
    const Client& first = clients_.front();
    for (const Client& it : clients_) {
      if (it.bytes != first.bytes) give_up("two clients got different files");
    }
    const double mib = static_cast<double>(clients_.size() * first.bytes.size()) / (1 << 20);
    std::printf(
        "%.2f MiB/s, %.2f MiB in %.2f s, blocks of %zu, window %zu, %lu asked again, generator CPU "
        "%.2f s\n",
        mib / took, mib, took, first.block, first.window, again_, cpu_seconds());
  }

 private:
  struct Late {
    Clock::time_point due;
    size_t client;
    std::string bytes;
  };

  void ask(Client& it) {
    it.peer = wanted_.server;
    std::string text = u16(kRequest) + wanted_.file + '\0' + "octet" + '\0';
    const auto option = [&](std::string_view name, size_t value) {
      text.append(name).append(1, '\0').append(std::to_string(value)).append(1, '\0');
    };
    option("tsize", 0);
    option("blksize", wanted_.block);
    if (wanted_.window > 1) option("windowsize", wanted_.window);
    say(it, std::move(text));
  }

  void say(Client& it, std::string text) {
    it.said = std::move(text);
    it.heard = Clock::now();
    const size_t index = static_cast<size_t>(&it - clients_.data());
    if (wanted_.delay == Clock::duration::zero()) return send(index, it.said);
    late_.push_back({it.heard + wanted_.delay, index, it.said});
  }

  void send(size_t index, const std::string& bytes) {
    const Client& it = clients_[index];
    ::sendto(it.fd, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&it.peer),
             sizeof it.peer);
  }

  void turn() {
    auto now = Clock::now();
    while (!late_.empty() && late_.front().due <= now) {
      send(late_.front().client, late_.front().bytes);
      late_.pop_front();
    }
    auto wait = Clock::duration(kPatience);
    if (!late_.empty()) wait = std::min(wait, late_.front().due - now);
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
    const timespec limit{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    ::ppoll(polled_.data(), polled_.size(), &limit, nullptr);
    for (size_t i = 0; i < clients_.size(); ++i) {
      if ((polled_[i].revents & POLLIN) != 0) hear(clients_[i]);
    }
    now = Clock::now();
    for (Client& it : clients_) {
      if (it.done || now - it.heard < kPatience) continue;
      ++again_;
      it.unacked = 0;
      if (it.next == 0) {
        ask(it);
      } else {
        say(it, u16(kAck) + u16((it.next - 1) & 0xffff));
      }
    }
  }

  void hear(Client& it) {
    std::array<char, 65536> space;
    sockaddr_in from{};
    while (!it.done) {
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(it.fd, space.data(), space.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 4) return;
      take(it, {space.data(), static_cast<size_t>(got)}, from);
    }
  }

  void take(Client& it, std::string_view packet, const sockaddr_in& from) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(packet[i]); };
    const auto kind = static_cast<uint16_t>(at(0) << 8 | at(1));
    if (kind == kError) give_up("the server says: " + std::string(packet.substr(4)));
    if (it.next == 0) {
      it.peer = from;
      if (kind == kOptions) {
        read_options(it, packet.substr(2));
        it.next = 1;
        return say(it, u16(kAck) + u16(0));
      }
      it.next = 1;
    }
    if (kind != kData || from.sin_port != it.peer.sin_port) return;
    const auto number = static_cast<uint16_t>(at(2) << 8 | at(3));
    if (number != (it.next & 0xffff)) return;  // again, or one is missing: patience mends it
    const std::string_view data = packet.substr(4);
    it.bytes += data;
    ++it.next;
    it.heard = Clock::now();
    const bool last = data.size() < it.block;
    if (++it.unacked < it.window && !last) return;
    it.unacked = 0;
    if (last) {
      it.done = true;
      --left_;
    }
    say(it, u16(kAck) + u16(number));
  }

  static void read_options(Client& it, std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\0'), text.size());
      words.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (size_t i = 0; i + 1 < words.size(); i += 2) {
      if (words[i] == "blksize") it.block = std::stoul(words[i + 1]);
      if (words[i] == "windowsize") it.window = std::stoul(words[i + 1]);
    }
  }

  Wanted wanted_;
  std::vector<Client> clients_;
  std::vector<pollfd> polled_;
  std::deque<Late> late_;  ///< all are delayed alike, so they leave in order
  size_t left_ = clients_.size();
  unsigned long again_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() != 6) give_up("usage: bench_tftp_load SERVER FILE CLIENTS BLOCK WINDOW DELAY_US");
  Wanted wanted;
  wanted.server.sin_family = AF_INET;
  wanted.server.sin_port = htons(kPort);
  if (::inet_pton(AF_INET, args[0].c_str(), &wanted.server.sin_addr) != 1) {
    give_up("SERVER must be an IPv4 address");
  }
  wanted.file = args[1];
  wanted.block = std::stoul(args[3]);
  wanted.window = std::stoul(args[4]);
  wanted.delay = std::chrono::microseconds(std::stoul(args[5]));
  Load load(std::move(wanted), std::clamp(std::stoul(args[2]), 1UL, 1000UL));
  load.run();
}
