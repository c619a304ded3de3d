// What a node does before it is up: steps in their order, as one node, group or profile has them.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of the objects in the store; their key is the owner (cluster/content/owner.hpp).
inline constexpr std::string_view kStepsKind = "steps";
inline constexpr size_t kMaxSteps = 64;
inline constexpr size_t kMaxStepArguments = 64;
/// Longest content of a file that a step writes, in bytes.
inline constexpr size_t kMaxStepFile = size_t{64} << 10;
/// Bounds of a step's time, in seconds.
inline constexpr uint32_t kMostStepSeconds = 3600;

enum class StepKind : uint8_t {
  module,   ///< load a kernel module
  mount,    ///< mount a file system
  file,     ///< write a file
  command,  ///< run a program; no shell
};
std::span<const std::string_view> enum_names(StepKind);

/// What becomes of the node when a step fails.
enum class OnFailure : uint8_t {
  stop,   ///< it is in phase error, and no later step runs
  go_on,  ///< the failure is told, the later steps run
};
std::span<const std::string_view> enum_names(OnFailure);

/// One step. Fields of other kinds than its own are empty.
struct Step {
  static constexpr std::string_view kTypeName = "NodeStep";
  std::string name;  ///< unique among the owner's
  StepKind kind = StepKind::command;
  uint32_t timeout_s = 30;
  OnFailure on_failure = OnFailure::stop;
  std::string module;                ///< module: its name
  std::string source;                ///< mount: device, or HOST:/PATH
  std::string target;                ///< mount: folder, made when it is not there
  std::string type;                  ///< mount: file system; empty: the kernel's guess
  std::string options;               ///< module, mount
  std::string path;                  ///< file
  std::string content;               ///< file
  std::string mode;                  ///< file: octal digits; empty: 0644
  std::vector<std::string> command;  ///< command: program and its arguments
  bool operator==(const Step&) const = default;
  void describe(Visitor& v);
};

/// Body of a store object of kind kStepsKind.
struct StepList {
  static constexpr std::string_view kTypeName = "NodeSteps";
  std::string name;  ///< its owner: "group/rack1"
  std::vector<Step> steps;
  bool operator==(const StepList&) const = default;
  void describe(Visitor& v);
};

/// Checks one step; errors name its fields below `field`.
Status normalise(Step& step, std::string_view field);
/// Checks every field; the error names field, value and rule.
Status normalise(StepList& list);

/// Ok for an absolute path of a file or folder that a node may be given: no "." and "..", no
/// control characters, at most 1024 bytes, not below /proc, /sys or /dev.
Status check_node_path(std::string_view field, std::string_view path);

}  // namespace drover::cluster
