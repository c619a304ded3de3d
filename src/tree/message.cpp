#include "tree/message.hpp"

#include <array>

namespace drover::tree {
namespace {

struct TypeRow {
  MessageType type;
  Lane lane;
  std::string_view name;
};

constexpr std::array<TypeRow, 24> kTypes{{
    {MessageType::hello, Lane::control, "hello"},
    {MessageType::refusal, Lane::control, "refusal"},
    {MessageType::heartbeat, Lane::control, "heartbeat"},
    {MessageType::goodbye, Lane::control, "goodbye"},
    {MessageType::channel_open, Lane::request, "channel_open"},
    {MessageType::channel_data, Lane::bulk, "channel_data"},
    {MessageType::channel_credit, Lane::control, "channel_credit"},
    {MessageType::channel_end, Lane::bulk, "channel_end"},
    {MessageType::channel_reset, Lane::request, "channel_reset"},
    {MessageType::path_assignments, Lane::control, "path_assignments"},
    {MessageType::path_set, Lane::control, "path_set"},
    {MessageType::path_role, Lane::control, "path_role"},
    {MessageType::members, Lane::control, "members"},
    {MessageType::members_digest, Lane::control, "members_digest"},
    {MessageType::members_wanted, Lane::control, "members_wanted"},
    {MessageType::revocations, Lane::control, "revocations"},
    {MessageType::call, Lane::request, "call"},
    {MessageType::call_answer, Lane::request, "call_answer"},
    {MessageType::call_answers, Lane::request, "call_answers"},
    {MessageType::call_cancel, Lane::request, "call_cancel"},
    {MessageType::records, Lane::request, "records"},
    {MessageType::record_acks, Lane::request, "record_acks"},
    {MessageType::samples, Lane::request, "samples"},
    {MessageType::settings, Lane::control, "settings"},
}};

constexpr TypeRow kNone{MessageType::hello, Lane::control, ""};

/// Rows by number, so that the receive path looks up a type with one index.
constexpr std::array<TypeRow, 256> by_number() {
  std::array<TypeRow, 256> table{};
  for (auto& row : table) row = kNone;
  for (const TypeRow& row : kTypes) table[static_cast<uint8_t>(row.type)] = row;
  return table;
}
constexpr std::array<TypeRow, 256> kByNumber = by_number();

}  // namespace

bool is_known(uint8_t type) {
  return !kByNumber[type].name.empty();
}
Lane lane_of(MessageType type) {
  return kByNumber[static_cast<uint8_t>(type)].lane;
}
std::string_view name(MessageType type) {
  return kByNumber[static_cast<uint8_t>(type)].name;
}

}  // namespace drover::tree
