// An aggregator's membership towards its masters: changes gathered and sent as they come, digests
// and whole buckets after a reconnect.
#pragma once

#include "base/clock.hpp"
#include "tree/member_table.hpp"
#include "tree/peers.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Executor's thread only.
class MemberBoard {
 public:
  /// `masters` are sent to by name; `ready` lists those that are linked.
  MemberBoard(Executor& executor, Duration flush, tree::Peers& masters,
              Callback<std::vector<std::string>()> ready);

  void put(const tree::MemberFacts& facts);
  void forget(const std::string& node);
  [[nodiscard]] const tree::MemberTable& table() const { return table_; }
  /// A master is linked: it gets our digest and answers with what it lacks.
  void greet(const std::string& master);
  /// A members_wanted message.
  void on_wanted(const std::string& master, std::string_view payload);

 private:
  void schedule();
  void flush();

  Executor& executor_;
  Duration flush_after_;
  tree::Peers& masters_;
  Callback<std::vector<std::string>()> ready_;
  tree::MemberTable table_;
  std::set<std::string, std::less<>> changed_;  ///< to be sent; absent from the table: forgotten
  Timer timer_;
  bool armed_ = false;
};

}  // namespace drover::daemons
