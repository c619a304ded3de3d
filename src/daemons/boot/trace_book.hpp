// What was seen of each machine on the wire lately: packets, transfers, scripts, tokens, each with
// what came of it. Bounded, in memory.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::daemons {

/// One thing that a machine did, and what it was answered.
struct TraceEvent {
  WallTime at{};
  std::string mac;   ///< empty: known by its address alone
  std::string node;  ///< empty: no node is known by it
  std::string address;
  std::string what;     ///< "DHCP DISCOVER", "TFTP undionly.kpxe", "HTTP script" ..
  std::string outcome;  ///< "OFFER 10.77.0.11: its own address", "refused: .."
  bool ok = true;       ///< false: refused, failed, or not answered
};

/// Machines are told apart by MAC. Those that speak IP are found by the address that DHCP gave
/// them, or as the node that they are; one without any is known by its address. One thread.
class TraceBook {
 public:
  struct Limits {
    size_t events = 48;        ///< of each machine: two boots
    size_t machines = 16'384;  ///< of nodes; the one that was silent the longest goes
    size_t strangers = 1'024;  ///< the same of machines that are no nodes: MACs are easily made up
    size_t text = 160;         ///< bytes of `what` and of `outcome`
  };

  explicit TraceBook(Clock& clock) : TraceBook(clock, Limits()) {}
  TraceBook(Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  /// A packet of a machine whose MAC is known; `address` that it has or is given, or empty.
  void add(std::string_view mac, std::string_view node, std::string_view address,
           std::string_view what, std::string_view outcome, bool ok);
  /// Of one that is known by its address; `node` may be empty.
  void add_at(std::string_view address, std::string_view node, std::string_view what,
              std::string_view outcome, bool ok);

  /// The machine that DHCP gave an address; empty: none that is remembered.
  [[nodiscard]] std::string mac_at(std::string_view address) const;
  /// Events of a node and of the machine with that MAC, oldest first, the newest `most`; either
  /// text may be empty.
  [[nodiscard]] std::vector<TraceEvent> find(std::string_view node, std::string_view mac,
                                             size_t most) const;
  [[nodiscard]] size_t machines() const { return machines_.size(); }

 private:
  struct Machine {
    std::string mac;
    std::string node;
    std::string address;
    std::deque<TraceEvent> events;
    std::list<std::string>::iterator place;  ///< in the list that it is in
  };

  Machine& machine(const std::string& key, std::string_view node);
  void put(Machine& machine, std::string_view what, std::string_view outcome, bool ok);
  void make_room(std::list<std::string>& order, size_t most);

  Clock& clock_;
  Limits limits_;
  std::map<std::string, Machine, std::less<>> machines_;  ///< by MAC, else by address
  std::list<std::string> nodes_;                          ///< keys, the one heard last in front
  std::list<std::string> strangers_;
  std::map<std::string, std::string, std::less<>> key_at_;  ///< by address
  std::map<std::string, std::string, std::less<>> key_of_;  ///< by node, where a MAC is known
};

}  // namespace drover::daemons
