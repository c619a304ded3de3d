// A load of four-way DHCP exchanges, as a relay sends them:
//
//   bench_dhcp_load SERVER OWN CLIENTS SECONDS OUTSTANDING [RATE]
//
// OWN is this host's address that the relay has; CLIENTS machines with the hardware addresses
// 02:00:xx:xx:xx:xx ask in turn. At most OUTSTANDING exchanges are under way; with RATE, so many
// begin a second, else the next begins as soon as one ends. One that is not over after a second is
// lost. With SERVER "reflect" a peer in this very process answers each packet from a template: what
// the generator can do at most.
#include "boot/dhcp/packet.hpp"
#include "net/datagram.hpp"
#include "net/real_net.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>

namespace {

using namespace drover;              // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dhcp;  // NOLINT(google-build-using-namespace): one program
using boot::HardwareAddress;
using boot::Ipv4;

constexpr Duration kLost = std::chrono::seconds(1);

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// Answers every packet with itself, as an OFFER or an ACK: a server without any logic.
class Reflector final : public net::DatagramHandler {
 public:
  Reflector(net::Net& net, const net::InetAddress& at) {
    net::DatagramOptions options;
    options.at = at;
    options.receive_buffer = options.send_buffer = size_t{8} << 20;
    socket_ = net.open_datagrams(options, *this).value();
  }
  [[nodiscard]] net::InetAddress bound() const { return socket_->bound(); }
  void on_datagrams(std::span<const net::Datagram> batch) override {
    out_.clear();
    for (size_t i = 0; i < batch.size(); ++i) {
      const size_t size = std::min(batch[i].bytes.size(), space_[i].size());
      std::memcpy(space_[i].data(), batch[i].bytes.data(), size);
      space_[i][0] = 2;
      const char asked = space_[i][kHeaderSize + 2];
      space_[i][kHeaderSize + 2] = asked == 1 ? 2 : 5;
      out_.push_back({.head = {space_[i].data(), size}, .to = batch[i].from});
    }
    socket_->send(out_);
  }

 private:
  std::unique_ptr<net::DatagramSocket> socket_;
  std::array<std::array<char, kMaxMessage>, net::kDatagramBatch> space_{};
  std::vector<net::OutgoingDatagram> out_;
};

class Load final : public net::DatagramHandler {
 public:
  Load(net::Loop& loop, net::Net& net, net::InetAddress server, net::InetAddress own,
       uint32_t clients, size_t outstanding, double rate)
      : loop_(loop),
        server_(server),
        own_(own),
        clients_(clients),
        slots_(outstanding),
        rate_(rate) {
    net::DatagramOptions options;
    options.at = own;
    options.receive_buffer = options.send_buffer = size_t{8} << 20;
    auto made = net.open_datagrams(options, *this);
    if (!made) {
      fmt::print(stderr, "bench_dhcp_load: {}\n", made.error().text());
      std::exit(1);
    }
    socket_ = *std::move(made);
    for (size_t i = 0; i < slots_.size(); ++i) free_.push_back(i);
    space_.resize(slots_.size());
  }

