// ChangeChain: the changes of one object, or of one id under all its names, from the newest to the
// oldest, along changes.previous (migrations/0005_chain.sql).
#pragma once

#include "base/result.hpp"
#include "store/sqlite/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::store {

/// Inside one job of the engine; the statement must outlive it.
class ChangeChain {
 public:
  /// `link` gives `previous` and `id` of the change whose sequence is its parameter. With an `id`,
  /// changes of other ids are passed over.
  ChangeChain(Statement& link, std::string_view id) : link_(link), id_(id) {}

  /// Adds the chain that begins at this change; 0 or one that is pruned: nothing.
  void begin_at(uint64_t sequence);
  /// The sequence of the next older change of all the chains; none: that was the oldest kept.
  Result<std::optional<uint64_t>> next();

 private:
  Statement& link_;
  std::string id_;
  std::vector<uint64_t> newest_;  // of each chain, not given yet
};

}  // namespace drover::store
