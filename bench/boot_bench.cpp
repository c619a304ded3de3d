// What the boot protocols cost without sockets: bench_boot [machines] [seconds]. Packets are those
// of UEFI firmware; the figures are of one thread. Beside each stands what it leaves for the rest
// at the rate that the blueprint asks for.
#include "boot/dhcp/server.hpp"
#include "boot/dhcp6/server.hpp"
#include "boot/dns/server.hpp"
#include "boot/site/site.hpp"
#include "boot/tftp/transfer.hpp"
#include "boot_model.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace {

using namespace drover::boot;  // NOLINT(google-build-using-namespace): one program
using drover::Callback;
using drover::MonoTime;
using drover::WallTime;
using drover::bench::mac_of;
using drover::bench::model_changes;

constexpr WallTime kNow{std::chrono::hours(500'000)};
constexpr Ipv4 kServer{0x0a4d0001};
constexpr uint32_t kFirstNode = 0x0a4e0000;
constexpr double kWanted = 60'000;  // exchanges a second: section 12 of the blueprint

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

void require(bool right, const char* what) {
  if (right) return;
  fmt::print(stderr, "bench_boot: {}\n", what);
  std::exit(1);
}

/// Runs `work(i)` for so many seconds of CPU, `batch` times between looks at the clock; how often
/// it ran a second.
double rate(double seconds, Callback<void(uint32_t)> work, uint32_t batch = 1'000) {
  for (uint32_t i = 0; i < batch; ++i) work(i);
  const double start = cpu_seconds();
  uint64_t done = 0;
  double spent = 0;
  while (spent < seconds) {
    for (uint32_t i = 0; i < batch; ++i) work(static_cast<uint32_t>(done + i));
    done += batch;
    spent = cpu_seconds() - start;
  }
  return static_cast<double>(done) / spent;
}

struct Machines final : dhcp::ReservationView {
  explicit Machines(uint32_t count) {
    all.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      dhcp::Reservation one;
      one.name = fmt::format("n{}", i);
      one.addresses = {{kFirstNode + i}};
      all.emplace(mac_of(i), std::move(one));
    }
  }
  [[nodiscard]] const dhcp::Reservation* by_hardware(const HardwareAddress& mac) const override {
    const auto found = all.find(mac);
    return found == all.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const dhcp::Reservation* by_client_id(std::string_view) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp::Reservation* by_port(std::string_view,
                                                 std::string_view) const override {
    return nullptr;
  }
  std::unordered_map<HardwareAddress, dhcp::Reservation, HardwareAddressHash> all;
};

struct Journal final : dhcp::LeaseJournal {
  void append(const dhcp::Lease&) override {}
};

/// What EDK2 sends, with a machine's own address put in.
struct Client {
  explicit Client(dhcp::MessageType type) {
    dhcp::Header header;
    header.op = 1;
    header.flags = 0x8000;
    header.hardware = mac_of(0);
    std::array<char, dhcp::kMaxMessage> space{};
    dhcp::PacketWriter out(header, space, space.size());
    out.option_u8(dhcp::kMessageType, static_cast<uint8_t>(type));
    if (type == dhcp::MessageType::request) {
      out.option_address(dhcp::kServerId, kServer);
      out.option_address(dhcp::kRequestedAddress, {});
    }
    out.option_u16(dhcp::kMaxMessageSize, 1472);
    out.option(dhcp::kParameterList, std::string_view("\1\2\3\4\5\6\14\15\17\21\22\26\27\34\50\51"
                                                      "\52\53\62\63\66\72\73\74\102\103\141",
                                                      27));
    out.option(dhcp::kMachineId, std::string(17, 'u'));
    out.option(dhcp::kNetworkInterface, std::string_view("\1\3\0", 3));
    out.option_u16(dhcp::kArchitecture, 7);
    out.option(dhcp::kVendorClass, "PXEClient:Arch:00007:UNDI:003000");
    bytes.assign(space.data(), out.finish());
  }
  std::string_view of(uint32_t node, Ipv4 wanted) {
    const HardwareAddress mac = mac_of(node);
    std::copy_n(mac.octets.begin(), 6, bytes.begin() + 28);
    constexpr size_t kWantedAt = dhcp::kHeaderSize + 3 + 6 + 2;
    for (size_t i = 0; wanted.value != 0 && i < 4; ++i) {
      bytes[kWantedAt + i] = static_cast<char>(wanted.value >> (24 - 8 * i));
    }
    return bytes;
  }
  std::string bytes;
};

dhcp::ServerConfig config() {
  dhcp::Subnet subnet;
  subnet.prefix = *Prefix4::parse("10.76.0.0/14");
  subnet.routers = {kServer};
  subnet.name_servers = {kServer, {kServer.value + 1}};
  subnet.domain = "cluster.test";
  subnet.pool = 0;
  dhcp::ServerConfig made;
  made.subnets = {subnet};
  return made;
}

void bench_dhcp(uint32_t machines, double seconds) {
  const Machines known(machines);
  Journal journal;
  dhcp::LeaseBook book({{{0x0a4f0000}, {0x0a4f0000 + machines - 1}}}, {}, journal);
  dhcp::Server server(config(), known, book);
  Client discover(dhcp::MessageType::discover);
  Client request(dhcp::MessageType::request);
  const dhcp::Arrival arrival{kServer, {}, dhcp::kClientPort, dhcp::kServerPort, kNow};
  std::array<char, dhcp::kMaxMessage> out{};
  const auto four_way = [&](uint32_t node) {
    const auto offer = server.decide(discover.of(node, {}), arrival, out);
    require(offer.reply == dhcp::MessageType::offer, "an offer");
    const auto ack = server.decide(request.of(node, offer.address), arrival, out);
    require(ack.reply == dhcp::MessageType::ack, "an acknowledgement");
  };
  const auto show = [](const char* what, double per_second) {
    fmt::print("{:<44} {:>10.0f} exchanges/s  {:>5.1f} % of a core at {:.0f}/s\n", what, per_second,
               100 * kWanted / per_second, kWanted);
  };
  show("DHCPv4 four-way, reserved machines",
       rate(seconds, [&](uint32_t i) { four_way(i % machines); }));
  show("DHCPv4 four-way, leases of the pool",
       rate(seconds, [&](uint32_t i) { four_way(machines + i % machines); }));
}

struct Machines6 final : dhcp6::ReservationView {
  [[nodiscard]] const dhcp6::Reservation* by_hardware(const HardwareAddress&) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp6::Reservation* by_uuid(std::string_view) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp6::Reservation* by_duid(std::string_view) const override {
    return nullptr;
  }
  [[nodiscard]] const dhcp6::Reservation* by_port(std::string_view,
                                                  std::string_view) const override {
    return nullptr;
  }
};

void bench_dhcp6(double seconds) {
  const Machines6 machines;
  dhcp6::ServerConfig made;
  made.duid = "SERVERID";
  dhcp6::Subnet subnet;
  subnet.prefix = *Prefix6::parse("fd77::/64");
  subnet.derive = true;
  made.subnets = {subnet};
  dhcp6::Server server(made, machines);
  std::array<char, dhcp6::kMaxMessage> space{};
  dhcp6::MessageView empty;
  dhcp6::MessageWriter out(empty, dhcp6::MessageType::solicit, space);
  const std::string_view duid("\0\4uuuuuuuuuuuuuuuu", 18);
  out.option(dhcp6::kClientId, duid);
  out.open_association(1, 0, 0);
  out.close_association();
  out.option(dhcp6::kArchitecture, std::string_view("\0\7", 2));
  const std::string solicit(space.data(), out.finish());
  const dhcp6::Arrival arrival{*Ipv6::parse("fd77::1"), *Ipv6::parse("fe80::5054:ff:fe77:1"), true};
  std::array<char, dhcp6::kMaxMessage> reply{};
  fmt::print("{:<44} {:>10.0f} replies/s\n", "DHCPv6 SOLICIT, derived addresses",
             rate(seconds, [&](uint32_t) {
               require(server.decide(solicit, arrival, reply).reply.has_value(), "an ADVERTISE");
             }));
}

std::string dns_query(const dns::Name& name, uint16_t type) {
  std::string out("\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
  out += name.wire();
  out += {static_cast<char>(type >> 8), static_cast<char>(type), 0, 1};
  return out;
}

void bench_dns(uint32_t machines, double seconds) {
  dns::HostTable table;
  std::vector<std::string> forward;
  std::vector<std::string> reverse;
  for (uint32_t i = 0; i < machines; ++i) {
    const auto host = *dns::Name::parse(fmt::format("n{}.cluster.test", i));
    table.add_host(host, {{kFirstNode + i}});
    forward.push_back(dns_query(host, dns::kA));
    reverse.push_back(dns_query(dns::reverse_name(Ipv4{kFirstNode + i}), dns::kPtr));
  }
  dns::Zone zone;
  zone.apex = *dns::Name::parse("cluster.test");
  dns::Zone back = zone;
  back.apex = *dns::Name::parse("10.in-addr.arpa");
  const dns::Server server({zone, back}, table);
  std::array<char, 1232> out{};
  const auto run = [&](const char* what, const std::vector<std::string>& queries) {
    const double per_second = rate(seconds, [&](uint32_t i) {
      const auto answer = server.answer(queries[i % machines], dns::Transport::udp, out);
      require(answer.outcome == dns::Outcome::answered, "an answer");
    });
    fmt::print("{:<44} {:>10.0f} answers/s\n", what, per_second);
  };
  run("DNS, A", forward);
  run("DNS, PTR", reverse);
}

void bench_tftp(double seconds) {
  struct OneFile final : tftp::Files {
    [[nodiscard]] std::optional<tftp::File> find(std::string_view) const override {
      return tftp::File{bytes, nullptr};
    }
    std::string bytes = std::string(1024 * 1024, 'x');
  } files;
  const std::string_view request(
      "\0\1snponly.efi\0octet\0blksize\0"
      "1468\0windowsize\0"
      "16\0",
      48);
  std::array<char, 512> space{};
  const auto send = [&](uint32_t) {
    const auto opening = tftp::open(request, files, {}, MonoTime{}, space);
    tftp::Transfer& transfer = *opening.transfer;
    tftp::Outgoing out;
    uint64_t block = 0;
    (void)transfer.next(out);  // the OACK
    while (transfer.progress() == tftp::Progress::running) {
      const std::array<char, 4> ack = {0, 4, static_cast<char>(block >> 8),
                                       static_cast<char>(block)};
      transfer.receive({ack.data(), ack.size()}, MonoTime{});
      while (transfer.next(out)) ++block;
    }
    require(transfer.progress() == tftp::Progress::complete, "the whole file");
  };
  fmt::print("{:<44} {:>10.0f} files of 1 MiB/s\n", "TFTP engine, blksize 1468, windowsize 16",
             rate(seconds, send, 10));
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

struct OneImage final : Images {
  OneImage() {
    image.name = "rocky9";
    image.digest = std::string(64, 'd');
    image.arch = "x86_64";
    image.kernel = {std::string(64, 'a'), 8'000'000, "6.1.0-56"};
    image.initrds = {{std::string(64, 'b'), 3'000'000, "drover"}};
    image.root = BootBlob{std::string(64, 'c'), 100'000'000, "squashfs"};
  }
  [[nodiscard]] drover::Result<BootImage> find(const std::string&) const override { return image; }
  BootImage image;
};

void bench_site(uint32_t machines, double seconds) {
  drover::cluster::Model model;
  require(model.apply(model_changes(machines)).has_value(), "the model");
  const OneImage images;
  SiteOptions options;
  options.ca_sha256 = std::string(64, 'f');
  const double start = cpu_seconds();
  Site site(model, images, options);
  const double built = cpu_seconds();
  const auto ask = [&](uint32_t i) {
    const std::string mac = mac_of(i % machines).text();
    ScriptRequest request;
    request.mac = mac;
    request.source = "10.77.0.11";
    request.server = "10.77.0.1";
    request.token = "abcdefghijklmnopqrstuvwxyz234567";
    require(site.script(request).outcome == ScriptOutcome::known, "a script");
  };
  for (uint32_t i = 0; i < machines; ++i) ask(i);
  const double asked = cpu_seconds();
  fmt::print("{:<44} {:>10.0f} ms         ({:.0f} ms wanted for 10,000)\n",
             "a site of all machines from the model", 1e3 * (built - start), 100.0);
  fmt::print("{:<44} {:>10.0f} scripts/s\n", "boot scripts, each node's first",
             machines / (asked - built));
  constexpr double kScripts = 40'000;
  const double again = rate(seconds, ask);
  fmt::print("{:<44} {:>10.0f} scripts/s    {:>5.1f} % of a core at {:.0f}/s\n",
             "boot scripts, asked again", again, 100 * kScripts / again, kScripts);
}

}  // namespace

int main(int argc, char** argv) {
  const auto machines = static_cast<uint32_t>(argc > 1 ? std::atoi(argv[1]) : 10'000);
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  if (machines == 0 || machines > 60'000 || seconds <= 0) {
    fmt::print(stderr, "usage: bench_boot [machines, at most 60000] [seconds]\n");
    return 2;
  }
  utsname host{};
  ::uname(&host);
  fmt::print("machine: {}, {}; one thread, {} machines, no sockets\n", processor(), host.release,
             machines);
  bench_dhcp(machines, seconds);
  bench_dhcp6(seconds);
  bench_dns(machines, seconds);
  bench_tftp(seconds);
  bench_site(machines, seconds);
  return 0;
}
