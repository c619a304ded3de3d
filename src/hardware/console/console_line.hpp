// A way to a machine's serial console, whatever it goes through: bytes in, bytes out, a break.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace drover::hardware {

/// How a console is reached.
struct ConsoleWay {
  std::string kind;  ///< ipmi, ssh or socket
  std::string to;    ///< "10.0.0.7:623" or a path
  bool operator==(const ConsoleWay&) const = default;
};

/// One that is open or being opened. Destroying it ends it, as orderly as its kind allows, and no
/// event follows. One executor's thread.
class ConsoleLine {
 public:
  ConsoleLine() = default;
  ConsoleLine(const ConsoleLine&) = delete;
  ConsoleLine& operator=(const ConsoleLine&) = delete;
  virtual ~ConsoleLine() = default;
  /// Queues bytes as they were typed; only once it is open.
  virtual void write(std::string_view bytes) = 0;
  /// Bytes queued that are not on their way yet.
  [[nodiscard]] virtual size_t unsent() const = 0;
  /// Sends a break; only once it is open. unsupported where its kind has none, conflict where it
  /// cannot be sent right now.
  virtual Status send_break() = 0;
  /// Stops and starts the reading, to push back on a machine that floods.
  virtual void pause(bool paused) = 0;
};

/// Never inside a call to the line or to its dialler; the line may be destroyed in any.
struct ConsoleLineEvents {
  Callback<void(const ConsoleWay& way)> on_open;  ///< once, before any byte
  Callback<void(std::string_view bytes)> on_bytes;
  /// The last event, also without on_open. unauthenticated where a password was refused, conflict
  /// where somebody else has the console.
  Callback<void(const Error& why)> on_closed;
};

/// Opens consoles by the names of their nodes.
class ConsoleDialler {
 public:
  ConsoleDialler() = default;
  ConsoleDialler(const ConsoleDialler&) = delete;
  ConsoleDialler& operator=(const ConsoleDialler&) = delete;
  virtual ~ConsoleDialler() = default;
  virtual std::unique_ptr<ConsoleLine> dial(const std::string& node, ConsoleLineEvents events) = 0;
};

}  // namespace drover::hardware