  void run(Duration length) {
    began_ = loop_.now();
    end_ = began_ + length;
    tick();
    loop_.run_until([this] { return loop_.now() >= end_ && free_.size() == slots_.size(); },
                    length + std::chrono::seconds(3));
  }

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
        "ms, "
        "load CPU {:.2f} us each\n",
        static_cast<double>(done_) / seconds, done_, lost_,
        begun > 0 ? 100.0 * static_cast<double>(lost_) / static_cast<double>(begun) : 0.0, refused_,
        at(0.5), at(0.99), done_ > 0 ? cpu * 1e6 / static_cast<double>(done_) : 0.0);
  }

 private:
  struct Slot {
    uint32_t xid = 0;
    MonoTime began{};
    uint32_t client = 0;
  };

  void tick() {
    timer_.after(loop_, std::chrono::milliseconds(1), [this] { tick(); });
    const MonoTime now = loop_.now();
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].xid == 0 || now - slots_[i].began < kLost) continue;
      ++lost_;
      finish(i);
    }
    fill();
  }

  /// Begins as many exchanges as the rate and the outstanding ones leave room for.
  void fill() {
    const MonoTime now = loop_.now();
    while (!free_.empty() && now < end_) {
      if (rate_ > 0 && static_cast<double>(begun_) >
                           rate_ * std::chrono::duration<double>(now - began_).count()) {
        break;
      }
      const size_t i = free_.back();
      free_.pop_back();
      slots_[i] = {static_cast<uint32_t>(++begun_ << 12 | i | 0x80000000), now,
                   next_client_++ % clients_};
      send(i, MessageType::discover, {}, {});
    }
    flush();
  }

  void finish(size_t i) {
    slots_[i].xid = 0;
    free_.push_back(i);
  }

  void send(size_t i, MessageType type, Ipv4 wanted, Ipv4 server) {
    Header header;
    header.op = 1;
    header.hops = 1;
    header.xid = slots_[i].xid;
    header.giaddr = {own_.v4_value()};
    header.hardware.length = 6;
    const uint32_t client = slots_[i].client;
    header.hardware.octets = {2,
                              0,
                              static_cast<uint8_t>(client >> 24),
                              static_cast<uint8_t>(client >> 16),
                              static_cast<uint8_t>(client >> 8),
                              static_cast<uint8_t>(client)};
    PacketWriter out(header, space_[i], space_[i].size());
    out.option(kMessageType, std::string_view(reinterpret_cast<const char*>(&type), 1));
    const auto address = [&](uint8_t code, Ipv4 value) {
      const std::array<char, 4> bytes = {
          static_cast<char>(value.value >> 24), static_cast<char>(value.value >> 16),
          static_cast<char>(value.value >> 8), static_cast<char>(value.value)};
      out.option(code, {bytes.data(), bytes.size()});
    };
    if (type == MessageType::request) {
      address(kRequestedAddress, wanted);
      address(kServerId, server);
    }
    const size_t size = out.finish();
    batch_.push_back({.head = {space_[i].data(), size}, .to = server_});
    if (batch_.size() == net::kDatagramBatch) flush();
  }
  void flush() {
    if (!batch_.empty()) socket_->send(batch_);
    batch_.clear();
  }

  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) take(it.bytes);
    last_ = loop_.now();
    fill();
  }
  void take(std::string_view bytes) {
    std::array<char, kMaxMessage> join{};
    const auto view = PacketView::parse(bytes, join);
    if (!view) return;
    const size_t i = view->xid() & 0xfff;
    if (i >= slots_.size() || slots_[i].xid != view->xid()) return;
    const auto type = static_cast<MessageType>(view->option_u8(kMessageType).value_or(0));
    if (type == MessageType::offer) {
      return send(i, MessageType::request, view->yiaddr(),
                  view->option_address(kServerId).value_or(Ipv4{}));
    }
    if (type == MessageType::nak) {
      ++refused_;
    } else {
      ++done_;
      times_.push_back(loop_.now() - slots_[i].began);
    }
    finish(i);
  }

  net::Loop& loop_;
  net::InetAddress server_;
  net::InetAddress own_;
  uint32_t clients_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  std::vector<std::array<char, kMaxMessage>> space_;
  std::vector<net::OutgoingDatagram> batch_;
  double rate_;
  std::unique_ptr<net::DatagramSocket> socket_;
  Timer timer_;
  MonoTime began_{};
  MonoTime end_{};
  MonoTime last_{};
  uint64_t begun_ = 0;
  uint32_t next_client_ = 0;
  uint64_t done_ = 0;
  uint64_t lost_ = 0;
  uint64_t refused_ = 0;
  std::vector<Duration> times_;
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
  const auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  const auto own = net::InetAddress::parse(args[1]);
  const bool reflect = args[0] == "reflect";
  auto server = net::InetAddress::parse(reflect ? "127.0.0.1" : args[0]);
  if (!own || !server) {
    fmt::print(stderr, "bench_dhcp_load: addresses must be numbers\n");
    return 2;
  }
  const size_t outstanding = std::clamp(std::stoul(args[4]), 1UL, 4096UL);
  std::unique_ptr<Reflector> reflector;
  if (reflect) reflector = std::make_unique<Reflector>(net, net::InetAddress::v4(0x7f000001));
  // Replies to a relay go to its port 67, whatever port it asked from.
  Load load(*loop, net, reflect ? reflector->bound() : server->with_port(kServerPort),
            own->with_port(reflect ? uint16_t{0} : kServerPort),
            static_cast<uint32_t>(std::stoul(args[2])), outstanding,
            args.size() > 5 ? std::stod(args[5]) : 0);
  const double before = cpu_seconds();
  load.run(std::chrono::seconds(std::stol(args[3])));
  load.report(cpu_seconds() - before);
  return 0;
}
