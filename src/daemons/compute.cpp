#include "daemons/compute.hpp"

#include "base/text.hpp"
#include "proto/link.pb.h"

#include <fmt/core.h>

namespace drover::daemons {

Compute::Compute(Seams seams, ComputeConfig config,
                 Callback<std::shared_ptr<net::Security>()> security, HostFacts& facts)
    : log_(seams.log, "compute"),
      links_{seams.executor, log_.with("link"), config.self, config.timing.silence,
             config.timing.hello},
      uplinks_{links_, seams.net, seams.random, std::move(security)},
      paths_(uplinks_, std::move(config.aggregators), *this),
      agent_(seams, log_, config.self, config.timing, facts, *this, config.spool_dir,
             [this](const std::string& with_sample, const std::string& plain) {
               paths_.send_all(tree::MessageType::heartbeat, with_sample, plain);
             }),
      settings_(log_.with("settings"), std::move(config.own_settings)) {}

Compute::~Compute() = default;

void Compute::apply(const cluster::Settings& settings) {
  agent_.apply(settings);
  const Duration silence = settings.duration("tree.silence");
  if (std::exchange(links_.silence_limit, silence) != silence) paths_.judge_anew();
}

void Compute::start() {
  agent_.start();
  settings_.on_change([this](const cluster::Settings& settings) { apply(settings); });
  paths_.start();
}

void Compute::stop() {
  agent_.stop();
  paths_.stop(Error{Code::cancelled, "the node's agent is stopping", {}, {}});
}

void Compute::on_primary(tree::Link* link) {
  cut_off_.reset();
  agent_.use(link == nullptr ? nullptr : this);
  if (link != nullptr && on_linked_) on_linked_();
}

void Compute::on_path_lost(tree::Link&) {}

void Compute::on_path_message(tree::Link& link, tree::MessageType type, std::string_view payload) {
  switch (type) {
    case tree::MessageType::call:
      agent_.calls().on_call(link.peer().name, payload);
      return;
    case tree::MessageType::call_cancel:
      agent_.calls().on_cancel(payload);
      return;
    case tree::MessageType::heartbeat:
      on_heartbeat(link, payload);
      return;
    case tree::MessageType::record_acks:
      agent_.records().on_acks(payload);
      return;
    case tree::MessageType::settings:
      (void)settings_.take(payload, &link == paths_.primary());
      return;
    default:
      return;
  }
}

void Compute::on_heartbeat(tree::Link& link, std::string_view payload) {
  proto::Heartbeat message;
  if (&link != paths_.primary()) return;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  if (message.no_master_since_ms() == 0) {
    cut_off_.reset();
  } else {
    cut_off_ = CutOff{from_unix_ms(message.no_master_since_ms()),
                      fmt::format("aggregator {} has no link to a master: {}", link.peer().name,
                                  printable(message.no_master_why()))};
  }
}

Status Compute::send(const std::string& peer, tree::MessageType type, std::string_view payload) {
  tree::Link* link = paths_.find(peer);
  if (link == nullptr) return fail(Code::unreachable, "no link to aggregator " + peer);
  return link->send_encoded(type, payload);
}

Status Compute::send_up(tree::MessageType type, std::string_view payload) {
  tree::Link* link = paths_.primary();
  if (link == nullptr) return fail(Code::unreachable, "no aggregator is linked");
  return link->send_encoded(type, payload);
}

}  // namespace drover::daemons
