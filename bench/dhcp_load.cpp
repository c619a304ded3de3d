// A load of four-way DHCP exchanges, as a relay sends them:
//
//   bench_dhcp_load SERVER OWN CLIENTS SECONDS OUTSTANDING [RATE]
//
// OWN is this host's address that the relay has; CLIENTS machines with the hardware addresses
// 02:00:xx:xx:xx:xx ask in turn. At most OUTSTANDING exchanges are under way; with RATE, so many
// begin a second, else the next begins as soon as one ends. One that is not over after a second is
// lost. With SERVER "reflect" a thread of this very process answers each packet with itself: what
// the generator can do at most beside a server without any logic.
//
// Server and load share a machine, so the load must cost little: packets are copies of two
// templates, many leave by one call (UDP_SEGMENT: the kernel takes them apart behind the link, so
// the server gets each by itself as ever), many come in by one, and of an answer it reads what the
// next packet needs.
#include "boot/dhcp/packet.hpp"
#include "net/datagram.hpp"
#include "net/fd.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace {

using namespace drover;              // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dhcp;  // NOLINT(google-build-using-namespace): one program
using boot::Ipv4;
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr auto kLost = std::chrono::seconds(1);
constexpr auto kLook = std::chrono::milliseconds(10);
constexpr size_t kBatch = 64;  // UDP_MAX_SEGMENTS of Linux, too
constexpr size_t kXid = 4;     // RFC 2131 section 2: where the fields of a message are
constexpr size_t kYiaddr = 16;
constexpr size_t kChaddr = 28;
constexpr uint8_t kPad = 0;
constexpr uint8_t kEnd = 255;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_dhcp_load: {}\n", why);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

sockaddr_in socket_address(const net::InetAddress& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  out.sin_addr.s_addr = htonl(address.v4_value());
  return out;
}

/// A UDP socket at `own`, with room for what a burst brings.
net::UniqueFd open_socket(const net::InetAddress& own) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int room = 8 << 20;
  for (const auto& [forced, asked] :
       {std::pair(SO_RCVBUFFORCE, SO_RCVBUF), std::pair(SO_SNDBUFFORCE, SO_SNDBUF)}) {
    if (::setsockopt(fd.get(), SOL_SOCKET, forced, &room, sizeof room) != 0) {
      ::setsockopt(fd.get(), SOL_SOCKET, asked, &room, sizeof room);
    }
  }
  const sockaddr_in at = socket_address(own);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    give_up(fmt::format("binding {}: {}", own.text(), std::strerror(errno)));
  }
  return fd;
}

net::InetAddress bound_address(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return net::InetAddress::v4(ntohl(at.sin_addr.s_addr), ntohs(at.sin_port));
}

void connect_to(int fd, const net::InetAddress& server) {
  const sockaddr_in to = socket_address(server);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return;
  give_up(fmt::format("connecting to {}: {}", server.text(), std::strerror(errno)));
}

