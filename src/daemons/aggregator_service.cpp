// drover-aggregator as a program.
#include "daemons/aggregator.hpp"
#include "daemons/member_core.hpp"
#include "daemons/services.hpp"
#include "options/daemon_options.hpp"

#include <fmt/core.h>

namespace drover::daemons {
namespace {

class AggregatorService final : public Service {
 public:
  explicit AggregatorService(Program& program)
      : program_(program), core_(program, tree::Role::aggregator) {}

  Status start() override {
    DROVER_CHECK_OK(core_.start());
    AggregatorConfig config;
    config.self = core_.self();
    config.own_settings = options::own_settings(program_.config);
    config.spool_dir = program_.config.text("state") + "/spool";
    DROVER_TRY(config.listen, endpoints_of(program_.config, "listen"));
    DROVER_TRY(config.advertise, endpoints_of(program_.config, "advertise"));
    config.host = os::host_addresses();
    DROVER_TRY(config.masters, endpoints_of(program_.config, "masters"));
    daemon_ = std::make_unique<Aggregator>(program_.seams, std::move(config), core_.security());
    DROVER_CHECK_OK(daemon_->start());
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

  [[nodiscard]] std::string status() const override {
    return fmt::format("{} nodes linked", daemon_->nodes().links().size());
  }

 private:
  LocalFacts facts() {
    LocalFacts out;
    for (const auto& [peer, status] : daemon_->masters().status()) {
      out.links.push_back({peer, "uplink", status});
    }
    out.spool = daemon_->spool();
    return out;
  }

  Program& program_;
  MemberCore core_;
  std::unique_ptr<Aggregator> daemon_;
  Timer stopping_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_aggregator(Program& program) {
  return std::make_unique<AggregatorService>(program);
}

}  // namespace drover::daemons
