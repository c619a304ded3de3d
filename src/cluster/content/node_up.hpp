// What a node is ordered to do before it is up, what it reports of that, and what the managers
// remember. Pure.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of the records that carry a NodeUpReport (tree/record_sender.hpp).
inline constexpr std::string_view kNodeUpRecord = "node_up";
/// Kind of what is remembered of a node's last run, by node. Bookkeeping: in no log and no feed.
inline constexpr std::string_view kNodeUpKind = "node-up";
/// Methods of the agent: take an order while booting; take files while running.
inline constexpr std::string_view kNodeUpCall = "node.up";
inline constexpr std::string_view kOverlayCall = "overlay.apply";
/// Most bytes of what one step wrote that are kept, its end; and of a `why`.
inline constexpr size_t kStepOutput = 2048;
inline constexpr size_t kMaxStepWhy = 512;

/// A file as a node gets it: no formulas, no inheritance.
struct OrderedFile {
  static constexpr std::string_view kTypeName = "OrderedFile";
  std::string path;
  OverlayFile file;
  bool operator==(const OrderedFile&) const = default;
  void describe(Visitor& v);
};

/// What a node is sent.
struct NodeOrder {
  static constexpr std::string_view kTypeName = "NodeOrder";
  uint32_t attempt = 1;  ///< counts from 1 in each boot; a higher one runs everything again
  std::vector<Step> steps;
  std::vector<OrderedFile> files;  ///< all that the node shall have: others it was given go
  bool operator==(const NodeOrder&) const = default;
  void describe(Visitor& v);
};
/// Reads one on the node and checks it by the rules of the model, whoever sent it.
Result<NodeOrder> parse_node_order(std::string_view text);

enum class StepStatus : uint8_t { waiting, running, ok, failed, timed_out, skipped };
std::span<const std::string_view> enum_names(StepStatus);

/// How a step, or a hook, went.
struct StepResult {
  static constexpr std::string_view kTypeName = "StepResult";
  std::string name;
  StepStatus status = StepStatus::waiting;
  uint64_t ms = 0;          ///< how long it took
  std::string why = {};     ///< of a failure, in words
  std::string output = {};  ///< the end of what it wrote
  bool operator==(const StepResult&) const = default;
  void describe(Visitor& v);
};
/// Cuts what is too long and takes out what is no text.
void tidy(StepResult& result);

enum class RunState : uint8_t { running, done, failed };
std::span<const std::string_view> enum_names(RunState);

/// What became of a node's files.
struct FilesResult {
  static constexpr std::string_view kTypeName = "FilesResult";
  std::vector<std::string> placed;
  std::vector<std::string> removed;
  uint32_t unchanged = 0;
  std::vector<std::string> problems;  ///< "PATH: why"
  bool operator==(const FilesResult&) const = default;
  void describe(Visitor& v);
};

/// What a node says of its run; the newest says everything.
struct NodeUpReport {
  static constexpr std::string_view kTypeName = "NodeUpReport";
  std::string boot_id;
  uint32_t attempt = 1;
  RunState state = RunState::running;
  std::vector<StepResult> steps;
  FilesResult files;
  std::string why;  ///< failed: which step, and why
  WallTime at{};
  bool operator==(const NodeUpReport&) const = default;
  void describe(Visitor& v);
};
/// invalid_argument or too_large for what no agent sends.
Result<NodeUpReport> parse_node_up_report(std::string_view text);
/// "step 2 of 5: mounts", of a run that goes on.
std::string progress_text(const NodeUpReport& report);

/// What is remembered of a node's last run: steps on the node, hooks on a manager.
struct NodeUpRun {
  static constexpr std::string_view kTypeName = "NodeUpRun";
  std::string boot_id;
  uint32_t attempt = 1;
  RunState state = RunState::running;
  std::string why;
  WallTime begun{};
  WallTime ended{};
  std::vector<StepResult> steps;
  FilesResult files;
  bool steps_done = false;   ///< what is left are the hooks
  bool hooks_begun = false;  ///< they run once in a boot, whatever becomes of the manager
  std::vector<StepResult> hooks;
  bool operator==(const NodeUpRun&) const = default;
  void describe(Visitor& v);
};

/// Takes over what the node says; false when it is of another boot or attempt, or comes too late.
bool take_report(NodeUpRun& run, const NodeUpReport& report);

/// A record of kind kNodeUpRecord, in the transaction that acknowledges it: what is remembered of
/// the run, and the node's phase while it goes on.
Status apply_node_up_report(store::Transaction& tx, const std::string& node,
                            const NodeUpReport& report);

}  // namespace drover::cluster
