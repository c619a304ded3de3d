#include "tree/record_sender.hpp"

#include "proto/records.pb.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {

RecordSender::RecordSender(Executor& executor, const Log& log, Config config,
                           const RecordOutbox::Limits& limits, std::unique_ptr<SpoolPlace> spool)
    : log_(log.with("records")),
      executor_(executor),
      config_(std::move(config)),
      outbox_(executor, log, limits, std::move(spool)) {}

std::string RecordSender::encode(uint64_t sequence, const std::string& kind,
                                 std::string payload) const {
  proto::Record record;
  record.set_origin(config_.origin);
  record.set_incarnation(config_.incarnation);
  record.set_sequence(sequence);
  record.set_kind(kind);
  record.set_payload(std::move(payload));
  record.set_time_ms(to_unix_ms(executor_.wall()));
  record.set_role(config_.role);
  return record.SerializeAsString();
}

Result<uint64_t> RecordSender::add(const std::string& kind, std::string payload,
                                   Supersede supersede) {
  if (payload.size() > kMaxRecordPayload) {
    return fail(Code::too_large,
                fmt::format("a record of {} bytes is larger than the {} that one may have",
                            payload.size(), kMaxRecordPayload));
  }
  if (supersede == Supersede::older) {
    if (const auto reused = take_place_of_unsent(kind, payload)) return *reused;
  }
  const uint64_t sequence = next_sequence_;
  DROVER_CHECK_OK(outbox_.put(id(sequence), encode(sequence, kind, std::move(payload))));
  ++next_sequence_;
  if (supersede == Supersede::older) {
    // Those that have left may have arrived or not, so their keys must still be seen above: empty.
    std::vector<uint64_t>& older = snapshots_[kind];
    for (const uint64_t sent : older) outbox_.replace(id(sent), encode(sent, "", {}));
    older.assign(1, sequence);
  }
  return sequence;
}

/// An older one that has not left yet gives its place to the new one: its sequence is the answer.
std::optional<uint64_t> RecordSender::take_place_of_unsent(const std::string& kind,
                                                           std::string& payload) {
  const std::vector<uint64_t>& older = snapshots_[kind];
  if (older.empty() || !outbox_.holds(id(older.back())) || outbox_.was_sent(id(older.back()))) {
    return std::nullopt;
  }
  const uint64_t sequence = older.back();
  outbox_.replace(id(sequence), encode(sequence, kind, std::move(payload)));
  return sequence;
}

void RecordSender::on_acks(std::string_view payload) {
  proto::RecordAcks acks;
  if (!acks.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("acknowledgements that cannot be read were dropped");
    return;
  }
  for (const auto& key : acks.committed()) outbox_.drop(id_of(key));
  for (const auto& refused : acks.refused()) {
    if (!outbox_.drop(id_of(refused.key()))) continue;
    log_.error("a master refused a record; it is dropped",
               {{"sequence", std::to_string(refused.key().sequence())},
                {"code", refused.code()},
                {"why", refused.message()}});
  }
}

}  // namespace drover::tree
