// drover-sim: emulated hardware on real sockets, for development, tests and laboratories.
#include "base/log_levels.hpp"
#include "net/real_net.hpp"
#include "net/signal_watch.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "sim/bmc/fleet_program.hpp"
#include "sim/bmc/machine_processes.hpp"

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace drover;

int complain(const Error& error) {
  std::fprintf(stderr, "drover-sim: %s\n", error.text().c_str());
  return error.code == Code::invalid_argument ? 2 : 1;
}

Result<std::shared_ptr<net::Security>> security_of(const sim::FleetProgram& program,
                                                   net::Net& net) {
  if (program.certificate_file.empty()) return std::shared_ptr<net::Security>();
  os::RealDisk disk;
  net::SecurityConfig config;
  DROVER_TRY(config.certificate_pem, disk.read_all(program.certificate_file));
  DROVER_TRY(config.key_pem, disk.read_all(program.key_file));
  config.verify_peer = false;
  config.allow_tls12 = true;
  return net.make_security(config);
}

Status serve(net::Loop& loop, const sim::FleetProgram& program) {
  net::RealNet net(loop);
  os::RealRandom random;
  LogLevels levels;
  StderrSink sink(levels, LogForm::text);
  DROVER_TRY(const auto security, security_of(program, net));
  DROVER_TRY(const auto signals,
             net::SignalWatch::make(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); }));
  DROVER_TRY(const auto fleet,
             sim::BmcFleet::start({loop, net, random, Log(sink, "bmc")}, program.fleet, security));
  std::optional<sim::MachineProcesses> machines;
  if (!program.machine.empty()) {
    machines.emplace(loop, Log(sink, "machine"), program.machine, *fleet);
  }
  const std::string line = sim::fleet_line(*fleet);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
  loop.run();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments[0] != "bmcs") {
    std::fputs(sim::kFleetUsage.data(), stderr);
    return 2;
  }
  const auto program = sim::parse_fleet_program(std::span(arguments).subspan(1));
  if (!program) return complain(program.error());
  auto loop = net::Loop::make();
  if (!loop) return complain(loop.error());
  const Status served = serve(**loop, *program);
  return served ? 0 : complain(served.error());
}
