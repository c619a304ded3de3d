// Calls as the API shows them: what is asked, how the nodes ended, and what a stream of it says.
#pragma once

#include "base/describe.hpp"
#include "cluster/operation.hpp"
#include "tree/call.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::api {

inline constexpr int64_t kDefaultCallMs = 5000;

struct CallRequest {
  static constexpr std::string_view kTypeName = "CallRequest";
  std::string method;
  std::string nodes;
  std::string payload;
  int64_t timeout_ms = kDefaultCallMs;
  std::string why;  ///< of what ends nodes: kept in their phases and in the history
  void describe(Visitor& v);
};

enum class CallOutcome : uint8_t { done, failed, unreached, timed_out };
std::span<const std::string_view> enum_names(CallOutcome);

struct CallError {
  static constexpr std::string_view kTypeName = "CallError";
  std::string code;
  std::string message;
  void describe(Visitor& v);
};

struct CallGroupView {
  static constexpr std::string_view kTypeName = "CallGroup";
  CallOutcome outcome = CallOutcome::done;
  std::string nodes;
  uint64_t count = 0;
  std::optional<std::string> result;
  std::optional<CallError> error;
  void describe(Visitor& v);
};

struct CallView {
  static constexpr std::string_view kTypeName = "Call";
  std::string id;
  std::vector<CallGroupView> groups;
  std::map<std::string, uint64_t> totals;
  void describe(Visitor& v);
};

/// One line or event of a streamed call.
struct CallEvent {
  static constexpr std::string_view kTypeName = "CallEvent";
  std::string id;
  std::optional<CallGroupView> group;
  std::map<std::string, uint64_t> totals;
  uint64_t targets = 0;
  bool end = false;
  void describe(Visitor& v);
};

CallGroupView view_of(const tree::CallGroup& group);
std::map<std::string, uint64_t> totals_of(const tree::CallTotals& totals);
CallView view_of(const tree::CallReport& report);
/// The same group as an operation keeps it.
cluster::OperationGroup operation_group_of(const tree::CallGroup& group);

}  // namespace drover::api
