// What a daemon stands on: the seams, real in the programs and simulated in the tests.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/net.hpp"

#include <string>

namespace drover::daemons {

/// References that outlive the daemon. One executor's thread.
struct Seams {
  Executor& executor;
  net::Net& net;
  Disk& disk;
  Random& random;
  LogSink& log;
};

/// Times of the tree; cluster-wide settings with these defaults (design section 6).
struct Timing {
  Duration heartbeat = std::chrono::seconds(1);
  Duration silence = std::chrono::seconds(3);
  Duration hello = std::chrono::seconds(5);
  /// How long a returned aggregator must stay before its nodes move home.
  Duration hold = std::chrono::seconds(60);
  /// Changes of membership are gathered this long before they go up.
  Duration members_flush = std::chrono::milliseconds(10);
  /// How long a master that has just started waits for aggregators before it calls a node lost.
  Duration confirm_grace = std::chrono::seconds(15);
};

/// Why and since when there is no way to a master.
struct CutOff {
  WallTime since{};
  std::string why;
};

}  // namespace drover::daemons
