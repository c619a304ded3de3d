// drover-aggregator as a program.
#include "daemons/aggregator.hpp"
#include "daemons/member_core.hpp"
#include "daemons/services.hpp"

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
    config.timing = timing_of(program_.config);
    config.spool_dir = program_.config.text("state") + "/spool";
    DROVER_TRY(config.listen, endpoints_of(program_.config, "listen"));
    DROVER_TRY(config.advertise, endpoints_of(program_.config, "advertise"));
    DROVER_TRY(config.masters, endpoints_of(program_.config, "masters"));
    daemon_ = std::make_unique<Aggregator>(program_.seams, std::move(config), core_.security());
    DROVER_CHECK_OK(daemon_->start());
    return core_.serve([this] { return daemon_->masters().up(); }, [this] { return facts(); },
                       [this] { daemon_->masters().refresh(); });
  }

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

ConfigTable aggregator_table() {
  return {"drover-aggregator",
          "Holds the links of its compute nodes: liveness, fan-out and fold, spool.",
          member_options({
              {.key = "listen",
               .type = ConfigType::list,
               .standard = "0.0.0.0:9800,[::]:9800",
               .help = "endpoints where computes dial"},
              {.key = "advertise",
               .type = ConfigType::list,
               .help = "endpoints that computes are told to dial; default: those of listen"},
              {.key = "masters",
               .type = ConfigType::list,
               .help = "endpoints of the masters",
               .required = true},
          })};
}

Result<std::unique_ptr<Service>> make_aggregator(Program& program) {
  return std::make_unique<AggregatorService>(program);
}

}  // namespace drover::daemons
