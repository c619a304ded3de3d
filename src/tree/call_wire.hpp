// Calls and their answers as messages: what belongs to one call may take several messages, none
// larger than a frame. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proto/calls.pb.h"
#include "tree/call.hpp"
#include "tree/fold.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

/// The part of a call that is the same for all who get it.
struct CallHead {
  std::string_view id;
  std::string_view method;
  std::string_view payload;
  Duration budget{};
  Duration age{};  ///< over 0: dispatched again
};

/// Milliseconds for the wire, rounded up, 0 only for 0 or less.
uint32_t to_wire_ms(Duration duration);
/// What a hop keeps of a budget for itself, so that the outcome of the hop below arrives in time: a
/// tenth, between 1 and 200 ms.
Duration hop_allowance(Duration budget);

/// call for the receiver itself.
std::string encode_call(const CallHead& head);
/// call messages for all of `nodes`; as many as their folded names need.
std::vector<std::string> encode_calls(const CallHead& head, const NameTable& names,
                                      const std::vector<uint32_t>& nodes);
/// call_answers messages for these groups; at least one when `complete`.
std::vector<std::string> encode_answers(std::string_view id, const std::vector<FoldedGroup>& groups,
                                        const NameTable& names, bool complete);
std::string encode_answer(std::string_view id, const Answer& answer);
std::string encode_cancel(std::string_view id);

/// corrupt when the outcome is none that a node may give.
Result<Answer> decode_answer(const proto::CallAnswer& message);
/// corrupt when the outcome is unknown.
Result<Answer> decode_answer(const proto::CallAnswers::Group& message);

}  // namespace drover::tree
