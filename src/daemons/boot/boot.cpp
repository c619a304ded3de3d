#include "daemons/boot/boot.hpp"

#include "proto/link.pb.h"

namespace drover::daemons {

Boot::Boot(Seams seams, BootConfig config, Callback<std::shared_ptr<net::Security>()> security,
           ModelReplica::Ask ask)
    : log_(seams.log, "boot"),
      endpoints_(std::move(config.masters)),
      links_{seams.executor, log_.with("link"), config.self, config.timing.silence,
             config.timing.hello},
      uplinks_{links_, seams.net, seams.random, std::move(security)},
      masters_(uplinks_, *this),
      channels_(
          seams.executor, [] { return nullptr; }, [] { return "channels come from masters"; }),
      worker_(seams.executor.make_worker("work")),
      records_(
          seams.executor, log_.with("records"),
          {config.self.name, std::string(tree::name(config.self.role)), config.self.incarnation},
          {}, tree::spool_at(seams.disk, config.spool_dir)),
      heartbeat_(seams.executor, config.timing.heartbeat, [this](uint64_t n) { beat(n); }),
      replica_(seams, log_, config.replica_dir, std::move(ask)),
      settings_(log_.with("settings"), std::move(config.own_settings)) {
  heartbeat_.prove(*worker_);
}

Boot::~Boot() = default;

void Boot::start() {
  replica_.start();
  heartbeat_.start();
  settings_.on_change([this](const cluster::Settings& settings) { apply(settings); });
  masters_.start(endpoints_, MasterLinks::Dial::one_of);
}

void Boot::stop() {
  heartbeat_.stop();
  replica_.stop();
  records_.use(nullptr);
  masters_.stop(Error{Code::cancelled, "the boot daemon is stopping", {}, {}});
}

void Boot::apply(const cluster::Settings& settings) {
  heartbeat_.set_interval(settings.duration("tree.heartbeat"));
  const Duration silence = settings.duration("tree.silence");
  if (std::exchange(links_.silence_limit, silence) != silence) masters_.judge_anew();
}

void Boot::report(const cluster::BootReport& report) {
  const auto taken =
      records_.add(std::string(cluster::kBootRecord), encode(report), tree::Supersede::none);
  if (taken) return;
  log_.error("a stage of a boot cannot be reported",
             {{"node", report.node}, {"why", taken.error().text()}});
}

void Boot::report(const cluster::Sighting& sighting) {
  const auto taken =
      records_.add(std::string(cluster::kSightingRecord), encode(sighting), tree::Supersede::none);
  if (taken) return;
  log_.error("a machine that was seen cannot be reported",
             {{"mac", sighting.mac}, {"why", taken.error().text()}});
}

void Boot::beat(uint64_t sequence) {
  proto::Heartbeat message;
  message.set_sequence(sequence);
  message.set_spool(spool_.tell(records_.stats()));
  masters_.send_all(tree::MessageType::heartbeat, message.SerializeAsString());
}

void Boot::on_master_ready(tree::Link&) {}

void Boot::on_master_channel(tree::Link& link, const std::string& kind,
                             std::unique_ptr<tree::Channel> channel) {
  if (kind == tree::kHttpChannel) channels_.accept(link, std::move(channel));
}

void Boot::on_master_lost(const std::string&, const Error&) {}

void Boot::on_way_up(tree::WayUp* way) {
  records_.use(way);
  replica_.way_up(way != nullptr);
  if (on_way_) on_way_(way != nullptr);
}

void Boot::on_master_message(tree::Link& link, tree::MessageType type, std::string_view payload) {
  switch (type) {
    case tree::MessageType::record_acks:
      records_.on_acks(payload);
      return;
    case tree::MessageType::settings:
      (void)settings_.take(payload, &link == masters_.up());
      return;
    default:
      return;
  }
}

}  // namespace drover::daemons
