// A storm of machines that boot: each goes the whole way that a real one goes, but for the bulk of
// its files.
//
//   bench_boot_storm SERVER OWN MACHINES AT_ONCE
//
// The machines 02:00:xx:xx:xx:xx are known to the cluster; OWN is this host's address, their relay.
// Each asks for an address twice, as its firmware and as iPXE (eight packets), asks for the size of
// its loader by TFTP, fetches its script by HTTP on a connection of its own, asks for its kernel's
// size there, tells by TLS that it has begun and has its certificate signed. Everything but DHCP
// comes from the machine's own address, so each has drover-boot's limits to itself. At most AT_ONCE
// are on their way at a time. Whatever is not answered within a second is asked again, and counted.
//
// The signing requests are made before the clock starts: every machine has a processor of its own
// to do that on. The TLS of all machines is done here, while it runs.
#include "auth/keys.hpp"
#include "bench/lean_crypto.hpp"
#include "boot/dhcp/packet.hpp"
#include "net/datagram.hpp"
#include "net/http/http_session.hpp"
#include "net/real_net.hpp"
#include "nodeboot/boot_client.hpp"
#include "nodeboot/command_line.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>

namespace {

using namespace drover;              // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dhcp;  // NOLINT(google-build-using-namespace): one program
using boot::Ipv4;

constexpr Duration kPatience = std::chrono::seconds(1);
constexpr uint16_t kTftp = 69;
constexpr uint16_t kPlain = 8080;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_boot_storm: {}\n", why);
  std::exit(1);
}

/// The network as a machine at an address of its own has it.
class OwnNet final : public net::Net {
 public:
  OwnNet(net::RealNet& real, Ipv4 address)
      : real_(real), own_(net::InetAddress::v4(address.value)) {}

  Result<std::shared_ptr<net::Security>> make_security(const net::SecurityConfig& config) override {
    return real_.make_security(config);
  }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint&,
                                                Callback<std::shared_ptr<net::Security>()>,
                                                net::AcceptCallback) override {
    return fail(Code::unsupported, "a booting machine listens nowhere");
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint& to,
                                           std::shared_ptr<net::Security> security,
                                           Duration timeout,
                                           net::ConnectCallback connected) override {
    real_.connect_from(own_);
    return real_.connect(to, std::move(security), timeout, std::move(connected));
  }
  Result<std::unique_ptr<net::DatagramSocket>> open_datagrams(
      const net::DatagramOptions& options, net::DatagramHandler& handler) override {
    net::DatagramOptions mine = options;
    mine.at = own_;
    return real_.open_datagrams(mine, handler);
  }

 private:
  net::RealNet& real_;
  net::InetAddress own_;
};

class Storm;

/// One machine on its way.
class Machine final : public net::DatagramHandler {
 public:
  Machine(Storm& storm, size_t slot, uint32_t number)
      : storm_(storm), slot_(slot), number_(number) {}

  void begin() { discover(); }
  void take_dhcp(const PacketView& packet);
  [[nodiscard]] uint32_t xid() const { return xid_; }
  [[nodiscard]] uint32_t number() const { return number_; }

 private:
  void discover();
  void send_dhcp(MessageType type, Ipv4 wanted, Ipv4 server);
  void probe_loader();
  void send_probe();
  void on_datagrams(std::span<const net::Datagram> batch) override;
  void fetch_script();
  void take_script(const Result<net::HttpResponse>& response);
  void ask_kernel(const std::string& path);
  void tell();
  void enrol();
  void over();
  void await(Callback<void()> again);

  Storm& storm_;
  size_t slot_;
  uint32_t number_;
  uint32_t xid_ = 0;
  bool loaded_ = false;          ///< it is iPXE by now
  std::unique_ptr<OwnNet> net_;  ///< as soon as it has an address
  std::string loader_;
  std::unique_ptr<net::DatagramSocket> socket_;
  std::unique_ptr<net::HttpSession> plain_;
  nodeboot::BootCommand command_;
  std::unique_ptr<nodeboot::BootClient> client_;
  Timer timer_;
};

