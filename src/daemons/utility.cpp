#include "daemons/utility.hpp"

namespace drover::daemons {

Utility::Utility(Seams seams, UtilityConfig config,
                 Callback<std::shared_ptr<net::Security>()> security, HostFacts& facts)
    : log_(seams.log, "utility"),
      endpoints_(std::move(config.masters)),
      links_{seams.executor, log_.with("link"), config.self, config.timing.silence,
             config.timing.hello},
      uplinks_{links_, seams.net, seams.random, std::move(security)},
      masters_(uplinks_, *this),
      agent_(seams, log_, config.self, config.timing, facts, masters_, config.spool_dir,
             [this](const std::string& with_sample, const std::string&) {
               masters_.send_all(tree::MessageType::heartbeat, with_sample);
             }),
      settings_(log_.with("settings"), std::move(config.own_settings)) {}

Utility::~Utility() = default;

void Utility::apply(const cluster::Settings& settings) {
  agent_.apply(settings);
  const Duration silence = settings.duration("tree.silence");
  if (std::exchange(links_.silence_limit, silence) != silence) masters_.judge_anew();
}

void Utility::start() {
  agent_.start();
  settings_.on_change([this](const cluster::Settings& settings) { apply(settings); });
  masters_.start(endpoints_, MasterLinks::Dial::one_of);
}

void Utility::stop() {
  agent_.stop();
  masters_.stop(Error{Code::cancelled, "the utility daemon is stopping", {}, {}});
}

void Utility::on_master_ready(tree::Link&) {}

void Utility::on_master_lost(const std::string&, const Error&) {}

void Utility::on_way_up(tree::WayUp* way) {
  agent_.use(way);
}

void Utility::on_master_message(tree::Link& link, tree::MessageType type,
                                std::string_view payload) {
  switch (type) {
    case tree::MessageType::call:
      agent_.calls().on_call(link.peer().name, payload);
      return;
    case tree::MessageType::call_cancel:
      agent_.calls().on_cancel(payload);
      return;
    case tree::MessageType::record_acks:
      agent_.records().on_acks(payload);
      return;
    case tree::MessageType::settings:
      (void)settings_.take(payload, &link == masters_.up());
      return;
    default:
      return;
  }
}

}  // namespace drover::daemons
