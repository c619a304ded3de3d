// Operations: long requests on many nodes as journaled objects, with an outcome per node, that any
// master can take up when the one that ran them is gone. Pure; cluster/operation_runner.hpp runs
// them.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of operation objects in the store; their key is the operation's id.
inline constexpr std::string_view kOperationKind = "operation";

enum class OperationState : uint8_t {
  running,
  cancelling,   ///< somebody asked it to stop
  done,         ///< every node is done
  failed,       ///< it ran to its end, and some node is not done
  cancelled,    ///< it was stopped before every node had ended
  interrupted,  ///< its master died, and it could not be taken up
};
std::span<const std::string_view> enum_names(OperationState);
/// Whether nothing more will happen.
bool has_ended(OperationState state);

/// How a node ended.
enum class OperationOutcome : uint8_t {
  done,
  failed,
  unreached,
  timed_out,
  cancelled,
  interrupted
};
std::span<const std::string_view> enum_names(OperationOutcome);

struct OperationError {
  static constexpr std::string_view kTypeName = "OperationError";
  std::string code;
  std::string message;
  bool operator==(const OperationError&) const = default;
  void describe(Visitor& v);
};

/// Nodes that ended alike.
struct OperationGroup {
  static constexpr std::string_view kTypeName = "OperationGroup";
  OperationOutcome outcome = OperationOutcome::done;
  std::string nodes;  ///< folded noderange
  uint64_t count = 0;
  std::optional<std::string> result;
  std::optional<OperationError> error;
  bool operator==(const OperationGroup&) const = default;
  void describe(Visitor& v);
};

struct Operation {
  static constexpr std::string_view kTypeName = "Operation";
  std::string id;      ///< 32 hexadecimal digits
  std::string kind;    ///< "call" ..: who knows how to run it
  std::string what;    ///< for people: "ping"
  RawJson request;     ///< all that its kind needs to run it, also on another master
  std::string who;     ///< the principal that asked
  std::string nodes;   ///< folded noderange of plain names: every node that it is about
  uint64_t total = 0;  ///< how many they are
  OperationState state = OperationState::running;
  std::string why;                     ///< of cancelled and interrupted
  std::vector<OperationGroup> groups;  ///< of the nodes that have ended
  uint64_t settled = 0;                ///< nodes that have ended
  uint64_t done = 0;                   ///< of these, those that are done
  WallTime created{};
  WallTime finished{};    ///< zero: not yet
  std::string master;     ///< "m1#17": the master that runs it, and which start of it
  uint64_t taken_up = 0;  ///< how often another start of a master went on with it
  bool operator==(const Operation&) const = default;
  void describe(Visitor& v);
};

/// Largest stored form: groups beyond it are merged and lose their results.
inline constexpr size_t kMaxOperation = size_t{256} << 10;

/// In the mutation that answers the request: stores a new operation, which the runner of `master`
/// then starts. already_exists for an id that is taken.
Status create_operation(store::Transaction& tx, Operation operation);

/// Asks it to stop. not_found; conflict when it has ended. Asking twice is no error.
Result<Operation> cancel_operation(store::Transaction& tx, const std::string& id,
                                   std::string_view why);

/// The operation; not_found with a hint.
Result<Operation> read_operation(store::Transaction& tx, const std::string& id);

/// Merges the smallest groups, without their results, until it is at most kMaxOperation long.
void shrink(Operation& operation);

/// Collects the outcomes of nodes, each once, and folds equal ones.
class OperationTally {
 public:
  /// Of the nodes of `operation`, with the groups that it has already.
  explicit OperationTally(const Operation& operation);

  /// Nodes that have no outcome yet, in natural order.
  [[nodiscard]] std::vector<std::string> remaining() const;
  [[nodiscard]] bool complete() const { return remaining_ == 0; }
  /// Notes how the nodes of `group` ended; those that have ended before, or are none of this
  /// operation's, are left out.
  void settle(const OperationGroup& group);
  /// Gives every node without one this outcome.
  void settle_rest(OperationOutcome outcome, const OperationError& error);
  /// Writes groups and counts into `operation`: those not done first, then the biggest.
  void store_in(Operation& operation) const;

 private:
  struct Group {
    OperationGroup like;
    std::vector<uint32_t> nodes;
  };
  Group& group_like(const OperationGroup& group);
  [[nodiscard]] std::optional<uint32_t> index_of(std::string_view name) const;

  std::vector<std::string> names_;  ///< natural order
  std::vector<bool> settled_;
  size_t remaining_ = 0;
  std::vector<Group> groups_;
};

}  // namespace drover::cluster