class Storm final : public net::DatagramHandler {
 public:
  Storm(net::Loop& loop, net::RealNet& net, net::InetAddress server, net::InetAddress own,
        uint32_t machines, size_t at_once)
      : loop(loop), net(net), server(server), machines_(machines), slots_(at_once) {
    net::DatagramOptions options;
    options.at = own.with_port(kServerPort);
    options.receive_buffer = options.send_buffer = size_t{8} << 20;
    auto made = net.open_datagrams(options, *this);
    if (!made) give_up(made.error().text());
    dhcp = *std::move(made);
    own_address = {own.v4_value()};
    const auto key = auth::KeyPair::make().value();
    requests.reserve(machines);
    for (uint32_t i = 0; i < machines; ++i) {
      requests.push_back(auth::make_csr(key, fmt::format("n{}", i)).value());
    }
    spaces.resize(at_once);
    cpu_before_ = cpu_seconds();
  }

  void run() {
    began_ = loop.now();
    for (size_t i = 0; i < slots_.size(); ++i) next(i);
    loop.run_until([this] { return done_ + failed == machines_; }, std::chrono::minutes(4));
    const double took = std::chrono::duration<double>(loop.now() - began_).count();
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double part) {
      if (times_.empty()) return 0.0;
      return std::chrono::duration<double, std::milli>(
                 times_[static_cast<size_t>(part * static_cast<double>(times_.size() - 1))])
          .count();
    };
    fmt::print(
        "{} of {} machines on their way to the tree in {:.2f} s ({:.0f} a second), {} asked "
        "again, {} failed; each p50 {:.0f} ms, p99 {:.0f} ms; generator CPU {:.2f} s\n",
        done_, machines_, took, static_cast<double>(done_) / took, again, failed, at(0.5), at(0.99),
        cpu_seconds() - cpu_before_);
  }

  void next(size_t slot) {
    // Not within an event of the machine that ends.
    loop.post([this, slot] {
      slots_[slot].machine.reset();
      if (begun_ == machines_) return;
      slots_[slot].began = loop.now();
      slots_[slot].machine = std::make_unique<Machine>(*this, slot, begun_++);
      slots_[slot].machine->begin();
    });
  }
  void finished(size_t slot) {
    ++done_;
    times_.push_back(loop.now() - slots_[slot].began);
    next(slot);
  }
  void failure(size_t slot, const std::string& why) {
    if (failed++ < 5) fmt::print(stderr, "a machine failed: {}\n", why);
    next(slot);
  }
  std::shared_ptr<net::Security> security_for(const std::string& ca) {
    if (!security_) {
      net::SecurityConfig config;
      config.pinned_ca_sha256 = ca;
      security_ = net.make_security(config).value();
    }
    return security_;
  }
  uint32_t draw_xid(size_t slot) { return ++xids_ << 12 | static_cast<uint32_t>(slot); }

  net::Loop& loop;
  net::RealNet& net;
  net::InetAddress server;
  Ipv4 own_address;
  std::unique_ptr<net::DatagramSocket> dhcp;
  std::vector<std::string> requests;  ///< to be signed, one for each machine
  std::vector<std::array<char, kMaxMessage>> spaces;
  uint64_t again = 0;
  uint32_t failed = 0;

 private:
  struct Slot {
    std::unique_ptr<Machine> machine;
    MonoTime began{};
  };

  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) {
      std::array<char, kMaxMessage> join{};
      const auto view = PacketView::parse(it.bytes, join);
      if (!view) continue;
      const size_t slot = view->xid() & 0xfff;
      if (slot >= slots_.size() || !slots_[slot].machine) continue;
      if (slots_[slot].machine->xid() == view->xid()) slots_[slot].machine->take_dhcp(*view);
    }
  }

  uint32_t machines_;
  std::vector<Slot> slots_;
  std::shared_ptr<net::Security> security_;
  uint32_t begun_ = 0;
  uint32_t done_ = 0;
  uint32_t xids_ = 0;
  MonoTime began_{};
  double cpu_before_ = 0;
  std::vector<Duration> times_;
};

