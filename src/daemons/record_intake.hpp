// Records arriving at a master: each has its effect once, in the transaction that remembers it, and
// is acknowledged only when that is durable.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "cluster/content/node_up.hpp"
#include "store/store.hpp"
#include "tree/peers.hpp"

#include <map>
#include <string>
#include <string_view>

namespace drover::proto {
class Record;
}

namespace drover::daemons {

/// Executor's thread only.
class RecordIntake {
 public:
  RecordIntake(Executor& executor, Random& random, const Log& log, store::Store& store,
               tree::Peers& links);
  /// Hears reports of kind cluster::kNodeUpRecord once they are durable.
  void on_node_up(Callback<void(const std::string& node, const cluster::NodeUpReport&)> hears) {
    on_node_up_ = std::move(hears);
  }
  /// A records message from the linked peer `via`. `only_origin` is not empty when that peer may
  /// speak about itself alone (a utility daemon).
  void take(const std::string& via, std::string_view payload, const std::string& only_origin);

 private:
  struct Answers;
  void settle(const std::string& via);
  void tell_node_up(const proto::Record& record);

  Executor& executor_;
  Random& random_;
  Log log_;
  store::Store& store_;
  tree::Peers& links_;
  Callback<void(const std::string&, const cluster::NodeUpReport&)> on_node_up_;
  std::map<std::string, std::shared_ptr<Answers>> answers_;  ///< acks gathered by peer
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
