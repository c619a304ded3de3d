// Inventory of many emulated BMCs over real sockets: bench_redfish [bmcs] [latency ms] [in flight]
// [at a time]. The BMCs live in child processes, at most 5,000 in each (descriptors); the time is
// from the first request to the last inventory.
#include "base/log_levels.hpp"
#include "hardware/redfish/crawl.hpp"
#include "net/real_net.hpp"
#include "os/real_random.hpp"
#include "sim/bmc/bmc_fleet.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace drover;
using SteadyClock = std::chrono::steady_clock;

struct Settings {
  uint32_t bmcs = 1000;
  uint32_t latency_ms = 50;
  uint32_t in_flight = 4;
  uint32_t at_a_time = 400;
  bool expand = false;
};

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The child: serves and writes its ports, then lives until the pipe `until` ends.
int serve(const Settings& settings, uint32_t first, uint32_t count, int ports, int until) {
  auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  os::RealRandom random;
  LogLevels levels;
  StderrSink sink(levels, LogForm::text);
  sim::BmcFleetOptions options;
  options.count = count;
  options.first = first;
  options.traits.latency = std::chrono::milliseconds(settings.latency_ms);
  options.traits.expand = settings.expand;
  auto fleet = sim::BmcFleet::start({*loop, net, random, Log(sink, "bmc")}, options);
  if (!fleet) {
    std::fprintf(stderr, "%s\n", fleet.error().text().c_str());
    return 1;
  }
  std::vector<uint16_t> all;
  for (size_t i = 0; i < count; ++i) all.push_back((*fleet)->endpoint(i).port);
  if (write(ports, all.data(), all.size() * sizeof(uint16_t)) < 0) return 1;
  close(ports);
  std::jthread waits([&] {
    char byte = 0;
    while (read(until, &byte, 1) > 0) {
    }
    loop->post_from_any_thread([&] { loop->stop(); });
  });
  loop->run();
  return 0;
}

struct Run {
  std::vector<uint16_t> ports;
  std::deque<std::unique_ptr<hardware::Crawl>> crawls;
  size_t next = 0;
  size_t done = 0;
  size_t failed = 0;
  uint64_t requests = 0;
  size_t inventory_bytes = 0;
  std::vector<double> seconds;
};

void crawl_next(const Settings& settings, hardware::BmcGround& ground, Run& run) {
  if (run.next == run.ports.size()) return;
  hardware::BmcAccess access;
  access.at = {"127.0.0.1", run.ports[run.next++], ""};
  access.user = "root";
  access.password = "calvin";
  hardware::BmcClientOptions client;
  client.in_flight = settings.in_flight;
  const auto begin = SteadyClock::now();
  auto& place = run.crawls.emplace_back();
  place = std::make_unique<hardware::Crawl>(
      ground, access, client, hardware::CrawlOptions{},
      [&, begin, held = &place](Result<hardware::CrawlResult> result) {
        run.seconds.push_back(std::chrono::duration<double>(SteadyClock::now() - begin).count());
        ++run.done;
        if (result && result->inventory.complete && result->inventory.systems.size() == 1) {
          run.requests += result->requests;
          run.inventory_bytes += encode(result->inventory).size();
        } else {
          ++run.failed;
        }
        held->reset();
        crawl_next(settings, ground, run);
      });
}

void report(const Settings& settings, Run& run, double took, double cpu) {
  std::ranges::sort(run.seconds);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%u BMCs, %u ms a GET, %u in flight each, %u at a time%s: %.2f s, %zu failed\n"
      "  %llu requests (%.1f each, %.0f/s), one BMC p50 %.2f s, max %.2f s\n"
      "  CPU here %.2f s (%.0f us a request), resident at most %ld MiB, inventory %.1f KiB each\n",
      settings.bmcs, settings.latency_ms, settings.in_flight, settings.at_a_time,
      settings.expand ? ", $expand" : "", took, run.failed,
      static_cast<unsigned long long>(run.requests), double(run.requests) / settings.bmcs,
      double(run.requests) / took, run.seconds[run.seconds.size() / 2], run.seconds.back(), cpu,
      1e6 * cpu / double(std::max<uint64_t>(run.requests, 1)), usage.ru_maxrss / 1024,
      double(run.inventory_bytes) / 1024 / settings.bmcs);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  uint32_t* const numbers[] = {&settings.bmcs, &settings.latency_ms, &settings.in_flight,
                               &settings.at_a_time};
  for (int i = 1; i < argc && i <= 4; ++i) {
    *numbers[i - 1] = static_cast<uint32_t>(std::max(1, std::atoi(argv[i])));
  }
  settings.expand = argc > 5;
  constexpr uint32_t kOneProcess = 5000;
  Run run;
  std::vector<int> ends;
  for (uint32_t first = 0; first < settings.bmcs; first += kOneProcess) {
    const uint32_t count = std::min(kOneProcess, settings.bmcs - first);
    int ports[2];
    int until[2];
    if (pipe(ports) != 0 || pipe(until) != 0) return 1;
    if (fork() == 0) {
      close(ports[0]);
      close(until[1]);
      for (const int end : ends) close(end);
      std::_Exit(serve(settings, first, count, ports[1], until[0]));
    }
    close(ports[1]);
    close(until[0]);
    ends.push_back(until[1]);
    uint16_t port = 0;
    while (read(ports[0], &port, sizeof port) == sizeof port) run.ports.push_back(port);
    close(ports[0]);
  }
  if (run.ports.size() != settings.bmcs) return 1;

  auto loop = net::Loop::make().value();
  net::RealNet net(*loop);
  os::RealRandom random;
  hardware::BmcGround ground(*loop, net, random, size_t{settings.at_a_time} * settings.in_flight);
  const double cpu = cpu_seconds(RUSAGE_SELF);
  const auto begin = SteadyClock::now();
  for (uint32_t i = 0; i < settings.at_a_time; ++i) crawl_next(settings, ground, run);
  loop->run_until([&] { return run.done == run.ports.size(); }, std::chrono::minutes(5));
  const double took = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  report(settings, run, took, cpu_seconds(RUSAGE_SELF) - cpu);
  for (const int end : ends) close(end);
  while (wait(nullptr) > 0) {
  }
  std::printf("  CPU of the emulated BMCs %.2f s\n", cpu_seconds(RUSAGE_CHILDREN));
  return run.failed == 0 ? 0 : 1;
}
