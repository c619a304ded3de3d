// What the API's consoles stand on: the hub that holds them, and the log of each.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "hardware/console/console_hub.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::api {

/// A piece of a console's log.
struct ConsolePiece {
  WallTime time{};
  bool note = false;  ///< what became of the console, in words; else bytes that it said
  std::string bytes;
};

/// The master's consoles. Executor's thread.
class ConsoleSource {
 public:
  ConsoleSource() = default;
  ConsoleSource(const ConsoleSource&) = delete;
  ConsoleSource& operator=(const ConsoleSource&) = delete;
  virtual ~ConsoleSource() = default;

  virtual hardware::ConsoleHub& hub() = 0;

  using Found = Callback<void(Result<std::vector<ConsolePiece>>)>;
  /// What a node's log has from then on, oldest first: all that was kept before this call and none
  /// after it. `found` runs once, never in here.
  virtual void read(const std::string& node, WallTime since, Found found) = 0;
  using Listener = Callback<void(const std::string& node, const ConsolePiece& piece)>;
  /// Hears of each piece as it is kept, until unlisten(). The listener must not call this.
  virtual uint64_t listen(Listener listener) = 0;
  virtual void unlisten(uint64_t id) = 0;
};

}  // namespace drover::api
