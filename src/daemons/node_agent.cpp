#include "daemons/node_agent.hpp"

#include "proto/link.pb.h"

#include <fmt/core.h>

namespace drover::daemons {

NodeAgent::NodeAgent(Seams seams, const Log& log, const tree::Introduction& self,
                     const Timing& timing, HostFacts& facts, tree::Peers& askers,
                     const std::string& spool_dir, SendBeat send_beat)
    : log_(log),
      self_(self),
      facts_(facts),
      send_beat_(std::move(send_beat)),
      worker_(seams.executor.make_worker("work")),
      reader_(seams.executor.make_worker("inventory")),
      runner_(seams.executor, log.with("call"), askers, {}),
      records_(seams.executor, log.with("records"),
               {self.name, std::string(tree::name(self.role)), self.incarnation}, {},
               tree::spool_at(seams.disk, spool_dir)),
      heartbeat_(seams.executor, timing.heartbeat, [this](uint64_t n) { beat(n); }) {
  heartbeat_.prove(*worker_);
  if (facts.steps() == nullptr) return;
  node_up_ = std::make_unique<NodeUpAgent>(
      seams.executor, log, seams.disk, *facts.steps(), facts.state(), self.boot_id,
      [this](const cluster::NodeUpReport& report) {
        const auto taken = records_.add(std::string(cluster::kNodeUpRecord), encode(report),
                                        tree::Supersede::none);
        if (!taken) log_.error("a report is lost", {{"why", taken.error().text()}});
      });
  node_up_->serve(runner_);
}

NodeAgent::~NodeAgent() = default;

void NodeAgent::start() {
  runner_.handle("ping", tree::Repeat::harmless,
                 [](const tree::CallRequest&, tree::CallReply reply) { reply("pong"); });
  runner_.handle(
      "identity", tree::Repeat::harmless, [this](const tree::CallRequest&, tree::CallReply reply) {
        reply(fmt::format("{} {} {}", tree::name(self_.role), self_.name, self_.version));
      });
  runner_.handle(
      "inventory.collect", tree::Repeat::harmless,
      [this](const tree::CallRequest&, tree::CallReply reply) { collect(std::move(reply)); });
  for (const auto how : {os::MachineEnd::reboot, os::MachineEnd::halt, os::MachineEnd::poweroff}) {
    // The answer leaves before init's signal can come: it is written in this turn of the loop.
    runner_.handle(fmt::format("power.{}", os::name(how)), tree::Repeat::never,
                   [this, how](const tree::CallRequest&, tree::CallReply reply) {
                     log_.notice("the machine is to end", {{"how", std::string(os::name(how))}});
                     if (Status asked = facts_.end_machine(how); !asked) {
                       return reply(tl::unexpected(std::move(asked).error()));
                     }
                     reply(fmt::format("{}: asked", os::name(how)));
                   });
  }
  heartbeat_.start();
}

void NodeAgent::stop() {
  heartbeat_.stop();
  records_.use(nullptr);
}

void NodeAgent::apply(const cluster::Settings& settings) {
  heartbeat_.set_interval(settings.duration("tree.heartbeat"));
  facts_.set_interval(settings.duration("telemetry.interval"));
}

void NodeAgent::use(tree::WayUp* way) {
  records_.use(way);
  whole_sample_ = true;
  const bool was_connected = std::exchange(connected_, way != nullptr);
  if (way != nullptr && !was_connected) collect_now();
}

void NodeAgent::collect_now() {
  collect([this](const Result<std::string>& done) {
    if (!done) log_.error("the inventory could not be sent", {{"why", done.error().text()}});
  });
}

void NodeAgent::collect(Callback<void(Result<std::string>)> done) {
  auto found = std::make_shared<Result<std::string>>(fail(Code::internal, "not read"));
  reader_->run(
      [found, &facts = facts_] { *found = facts.read_inventory(); },
      [this, alive = std::weak_ptr<bool>(alive_), found, done = std::move(done)]() mutable {
        if (alive.expired()) return;
        if (!*found) {
          done(fail_in("reading the inventory", found->error()));
          return;
        }
        auto sequence = records_.add("inventory", std::move(**found), tree::Supersede::older);
        if (!sequence) {
          done(fail_in("recording the inventory", sequence.error()));
        } else {
          done("inventory sent");
        }
      });
}

void NodeAgent::beat(uint64_t sequence) {
  proto::Heartbeat message;
  message.set_sequence(sequence);
  const std::string plain = message.SerializeAsString();
  if (!connected_) {
    send_beat_(plain, plain);
    return;
  }
  message.set_spool(spool_.tell(records_.stats()));
  message.set_sample(facts_.sample(std::exchange(whole_sample_, false)));
  send_beat_(message.SerializeAsString(), plain);
}

}  // namespace drover::daemons
