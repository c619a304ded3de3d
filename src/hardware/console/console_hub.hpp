// The consoles that a manager holds: one connection to each machine, any number of people at it.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "hardware/console/console_line.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

enum class ConsoleState : uint8_t {
  idle,        ///< nobody needs it
  connecting,  ///< the way to it is being opened, or waits for its turn
  open,
  waiting,  ///< it could not be opened or broke off; it is tried again
};
std::span<const std::string_view> enum_names(ConsoleState);

/// Who is at a console.
struct ConsoleViewer {
  std::string who;     ///< Principal::text()
  std::string origin;  ///< where the request entered: "utility/login1"
  bool writes = false;
  WallTime since{};
  bool operator==(const ConsoleViewer&) const = default;
};

/// What is known of one console.
struct ConsoleStatus {
  ConsoleState state = ConsoleState::idle;
  WallTime since{};
  std::string why;     ///< waiting: what went wrong
  std::string next;    ///< waiting: what to do about it; may be empty
  ConsoleWay way;      ///< once it was open
  bool held = false;   ///< also while nobody is at it
  uint64_t bytes = 0;  ///< that came since this manager started
};

/// One person's view. Its events must not call the hub.
class ConsoleSink {
 public:
  ConsoleSink() = default;
  ConsoleSink(const ConsoleSink&) = delete;
  ConsoleSink& operator=(const ConsoleSink&) = delete;
  virtual ~ConsoleSink() = default;
  /// Its client has more to take than it should: what comes is kept back until drained().
  [[nodiscard]] virtual bool full() const = 0;
  /// `end`: how many bytes of this console have come with these.
  virtual void on_bytes(uint64_t end, std::string_view bytes) = 0;
  /// So many bytes were too old when it could take them.
  virtual void on_lost(uint64_t bytes) = 0;
  virtual void on_status(const ConsoleStatus& status) = 0;
  /// Who is there now, in the order of their coming.
  virtual void on_viewers(const std::vector<ConsoleViewer>& viewers) = 0;
  /// The last event: the node is gone.
  virtual void on_end(const Error& why) = 0;
};

struct ConsoleLimits {
  /// Bytes of a console that are kept for who comes and who is slow; up to twice as many for a
  /// moment. A screen of 25 lines is 2 KiB.
  size_t kept = size_t{8} << 10;
  size_t viewers = 32;               ///< of one console
  size_t unsent = size_t{64} << 10;  ///< typed bytes that wait for the machine
  size_t dialling = 128;             ///< consoles that are being opened at a time
  Duration first_retry = std::chrono::seconds(2);
  Duration longest_retry = std::chrono::minutes(1);
  /// After a refused password: many BMCs lock an account that is wrong too often.
  Duration refused_retry = std::chrono::minutes(15);
  /// Who comes to a console that is not open has it tried at once, but only so often.
  Duration least_retry = std::chrono::seconds(5);
  /// One that nobody needs any more is kept open this long.
  Duration linger = std::chrono::seconds(30);
  /// What one machine may say: a serial line of 115200 baud gives 11.5 kB a second.
  uint64_t bytes_per_second = uint64_t{256} << 10;
  uint64_t burst_bytes = uint64_t{1} << 20;
};

/// What its owner hears; these must not call the hub.
struct ConsoleHubEvents {
  Callback<void(const std::string& node, std::string_view bytes)> on_bytes;
  /// "open by ipmi to 10.0.0.7:623", "user:alice writes": for the log.
  Callback<void(const std::string& node, std::string_view text)> on_note;
  Callback<void(const std::string& node, const ConsoleViewer& viewer, bool came)> on_viewer;
};

/// One executor's thread.
class ConsoleHub {
 public:
  ConsoleHub(Executor& executor, Random& random, ConsoleDialler& dialler, ConsoleLimits limits,
             ConsoleHubEvents events);
  ConsoleHub(const ConsoleHub&) = delete;
  ConsoleHub& operator=(const ConsoleHub&) = delete;
  ~ConsoleHub();

  /// Exactly these are open also while nobody is at them, so that their logs have everything.
  void hold(const std::set<std::string>& nodes);
  /// Its way is another now: it is opened anew, if anybody needs it.
  void redial(const std::string& node);
  /// Something happened to the machine, such as that it was switched on: one that waits is tried
  /// now.
  void hurry(const std::string& node);
  /// The node is gone.
  void remove(const std::string& node);

  using ViewerId = uint64_t;
  struct Coming {
    ConsoleViewer viewer;
    /// Where to go on: the `end` that was seen last. Nothing: with what is kept.
    std::optional<uint64_t> seen = {};
  };
  /// Adds a viewer; its first events come from here on, never in here. `sink` outlives it.
  /// exhausted when too many are there.
  Result<ViewerId> attach(const std::string& node, Coming coming, ConsoleSink& sink);
  /// Nothing when it is gone already.
  void detach(ViewerId id);
  /// Its client has taken what it was given.
  void drained(ViewerId id);
  [[nodiscard]] const ConsoleViewer* viewer(ViewerId id) const;

  /// What a viewer types. denied for one that only looks on; conflict while the console is not
  /// open, saying why; exhausted while the machine takes no more.
  Status type(ViewerId id, std::string_view bytes);
  Status send_break(ViewerId id);

  /// Nothing where nobody has asked for it.
  [[nodiscard]] std::optional<ConsoleStatus> status(const std::string& node) const;
  [[nodiscard]] std::vector<ConsoleViewer> viewers(const std::string& node) const;
  /// Those that are held or were used, in natural order.
  [[nodiscard]] std::vector<std::string> nodes() const;

  /// Expires with the hub, for viewers that may outlive it.
  [[nodiscard]] std::weak_ptr<bool> life() const { return alive_; }

 private:
  struct Viewer;
  struct Console;
  using Consoles = std::map<std::string, std::unique_ptr<Console>, NaturalLess>;

  Console& console(const std::string& node);
  [[nodiscard]] Console* find(ViewerId id, Viewer** viewer = nullptr) const;
  [[nodiscard]] static bool needed(const Console& console);
  void want(Console& console);
  void try_at(Console& console, MonoTime when);
  void pump();
  void dial(Console& console);
  void opened(Console& console, const ConsoleWay& way);
  void took(Console& console, std::string_view bytes);
  void closed(Console& console, const Error& why);
  void hang_up(Console& console);
  void settle(Console& console);
  void move(Console& console, ConsoleState state);
  void tell_viewers(Console& console);
  void feed(Console& console, Viewer& viewer);
  void feed_soon(Console& console);
  void throttle(Console& console, size_t bytes);
  Result<Console*> writable(ViewerId id);

  Executor& executor_;
  Random& random_;
  ConsoleDialler& dialler_;
  ConsoleLimits limits_;
  ConsoleHubEvents events_;
  Consoles consoles_;
  std::map<ViewerId, std::string> where_;
  ViewerId last_viewer_ = 0;
  std::deque<std::string> queue_;  ///< nodes that wait for their turn to be opened
  size_t dialling_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::hardware
