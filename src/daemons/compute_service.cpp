// drover-compute as a program.
#include "daemons/boot_teller.hpp"
#include "daemons/compute.hpp"
#include "daemons/member_core.hpp"
#include "daemons/nodeup/real_step_host.hpp"
#include "daemons/real_host_facts.hpp"
#include "daemons/services.hpp"
#include "options/daemon_options.hpp"

#include <fmt/core.h>

namespace drover::daemons {
namespace {

class ComputeService final : public Service {
 public:
  explicit ComputeService(Program& program)
      : program_(program),
        core_(program, tree::Role::compute),
        steps_(program.seams.disk, program.config.text("state"), program.config.text("name")),
        facts_(program.seams.executor, &steps_, program.config.text("state")) {}

  Status start() override {
    DROVER_CHECK_OK(core_.start());
    ComputeConfig config;
    config.self = core_.self();
    config.own_settings = options::own_settings(program_.config);
    if (program_.config.flag("spool")) config.spool_dir = program_.config.text("state") + "/spool";
    DROVER_TRY(config.aggregators, endpoints_of(program_.config, "aggregators"));
    DROVER_TRY(teller_, BootTeller::make(program_));
    daemon_ =
        std::make_unique<Compute>(program_.seams, std::move(config), core_.security(), facts_);
    if (teller_) daemon_->on_linked([this] { teller_->linked(); });
    daemon_->start();
    core_.follow(daemon_->settings());
    return core_.serve([this] { return daemon_->up(); }, [this] { return facts(); },
                       [this] { daemon_->refresh(); });
  }

  void reload() override { daemon_->settings().set_own(options::own_settings(program_.config)); }

  std::vector<Worker*> workers() override { return {&daemon_->worker()}; }

  void stop(Callback<void()> stopped) override {
    core_.stop();
    daemon_->stop();
    stopping_.after(program_.seams.executor, std::chrono::milliseconds(50), std::move(stopped));
  }

  [[nodiscard]] std::string status() const override { return "running"; }

 private:
  LocalFacts facts() {
    LocalFacts out;
    for (const auto& slot : daemon_->paths().slots) {
      out.links.push_back({slot.aggregator, slot.primary ? "primary" : "secondary", slot.link});
    }
    out.spool = daemon_->agent().records().stats();
    out.cut_off = daemon_->cut_off();
    return out;
  }

  Program& program_;
  MemberCore core_;
  RealStepHost steps_;
  RealHostFacts facts_;
  std::unique_ptr<BootTeller> teller_;  ///< null where Drover did not boot the node
  std::unique_ptr<Compute> daemon_;
  Timer stopping_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_compute(Program& program) {
  return std::make_unique<ComputeService>(program);
}

}  // namespace drover::daemons