void Machine::await(Callback<void()> again) {
  timer_.after(storm_.loop, kPatience, [this, again = std::move(again)]() mutable {
    ++storm_.again;
    again();
  });
}

void Machine::discover() {
  xid_ = storm_.draw_xid(slot_);
  send_dhcp(MessageType::discover, {}, {});
  await([this] { discover(); });
}

void Machine::send_dhcp(MessageType type, Ipv4 wanted, Ipv4 server) {
  Header header;
  header.op = 1;
  header.hops = 1;
  header.xid = xid_;
  header.giaddr = storm_.own_address;
  header.hardware.length = 6;
  header.hardware.octets = {2,
                            0,
                            static_cast<uint8_t>(number_ >> 24),
                            static_cast<uint8_t>(number_ >> 16),
                            static_cast<uint8_t>(number_ >> 8),
                            static_cast<uint8_t>(number_)};
  auto& space = storm_.spaces[slot_];
  PacketWriter out(header, space, space.size());
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
  // As SeaBIOS's iPXE and a UNDI of a PC's firmware ask: class, architecture, UNDI, UUID.
  out.option(kVendorClass, "PXEClient:Arch:00000:UNDI:002001");
  out.option(kArchitecture, std::string_view("\0\0", 2));
  out.option(kNetworkInterface, std::string_view("\1\2\1", 3));
  std::array<char, 17> uuid{};
  std::copy_n(reinterpret_cast<const char*>(&number_), sizeof number_, uuid.begin() + 1);
  out.option(kMachineId, {uuid.data(), uuid.size()});
  if (loaded_) {
    out.option(kUserClass, "iPXE");
    out.option(kIpxe, std::string_view("\xb1\5\1\x10\xec\x81\x39\x13\1\1\x21\1\1",
                                       13));  // bus id, http, menu
  }
  const size_t size = out.finish();
  const net::OutgoingDatagram packet{.head = {space.data(), size},
                                     .to = storm_.server.with_port(kServerPort)};
  storm_.dhcp->send({&packet, 1});
}

void Machine::take_dhcp(const PacketView& packet) {
  const auto type = static_cast<MessageType>(packet.option_u8(kMessageType).value_or(0));
  if (type == MessageType::offer) {
    return send_dhcp(MessageType::request, packet.yiaddr(),
                     packet.option_address(kServerId).value_or(Ipv4{}));
  }
  timer_.cancel();
  if (type != MessageType::ack) return storm_.failure(slot_, "a NAK");
  xid_ = 0;
  if (loaded_) return fetch_script();
  net_ = std::make_unique<OwnNet>(storm_.net, packet.yiaddr());
  loader_ = std::string(packet.file());
  if (loader_.empty()) return storm_.failure(slot_, "an ACK without a loader");
  probe_loader();
}

void Machine::probe_loader() {
  auto opened = net_->open_datagrams({}, *this);
  if (!opened) give_up(opened.error().text());
  socket_ = *std::move(opened);
  send_probe();
}

void Machine::send_probe() {
  std::string request("\0\1", 2);
  request += loader_;
  request += std::string_view(
      "\0octet\0tsize\0"
      "0\0",
      15);
  const net::OutgoingDatagram packet{.head = request, .to = storm_.server.with_port(kTftp)};
  socket_->send({&packet, 1});
  await([this] { send_probe(); });
}

