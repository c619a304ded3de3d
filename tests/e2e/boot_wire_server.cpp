// The boot services alone, for tests and measurements with real clients: no daemon, no cluster.
//
//   boot_wire_server STATE PREFIX POOL [FILES] [MAC=ADDRESS=NAME ...]
//
// STATE and FILES are folders, PREFIX "10.77.0.0/24", POOL "10.77.0.200-10.77.0.209". Tells what
// happens in lines on standard output; with DROVER_QUIET set, only that it is ready.
// DROVER_MACHINES is a number of machines more, 02:00:00:00:00:00 and on with the addresses
// from 10.77.192.0. Ends when its standard input does.
#include "base/log_levels.hpp"
#include "boot/io/dhcp_service.hpp"
#include "boot/io/dns_service.hpp"
#include "boot/io/netconsole_service.hpp"
#include "boot/io/router_advertiser.hpp"
#include "boot/io/tftp_service.hpp"
#include "net/input_watch.hpp"
#include "net/real_net.hpp"
#include "os/real_disk.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>

namespace {

using namespace drover;        // NOLINT(google-build-using-namespace): one program
using namespace drover::boot;  // NOLINT(google-build-using-namespace): one program

struct Machines final : dhcp::ReservationView {
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

struct FolderFiles final : tftp::Files {
  explicit FolderFiles(const std::string& folder) {
    if (folder.empty()) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      all[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
    }
  }
  [[nodiscard]] std::optional<tftp::File> find(std::string_view path) const override {
    const auto found = all.find(path);
    if (found == all.end()) return {};
    return tftp::File{found->second, nullptr};
  }
  std::map<std::string, std::string, std::less<>> all;
};

template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print("{}\n", fmt::format(format, std::forward<Args>(args)...));
  std::fflush(stdout);
}

[[noreturn]] void die(const std::string& why) {
  fmt::print(stderr, "boot_wire_server: {}\n", why);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): before any thread is made
}

template <typename T>
T must(std::optional<T> value, std::string_view text) {
  if (!value) die(fmt::format("cannot read \"{}\"", text));
  return *std::move(value);
}

void add_machine(Machines& machines, const std::string& text) {
  const size_t first = text.find('=');
  const size_t second = text.find('=', first + 1);
  if (second == std::string::npos) die("a machine is MAC=ADDRESS=NAME, not " + text);
  dhcp::Reservation made;
  made.name = text.substr(second + 1);
  const std::string address = text.substr(first + 1, second - first - 1);
  made.addresses = {must(Ipv4::parse(address), address)};
  const std::string mac = text.substr(0, first);
  machines.all[must(HardwareAddress::parse(mac), mac)] = made;
}

void add_machines(Machines& machines, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    HardwareAddress mac;
    mac.length = 6;
    mac.octets = {2,
                  0,
                  static_cast<uint8_t>(i >> 24),
                  static_cast<uint8_t>(i >> 16),
                  static_cast<uint8_t>(i >> 8),
                  static_cast<uint8_t>(i)};
    dhcp::Reservation made;
    made.name = fmt::format("n{}", i);
    made.addresses = {Ipv4{0x0a4dc000 + i}};
    machines.all[mac] = made;
  }
}

dhcp::Pool pool_of(const std::string& text) {
  const size_t dash = text.find('-');
  if (dash == std::string::npos) die("a pool is FIRST-LAST, not " + text);
  return {must(Ipv4::parse(text.substr(0, dash)), text),
          must(Ipv4::parse(text.substr(dash + 1)), text)};
}

dns::Zone zone(std::string_view apex) {
  dns::Zone out;
  out.apex = must(dns::Name::parse(apex), apex);
  out.soa.primary = must(dns::Name::parse("boot.cluster.test"), apex);
  out.soa.mailbox = must(dns::Name::parse("root.cluster.test"), apex);
  out.servers = {out.soa.primary};
  return out;
}

void check(const Status& status) {
  if (!status) die(status.error().text());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 3) die("usage: boot_wire_server STATE PREFIX POOL [FILES] [MAC=ADDRESS=NAME]");
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is made
  const bool quiet = std::getenv("DROVER_QUIET") != nullptr;

  const auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  os::RealDisk disk;
  LogLevels levels;
  StderrSink sink(levels, LogForm::text);
  const Log log(sink, "boot");

  Machines machines;
  for (size_t i = 4; i < args.size(); ++i) add_machine(machines, args[i]);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is made
  if (const char* count = std::getenv("DROVER_MACHINES")) {
    add_machines(machines, static_cast<uint32_t>(std::stoul(count)));
  }
  const FolderFiles files(args.size() > 3 ? args[3] : "");
  io::DhcpServiceConfig config;
  dhcp::Subnet subnet;
  subnet.prefix = must(Prefix4::parse(args[1]), args[1]);
  subnet.pool = 0;
  config.server.subnets = {subnet};
  config.pools = {pool_of(args[2])};

  auto journal = io::DiskLeaseJournal::open(*loop, disk, args[0], log);
  if (!journal) die(journal.error().text());
  io::DhcpService dhcp(*loop, net, log, config, machines, **journal);
  io::TftpService tftp(*loop, net, log, {}, files);
  io::RouterAdvertiser advertiser(*loop, net, log, {});
  io::NetconsoleService netconsole(*loop, net, log, {});
  dns::HostTable names;
  for (const auto& [mac, machine] : machines.all) {
    if (const auto host = dns::Name::parse(machine.name + ".cluster.test")) {
      names.add_host(*host, machine.addresses);
    }
  }
  io::DnsServiceConfig zones;
  zones.zones = {zone("cluster.test"), zone("77.10.in-addr.arpa")};
  io::DnsService dns(*loop, net, log, zones, names);
  if (!quiet) {
    dhcp.on_event([](const io::DhcpEvent& it) {
      say("dhcp {} {} {}{}", it.decision.hardware.text(), it.decision.address.text(),
          dhcp::text(it.decision.outcome), it.conflict ? " (conflict)" : "");
    });
    tftp.on_event([](const io::TftpEvent& it) {
      say("tftp {} {} {} of {} {}", it.client.host_text(), it.path, it.bytes, it.size,
          it.refusal ? text(*it.refusal) : name(it.progress));
    });
    netconsole.on_line(
        [](const io::NetconsoleLine& it) { say("line {} {}", it.from.host_text(), it.text); });
  }
  check(dhcp.start());
  check(tftp.start());
  check(netconsole.start());
  check(advertiser.start());
  check(dns.start());
  const auto input = net::InputWatch::make(*loop, 0, [&](std::string_view bytes) {
    if (bytes.empty()) loop->stop();
  });
  if (!input) die(input.error().text());
  for (const dhcp::Lease& it : (*journal)->found().leases) {
    say("found {} {}", it.address.text(), name(it.state));
  }
  say("ready");
  loop->run();
  return 0;
}
