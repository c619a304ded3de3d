// The live links of a daemon as the parts above links see them: a message goes to a peer by name.
// Daemons implement these over Link; tests over a list.
#pragma once

#include "base/result.hpp"
#include "tree/message.hpp"

#include <string>
#include <string_view>

namespace drover::tree {

/// Links of one kind (an aggregator's nodes, its masters), one live link per name.
class Peers {
 public:
  Peers() = default;
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  virtual ~Peers() = default;
  /// Queues one encoded message on the peer's live link. Without one: unreachable, and the message
  /// says why ("not linked since 21:33: silent for 3 s"). Never calls back into the caller.
  virtual Status send(const std::string& peer, MessageType type, std::string_view payload) = 0;
};

/// The one way towards the masters that is in use now: a compute's primary, an aggregator's master.
class WayUp {
 public:
  WayUp() = default;
  WayUp(const WayUp&) = delete;
  WayUp& operator=(const WayUp&) = delete;
  virtual ~WayUp() = default;
  /// Queues one encoded message; unreachable when the way is lost. Never calls back into the
  /// caller.
  virtual Status send_up(MessageType type, std::string_view payload) = 0;
};

}  // namespace drover::tree
