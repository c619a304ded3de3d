// Each machine has a worker, which waits for its process; the worker's order is that of the power.
#include "sim/bmc/machine_processes.hpp"

#include "os/limited_run.hpp"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace drover::sim {
namespace {

/// Longer than anybody waits.
constexpr Duration kForever = std::chrono::hours(24 * 365);

std::vector<std::string> passed_on() {
  std::vector<std::string> out;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view text = *one;
    if (text.starts_with("PATH=") || text.starts_with("DROVER_")) out.emplace_back(text);
  }
  return out;
}

}  // namespace

MachineProcesses::MachineProcesses(Executor& executor, const Log& log, std::string program,
                                   BmcFleet& fleet)
    : log_(log), program_(std::move(program)), fleet_(fleet), environment_(passed_on()) {
  for (size_t i = 0; i < fleet_.size(); ++i) {
    EmulatedBmc& bmc = fleet_.at(i).bmc();
    std::vector<Machine*> of_bmc;
    for (uint32_t system = 0; system < bmc.traits().systems; ++system) {
      auto machine = std::make_unique<Machine>();
      machine->bmc = i;
      machine->system = system;
      machine->worker = executor.make_worker("machine");
      of_bmc.push_back(machine.get());
      machines_.push_back(std::move(machine));
      if (bmc.machines().at(system).on) start(*of_bmc.back());
    }
    bmc.machines().on_power(
        [this, of_bmc](uint32_t system, bool on) { power(*of_bmc.at(system), on); });
  }
}

MachineProcesses::~MachineProcesses() {
  for (const auto& machine : machines_) {
    fleet_.at(machine->bmc).bmc().machines().on_power(nullptr);
    if (machine->end != nullptr) *machine->end = true;
  }
}

void MachineProcesses::power(Machine& machine, bool on) {
  if (machine.end != nullptr) *std::exchange(machine.end, nullptr) = true;
  if (on) start(machine);
}

void MachineProcesses::start(Machine& machine) {
  EmulatedBmc& bmc = fleet_.at(machine.bmc).bmc();
  machine.end = std::make_shared<std::atomic<bool>>(false);
  os::LimitedRun run;
  run.words = {program_, std::to_string(bmc.traits().number), std::to_string(machine.system),
               bmc.machines().booted_from(machine.system)};
  run.environment = environment_;
  run.limit = kForever;
  run.cancel = machine.end.get();
  auto ended = std::make_shared<Result<os::RunEnd>>();
  machine.worker->run(
      [run = std::move(run), ended, keep = machine.end]() mutable {
        if (!*keep) *ended = os::run_limited(std::move(run));
      },
      [this, &machine, ended, mine = machine.end] {
        if (machine.end != mine) return;  // it was switched off
        machine.end = nullptr;
        const std::string why =
            *ended ? fmt::format("ended with {}: {}", (*ended)->status, (*ended)->output)
                   : ended->error().text();
        log_.info("a machine went off by itself",
                  {{"machine", fmt::format("{}/{}", machine.bmc, machine.system)}, {"why", why}});
        fleet_.at(machine.bmc).bmc().machines().went_off(machine.system);
      });
}

}  // namespace drover::sim
