// What every node daemon does whatever its way up: reports its inventory, beats, samples, answers
// calls, keeps records until a master has them.
#pragma once

#include "cluster/settings.hpp"
#include "daemons/host_facts.hpp"
#include "daemons/nodeup/node_up_agent.hpp"
#include "daemons/seams.hpp"
#include "daemons/spool_reporter.hpp"
#include "tree/call_runner.hpp"
#include "tree/heartbeat.hpp"
#include "tree/hello.hpp"
#include "tree/peers.hpp"
#include "tree/record_sender.hpp"

#include <memory>
#include <string>

namespace drover::daemons {

/// Sends an encoded heartbeat on every link; `with_sample` for the way up, `plain` for the others.
using SendBeat = Callback<void(const std::string& with_sample, const std::string& plain)>;

/// One executor's thread.
class NodeAgent {
 public:
  /// `askers` are the links that calls come from. `spool_dir` empty: records live in memory.
  NodeAgent(Seams seams, const Log& log, const tree::Introduction& self, const Timing& timing,
            HostFacts& facts, tree::Peers& askers, const std::string& spool_dir,
            SendBeat send_beat);
  ~NodeAgent();

  void start();
  void stop();
  /// The way up has changed; nullptr: lost. After a complete disconnect the inventory is sent anew.
  void use(tree::WayUp* way);
  /// Reads the machine now and sends what it is.
  void collect_now();
  /// Acts on what the settings say of beats and samples.
  void apply(const cluster::Settings& settings);
  [[nodiscard]] Worker& worker() { return *worker_; }
  [[nodiscard]] tree::CallRunner& calls() { return runner_; }
  [[nodiscard]] tree::RecordSender& records() { return records_; }

 private:
  void beat(uint64_t sequence);
  /// Reads the machine on the worker and records what it found; `done` gets a line for people.
  void collect(Callback<void(Result<std::string>)> done);

  Log log_;
  tree::Introduction self_;
  HostFacts& facts_;
  SendBeat send_beat_;
  std::unique_ptr<Worker> worker_;
  /// Reading a machine may take longer than the silence limit: it must not hold up the beat.
  std::unique_ptr<Worker> reader_;
  tree::CallRunner runner_;
  tree::RecordSender records_;
  SpoolReporter spool_;
  std::unique_ptr<NodeUpAgent> node_up_;  ///< null where no steps are taken
  tree::Heartbeat heartbeat_;
  bool connected_ = false;
  bool whole_sample_ = true;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
