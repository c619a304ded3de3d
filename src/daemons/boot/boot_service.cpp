// drover-boot as a program.
#include "daemons/boot/boot.hpp"
#include "daemons/member_core.hpp"
#include "daemons/services.hpp"
#include "options/daemon_options.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

class BootService final : public Service {
 public:
  explicit BootService(Program& program) : program_(program), core_(program, tree::Role::boot) {}

  Status start() override {
    DROVER_CHECK_OK(core_.start());
    const std::string& state = program_.config.text("state");
    BootConfig config;
    config.self = core_.self();
    config.own_settings = options::own_settings(program_.config);
    config.spool_dir = state + "/spool";
    config.replica_dir = state + "/model";
    DROVER_TRY(config.masters, endpoints_of(program_.config, "masters"));
    daemon_ =
        std::make_unique<Boot>(program_.seams, std::move(config), core_.security(),
                               [this](const std::string& target, net::HttpStreamEvents events) {
                                 return core_.api().follow(target, std::move(events));
                               });
    DROVER_CHECK_OK(core_.serve([this] { return daemon_->masters().up(); },
                                [this] { return facts(); },
                                [this] { daemon_->masters().refresh(); }));
    daemon_->start();
    core_.follow(daemon_->settings());
    return {};
  }

  void reload() override { daemon_->settings().set_own(options::own_settings(program_.config)); }

  std::vector<Worker*> workers() override { return {&daemon_->worker()}; }

  void stop(Callback<void()> stopped) override {
    core_.stop();
    daemon_->stop();
    stopping_.after(program_.seams.executor, std::chrono::milliseconds(50), std::move(stopped));
  }

  [[nodiscard]] std::string status() const override {
    const ModelReplica& replica = daemon_->replica();
    if (replica.is_blank()) return "waiting for a master: nothing is known of the cluster yet";
    return fmt::format("{} nodes, {} change {}", replica.model().nodes().size(),
                       replica.is_current() ? "current at" : "cut off since", replica.sequence());
  }

 private:
  LocalFacts facts() {
    LocalFacts out;
    for (const auto& [peer, status] : daemon_->masters().status()) {
      out.links.push_back({peer, "uplink", status});
    }
    out.spool = daemon_->records();
    return out;
  }

  Program& program_;
  MemberCore core_;
  std::unique_ptr<Boot> daemon_;
  Timer stopping_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_boot(Program& program) {
  return std::make_unique<BootService>(program);
}

}  // namespace drover::daemons