/// Many packets in by one call.
class Inbox {
 public:
  Inbox() {
    for (size_t i = 0; i < kBatch; ++i) {
      pieces_[i] = {bytes_[i].data(), bytes_[i].size()};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  size_t take(int fd) {
    const int got = ::recvmmsg(fd, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    return got < 0 ? 0 : static_cast<size_t>(got);
  }
  [[nodiscard]] std::string_view at(size_t i) const {
    return {bytes_[i].data(), messages_[i].msg_len};
  }

 private:
  std::array<std::array<char, kMaxMessage>, kBatch> bytes_{};
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

/// Many packets of one size out by one call; the socket is connected.
class Outbox {
 public:
  Outbox(int fd, size_t packet) : fd_(fd), packet_(packet), bytes_(kBatch * packet) {}

  /// Where the next packet is written.
  char* next() {
    if (count_ == kBatch) flush();
    return bytes_.data() + packet_ * count_++;
  }
  void flush() {
    if (count_ == 0) return;
    iovec all{bytes_.data(), packet_ * count_};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(uint16_t))> control{};
    msghdr message{};
    message.msg_iov = &all;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = reinterpret_cast<cmsghdr*>(control.data());
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto each = static_cast<uint16_t>(packet_);
    std::memcpy(CMSG_DATA(header), &each, sizeof each);
    if (::sendmsg(fd_, &message, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED) {
      give_up(fmt::format("sending: {}", std::strerror(errno)));
    }
    count_ = 0;
  }

 private:
  int fd_;
  size_t packet_;
  std::vector<char> bytes_;
  size_t count_ = 0;
};

/// A client's message, to be copied; the numbers that differ are written over.
struct Template {
  std::string bytes;
  size_t wanted = 0;  ///< where the value of the option stands; 0: it has none
  size_t server = 0;

  Template(MessageType type, const net::InetAddress& own) {
    Header header;
    header.op = 1;
    header.hops = 1;
    header.giaddr = {own.v4_value()};
    header.hardware.length = 6;
    header.hardware.octets = {2};
    std::array<char, kMaxMessage> space{};
    PacketWriter out(header, space, space.size());
    out.option(kMessageType, std::string_view(reinterpret_cast<const char*>(&type), 1));
    if (type == MessageType::request) {
      out.option(kRequestedAddress, std::string_view("\0\0\0\0", 4));
      out.option(kServerId, std::string_view("\0\0\0\0", 4));
      wanted = kHeaderSize + 3 + 2;
      server = wanted + 4 + 2;
    }
    bytes.assign(space.data(), out.finish());
  }
};

/// What the next packet needs of an answer.
struct Answer {
  uint32_t xid = 0;
  uint8_t type = 0;
  const char* yiaddr = nullptr;
  const char* server = nullptr;

  explicit Answer(std::string_view packet) {
    if (packet.size() <= kHeaderSize || packet[0] != 2) return;
    std::memcpy(&xid, packet.data() + kXid, sizeof xid);
    xid = ntohl(xid);
    yiaddr = packet.data() + kYiaddr;
    for (size_t at = kHeaderSize; at + 2 < packet.size() && !(type != 0 && server != nullptr);) {
      const auto code = static_cast<uint8_t>(packet[at]);
      if (code == kEnd) return;
      if (code == kPad) {
        ++at;
        continue;
      }
      const auto size = static_cast<uint8_t>(packet[at + 1]);
      if (at + 2 + size > packet.size()) return;
      if (code == kMessageType && size == 1) type = static_cast<uint8_t>(packet[at + 2]);
      if (code == kServerId && size == 4) server = packet.data() + at + 2;
      at += 2U + size;
    }
  }
};

/// Answers every packet with itself, as an OFFER or an ACK: a server without any logic.
class Reflector {
 public:
  Reflector() : fd_(open_socket(net::InetAddress::v4(INADDR_LOOPBACK))) {}
  ~Reflector() {
    over_ = true;
    thread_.join();
  }
  [[nodiscard]] net::InetAddress bound() const { return bound_address(fd_.get()); }
  /// For one load, whose packets are `size` bytes each.
  void serve(const net::InetAddress& load, size_t size) {
    connect_to(fd_.get(), load);
    thread_ = std::thread([this, size] { run(size); });
  }

 private:
  void run(size_t size) {
    Outbox out(fd_.get(), size);
    auto in = std::make_unique<Inbox>();
    while (!over_) {
      const size_t count = in->take(fd_.get());
      for (size_t i = 0; i < count; ++i) {
        char* reply = out.next();
        std::memcpy(reply, in->at(i).data(), std::min(in->at(i).size(), size));
        reply[0] = 2;
        const char asked = reply[kHeaderSize + 2];
        // Where an ACK has its server's address an OFFER needs one, too.
        if (asked == 1) std::memcpy(reply + kHeaderSize + 3, "\x36\4\x7f\0\0\1", 6);
        reply[kHeaderSize + 2] = asked == 1 ? 2 : 5;
      }
      out.flush();
      pollfd waits{fd_.get(), POLLIN, 0};
      if (count == 0) ::poll(&waits, 1, 10);
    }
  }

  net::UniqueFd fd_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

class Load {
 public:
  Load(int fd, const net::InetAddress& own, uint32_t clients, size_t outstanding, double rate)
      : fd_(fd),
        discover_(MessageType::discover, own),
        request_(MessageType::request, own),
        clients_(clients),
        slots_(outstanding),
        rate_(rate),
        discovers_(fd, discover_.bytes.size()),
        requests_(fd, request_.bytes.size()) {
    for (size_t i = 0; i < slots_.size(); ++i) free_.push_back(i);
    times_.reserve(1 << 20);
  }

  void run(Clock::duration length) {
    began_ = now_ = looked_ = Clock::now();
    end_ = began_ + length;
    const auto inbox = std::make_unique<Inbox>();
    while (now_ < end_ || (free_.size() < slots_.size() && now_ < end_ + 3 * kLost)) {
      const size_t count = inbox->take(fd_);
      now_ = Clock::now();
      for (size_t i = 0; i < count; ++i) take(Answer(inbox->at(i)));
      if (count > 0) last_ = now_;
      if (now_ - looked_ >= kLook) give_up_old();
      fill();
      requests_.flush();
      discovers_.flush();
      pollfd waits{fd_, POLLIN, 0};
      if (count < kBatch) ::poll(&waits, 1, 1);
    }
  }

  [[nodiscard]] size_t packet_size() const { return request_.bytes.size(); }

  void report(double cpu) {
    const double seconds = std::chrono::duration<double>(std::min(last_, end_) - began_).count();
    const uint64_t begun = done_ + lost_;
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double part) {
      if (times_.empty()) return 0.0;
      const auto i = static_cast<size_t>(part * static_cast<double>(times_.size() - 1));
      return std::chrono::duration<double, std::milli>(times_[i]).count();
    };
    fmt::print(
        "{:.0f} exchanges/s, {} done, {} lost ({:.3f} %), {} refused, p50 {:.2f} ms, p99 {:.2f} "
        "ms, load CPU {:.2f} us each\n",
        static_cast<double>(done_) / seconds, done_, lost_,
        begun > 0 ? 100.0 * static_cast<double>(lost_) / static_cast<double>(begun) : 0.0, refused_,
        at(0.5), at(0.99), done_ > 0 ? cpu * 1e6 / static_cast<double>(done_) : 0.0);
  }

 private:
  struct Slot {
    uint32_t xid = 0;  ///< 0: no exchange
    uint32_t client = 0;
    Time began{};
  };

  void give_up_old() {
    looked_ = now_;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].xid == 0 || now_ - slots_[i].began < kLost) continue;
      ++lost_;
      finish(i);
    }
  }

  /// Begins as many exchanges as the rate and the outstanding ones leave room for.
  void fill() {
    const double due = rate_ * std::chrono::duration<double>(now_ - began_).count();
    while (!free_.empty() && now_ < end_) {
      if (rate_ > 0 && static_cast<double>(begun_) > due) return;
      const size_t i = free_.back();
      free_.pop_back();
      slots_[i] = {static_cast<uint32_t>(++begun_ << 12 | i | 0x80000000),
                   next_client_++ % clients_, now_};
      write(discovers_.next(), discover_, slots_[i]);
    }
  }

  void finish(size_t i) {
    slots_[i].xid = 0;
    free_.push_back(i);
  }

  static void write(char* to, const Template& what, const Slot& slot) {
    std::memcpy(to, what.bytes.data(), what.bytes.size());
    const uint32_t xid = htonl(slot.xid);
    const uint32_t client = htonl(slot.client);
    std::memcpy(to + kXid, &xid, sizeof xid);
    std::memcpy(to + kChaddr + 2, &client, sizeof client);
  }

  void take(const Answer& answer) {
    const size_t i = answer.xid & 0xfff;
    if (answer.xid == 0 || i >= slots_.size() || slots_[i].xid != answer.xid) return;
    const auto type = static_cast<MessageType>(answer.type);
    if (type == MessageType::offer && answer.server != nullptr) {
      char* out = requests_.next();
      write(out, request_, slots_[i]);
      std::memcpy(out + request_.wanted, answer.yiaddr, 4);
      std::memcpy(out + request_.server, answer.server, 4);
      return;
    }
    if (type == MessageType::ack) {
      ++done_;
      times_.push_back(now_ - slots_[i].began);
    } else {
      ++refused_;
    }
    finish(i);
  }

  int fd_;
  Template discover_;
  Template request_;
  uint32_t clients_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  double rate_;
  Outbox discovers_;
  Outbox requests_;
  Time began_{};
  Time end_{};
  Time now_{};
  Time last_{};
  Time looked_{};
  uint64_t begun_ = 0;
  uint32_t next_client_ = 0;
  uint64_t done_ = 0;
  uint64_t lost_ = 0;
  uint64_t refused_ = 0;
  std::vector<Clock::duration> times_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 5) {
    fmt::print(stderr,
               "usage: bench_dhcp_load SERVER|reflect OWN CLIENTS SECONDS OUTSTANDING "
               "[RATE]\n");
    return 2;
  }
  const auto own = net::InetAddress::parse(args[1]);
  const bool reflect = args[0] == "reflect";
  const auto server = net::InetAddress::parse(reflect ? "127.0.0.1" : args[0]);
  if (!own || !server || !own->is_v4() || !server->is_v4()) give_up("addresses must be numbers");
  const size_t outstanding = std::clamp(std::stoul(args[4]), 1UL, 4096UL);
  const auto clients = static_cast<uint32_t>(std::max(std::stoul(args[2]), 1UL));
  std::unique_ptr<Reflector> reflector;
  if (reflect) reflector = std::make_unique<Reflector>();
  // Replies to a relay go to its port 67, whatever port it asked from.
  const net::UniqueFd fd = open_socket(own->with_port(reflect ? uint16_t{0} : kServerPort));
  connect_to(fd.get(), reflect ? reflector->bound() : server->with_port(kServerPort));
  Load load(fd.get(), *own, clients, outstanding, args.size() > 5 ? std::stod(args[5]) : 0);
  if (reflect) reflector->serve(bound_address(fd.get()), load.packet_size());
  const double before = cpu_seconds();
  load.run(std::chrono::seconds(std::stol(args[3])));
  load.report(cpu_seconds() - before);
  return 0;
}