void Machine::on_datagrams(std::span<const net::Datagram> batch) {
  if (loaded_) return;
  timer_.cancel();
  const net::Datagram& answer = batch.front();
  const bool good = answer.bytes.starts_with(std::string_view("\0\6", 2));  // OACK, RFC 2347
  if (good) {
    // As firmware does that only wanted the size (RFC 2347: error 8).
    const net::OutgoingDatagram stop{.head = std::string_view("\0\5\0\10\0", 5), .to = answer.from};
    socket_->send({&stop, 1});
  }
  loaded_ = true;
  storm_.loop.post([this, good] {
    socket_.reset();
    good ? discover() : storm_.failure(slot_, "no size of the loader");
  });
}

void Machine::fetch_script() {
  plain_ = std::make_unique<net::HttpSession>(
      storm_.loop, *net_, net::Endpoint{storm_.server.host_text(), kPlain, {}}, nullptr);
  net::HttpRequest request;
  request.method = "GET";
  request.target =
      fmt::format("/boot/v1/bootscript?mac=02:00:{:02x}:{:02x}:{:02x}:{:02x}", number_ >> 24 & 255,
                  number_ >> 16 & 255, number_ >> 8 & 255, number_ & 255);
  request.headers.add("User-Agent", "iPXE/1.21.1");
  plain_->send(std::move(request), [this](const Result<net::HttpResponse>& r) { take_script(r); });
}

void Machine::take_script(const Result<net::HttpResponse>& response) {
  if (!response || response->status != 200) {
    return storm_.failure(
        slot_, response ? fmt::format("script: {}", response->status) : response.error().text());
  }
  const std::string& text = response->body;
  const size_t line = text.find("\nkernel ");
  const size_t end = text.find(" ||", line);
  const size_t path = text.find("/boot/blobs/", line);
  if (line == std::string::npos || path == std::string::npos) {
    return storm_.failure(slot_, "a script without a kernel:\n" + text);
  }
  auto command = nodeboot::parse_boot_command(text.substr(line + 1, end - line - 1));
  if (!command) give_up(command.error().text());
  command_ = *std::move(command);
  ask_kernel(text.substr(path, text.find_first_of(" ?\n", path) - path));
}

void Machine::ask_kernel(const std::string& path) {
  net::HttpRequest request;
  request.method = "HEAD";
  request.target = path;
  plain_->send(std::move(request), [this](const Result<net::HttpResponse>& response) {
    if (!response || response->status != 200) {
      return storm_.failure(
          slot_, response ? fmt::format("kernel: {}", response->status) : response.error().text());
    }
    storm_.loop.post([this] {
      plain_.reset();
      tell();
    });
  });
}

void Machine::tell() {
  client_ = std::make_unique<nodeboot::BootClient>(storm_.loop, *net_, command_,
                                                   storm_.security_for(command_.ca_sha256));
  client_->stage({}, [this](const Status& told) {
    if (told) return enrol();
    storm_.failure(slot_, told.error().text());
  });
}

void Machine::enrol() {
  client_->enrol(storm_.requests[number_], fmt::format("{:032x}", number_),
                 [this](const Result<auth::EnrolAnswer>& answer) {
                   answer ? over() : storm_.failure(slot_, answer.error().text());
                 });
}

void Machine::over() {
  storm_.finished(slot_);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() != 4) {
    fmt::print(stderr, "usage: bench_boot_storm SERVER OWN MACHINES AT_ONCE\n");
    return 2;
  }
  const auto server = net::InetAddress::parse(args[0]);
  const auto own = net::InetAddress::parse(args[1]);
  if (!server || !own) give_up("addresses must be numbers");
  if (!bench::use_lean_crypto()) give_up("OpenSSL has no providers that can be cut down");
  const auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  Storm storm(*loop, net, *server, *own, static_cast<uint32_t>(std::stoul(args[2])),
              std::clamp(std::stoul(args[3]), 1UL, 4096UL));
  storm.run();
  return storm.failed == 0 ? 0 : 1;
}
