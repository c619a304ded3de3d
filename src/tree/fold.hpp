// Folding: ten thousand equal answers are one answer with a node set.
#pragma once

#include "base/result.hpp"
#include "tree/call.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::tree {

/// The targets of one call, each with a small number. Names keep their place and address.
class NameTable {
 public:
  /// The number of `name`, given now if it is new.
  uint32_t add(std::string_view name);
  [[nodiscard]] std::optional<uint32_t> find(std::string_view name) const;
  [[nodiscard]] const std::string& name(uint32_t number) const { return names_[number]; }
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(names_.size()); }
  /// fold_names() of some of them.
  [[nodiscard]] std::string fold(const std::vector<uint32_t>& numbers) const;

 private:
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, uint32_t> numbers_;  ///< looked up, never walked
};

/// Whether an outcome is the last word, or the target may be tried by another way.
enum class Retry : uint8_t {
  final_word,
  not_sent,    ///< it never got the call
  maybe_sent,  ///< the way broke while it had the call
};

/// How one target ended.
struct Answer {
  Outcome outcome = Outcome::done;
  Retry retry = Retry::final_word;
  std::string result;          ///< done
  Code code = Code::internal;  ///< otherwise
  std::string message;         ///< otherwise; cut at 4 KiB
  static Answer done(std::string result);
  static Answer error(Outcome outcome, const Error& why, Retry retry = Retry::final_word);
};

/// Some targets that ended equally.
struct FoldedGroup {
  const Answer* answer = nullptr;  ///< lives as long as the fold that made it, until clear()
  std::vector<uint32_t> nodes;     ///< numbers in the fold's table
};
/// The group as callers see it.
CallGroup to_group(const FoldedGroup& group, const NameTable& names);

/// Collects one answer per target and groups equal ones. Whoever adds sees to it that a target is
/// added once. A result over kMaxCallResult, or over kMaxCallResults together with the others, is
/// replaced by failed(too_large).
class AnswerFold {
 public:
  /// `names` outlives the fold.
  explicit AnswerFold(const NameTable& names) : names_(&names) {}

  void add(uint32_t node, Answer answer);
  void add(const std::vector<uint32_t>& nodes, Answer answer);
  /// Every group, the biggest first, then by the first name in natural order.
  [[nodiscard]] std::vector<FoldedGroup> all() const;
  /// What was added since the last take_fresh() or rewind(), in the same order.
  std::vector<FoldedGroup> take_fresh();
  [[nodiscard]] bool has_fresh() const { return !fresh_.empty(); }
  /// Makes everything fresh again.
  void rewind();
  void clear();

  [[nodiscard]] const CallTotals& totals() const { return totals_; }
  /// Bytes of the distinct results.
  [[nodiscard]] size_t result_bytes() const { return result_bytes_; }

 private:
  struct Less {
    bool operator()(const Answer& a, const Answer& b) const;
  };
  struct Group {
    const Answer* answer = nullptr;
    std::vector<uint32_t> nodes;
    size_t taken = 0;  ///< of `nodes`, how many were given out by take_fresh()
  };
  size_t group_of(Answer&& answer, size_t nodes);
  void sort(std::vector<FoldedGroup>& groups) const;

  const NameTable* names_;
  std::map<Answer, size_t, Less> index_;
  std::vector<Group> groups_;
  std::vector<size_t> fresh_;  ///< groups with nodes beyond `taken`
  CallTotals totals_;
  size_t result_bytes_ = 0;
};

}  // namespace drover::tree
