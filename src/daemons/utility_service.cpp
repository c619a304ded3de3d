// drover-utility as a program.
#include "daemons/member_core.hpp"
#include "daemons/real_host_facts.hpp"
#include "daemons/services.hpp"
#include "daemons/utility.hpp"
#include "options/daemon_options.hpp"

#include <fmt/core.h>

namespace drover::daemons {
namespace {

class UtilityService final : public Service {
 public:
  explicit UtilityService(Program& program)
      : program_(program), core_(program, tree::Role::utility), facts_(program.seams.executor) {}

  Status start() override {
    DROVER_CHECK_OK(core_.start());
    UtilityConfig config;
    config.self = core_.self();
    config.own_settings = options::own_settings(program_.config);
    config.spool_dir = program_.config.text("state") + "/spool";
    DROVER_TRY(config.masters, endpoints_of(program_.config, "masters"));
    daemon_ =
        std::make_unique<Utility>(program_.seams, std::move(config), core_.security(), facts_);
    daemon_->start();
    core_.follow(daemon_->settings());
    return core_.serve([this] { return daemon_->masters().up(); }, [this] { return facts(); },
                       [this] { daemon_->masters().refresh(); });
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
    for (const auto& [peer, status] : daemon_->masters().status()) {
      out.links.push_back({peer, "uplink", status});
    }
    out.spool = daemon_->agent().records().stats();
    return out;
  }

  Program& program_;
  MemberCore core_;
  RealHostFacts facts_;
  std::unique_ptr<Utility> daemon_;
  Timer stopping_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_utility(Program& program) {
  return std::make_unique<UtilityService>(program);
}

}  // namespace drover::daemons
