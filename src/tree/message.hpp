// The message types of the daemon protocol, each with its lane. Numbers are frozen once released.
#pragma once

#include <cstdint>
#include <string_view>

namespace drover::tree {

/// Lanes in strict priority: a frame of a lower lane is sent only when the higher ones are empty.
enum class Lane : uint8_t { control = 0, request = 1, bulk = 2 };

enum class MessageType : uint8_t {
  hello = 1,
  refusal = 2,
  heartbeat = 3,
  goodbye = 4,
  channel_open = 10,
  channel_data = 11,
  channel_credit = 12,
  channel_end = 13,
  channel_reset = 14,
  path_assignments = 20,
  path_set = 21,
  path_role = 22,
  members = 23,
  members_digest = 24,
  members_wanted = 25,
  revocations = 26,
  call = 30,
  call_answer = 31,
  call_answers = 32,
  call_cancel = 33,
  records = 40,
  record_acks = 41,
  samples = 50,
  settings = 60,
};

/// Whether this build knows the type of that number.
bool is_known(uint8_t type);
Lane lane_of(MessageType type);
std::string_view name(MessageType type);

/// Protocol versions that this build speaks (hello picks the highest common one).
inline constexpr uint32_t kProtocolMin = 1;
inline constexpr uint32_t kProtocolMax = 1;

/// Feature bits of the hello.
inline constexpr uint64_t kFeatureFold = 1;      ///< folds answers of calls
inline constexpr uint64_t kFeatureChannels = 2;  ///< channels under credit
inline constexpr uint64_t kFeatures = kFeatureFold | kFeatureChannels;

}  // namespace drover::tree
