// Tells SMD's subscribers of changes of components: compares what each change left behind with what
// was there, gathers what changed alike, and posts it, one message at a time to each.
#pragma once

#include "api/webhooks.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace drover::api::smd {

/// Messages that wait for one subscriber; older ones go when there are more.
inline constexpr size_t kMostWaiting = 1000;
/// How often a message is tried; a second after the first time, then twice as long each time.
inline constexpr int kTries = 5;

/// Executor's thread only. What waits is lost with the master: a subscriber asks what is so when it
/// hears nothing for long.
class ScnNotifier {
 public:
  /// The references outlive it.
  ScnNotifier(Executor& executor, store::Store& store, const cluster::Model& model, Log log,
              Webhooks& webhooks);

 private:
  struct Lane {
    std::deque<std::string> waiting;
    bool busy = false;
    int tries = 0;
    Timer retry;
  };
  void follow(std::span<const store::Change> changes);
  void send(uint64_t id);
  void sent(uint64_t id, const Status& status);

  Executor& executor_;
  const cluster::Model& model_;
  Log log_;
  Webhooks& webhooks_;
  store::Subscription feed_;
  std::map<uint64_t, Lane> lanes_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api::smd
