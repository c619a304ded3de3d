// One emulated BMC without its sockets: requests in, answers out, machines that change with time.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/http/http.hpp"
#include "sim/bmc/bmc_board.hpp"
#include "sim/bmc/bmc_door.hpp"
#include "sim/bmc/bmc_state.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace drover::sim {

/// What was asked of a BMC, for tests.
struct BmcCounts {
  uint64_t requests = 0;
  uint64_t gets = 0;
  uint64_t resets = 0;
  uint64_t patches = 0;
  uint64_t refused = 0;  ///< answered 401
};

class EmulatedBmc {
 public:
  /// Answers a GET in place of the made tree: the text of the resource at a path, or nothing.
  using Source = Callback<std::optional<std::string>(std::string_view path)>;

  /// Clock and random outlive it.
  EmulatedBmc(BmcTraits traits, Clock& clock, Random& random);

  /// The answer to one request, hostility left out.
  net::HttpResponse answer(const net::HttpRequest& request);
  void serve_from(Source source) { source_ = std::move(source); }

  [[nodiscard]] const BmcTraits& traits() const { return traits_; }
  /// For changes in the middle of a test; systems are not to be changed.
  BmcTraits& edit_traits() { return traits_; }
  [[nodiscard]] BmcMachines& machines() { return machines_; }
  [[nodiscard]] BmcBoard& board() { return board_; }
  [[nodiscard]] BmcDoor& door() { return door_; }
  [[nodiscard]] const BmcCounts& counts() const { return counts_; }

 private:
  struct Target {
    std::string path;  ///< without query and slash at the end
    bool expand = false;
    uint32_t skip = 0;
  };
  struct Task {
    MonoTime done;
    uint64_t update = 0;  ///< of the board's that it watches; 0: none
  };
  static Target target_of(std::string_view target);
  net::HttpResponse get(const Target& target);
  net::HttpResponse post(const Target& target, const net::HttpRequest& request);
  net::HttpResponse patch(const Target& target, const net::HttpRequest& request);
  net::HttpResponse patch_cap(const Target& target, const net::HttpRequest& request);
  net::HttpResponse update(const net::HttpRequest& request);
  net::HttpResponse watch_update(uint64_t number);
  net::HttpResponse erase(const Target& target);
  net::HttpResponse open_session(const net::HttpRequest& request);
  net::HttpResponse reset(uint32_t system, const net::HttpRequest& request);
  net::HttpResponse task(std::string_view path);
  net::HttpResponse start_task(Duration lasts);
  [[nodiscard]] std::string etag(uint32_t system) const;

  BmcTraits traits_;
  Clock& clock_;
  Random& random_;
  BmcMachines machines_;
  BmcBoard board_;
  BmcDoor door_;
  Source source_;
  BmcCounts counts_;
  uint32_t busy_given_ = 0;
  uint64_t next_session_ = 1;
  std::map<std::string, std::string> session_paths_;  ///< path to token
  uint64_t next_task_ = 1;
  std::map<std::string, Task> tasks_;  ///< by path of the monitor
};

}  // namespace drover::sim
