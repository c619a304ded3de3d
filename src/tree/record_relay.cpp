#include "tree/record_relay.hpp"

#include "proto/records.pb.h"
#include "tree/hello.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace drover::tree {
namespace {

void refuse(proto::RecordAcks& acks, const proto::Record& record, Code code, const char* why) {
  auto* refused = acks.add_refused();
  set_key(*refused->mutable_key(), id_of(record));
  refused->set_code(std::string(info(code).name));
  refused->set_message(why);
}

/// Twice what an honest origin has under way: one that never stops does not fill the place of all.
RecordOutbox::Limits share_fairly(RecordOutbox::Limits limits) {
  limits.origin_records = std::min(limits.origin_records, 2 * limits.flight_records);
  limits.origin_bytes =
      std::min(limits.origin_bytes, 2 * (limits.flight_bytes + kMaxRecordPayload));
  return limits;
}

}  // namespace

RecordRelay::RecordRelay(Executor& executor, const Log& log, Peers& nodes,
                         const RecordOutbox::Limits& limits, std::unique_ptr<SpoolPlace> spool)
    : log_(log.with("records")),
      nodes_(nodes),
      outbox_(executor, log, share_fairly(limits), std::move(spool)) {}

void RecordRelay::on_records(const std::string& node, std::string_view payload) {
  proto::Records records;
  if (!records.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("records that cannot be read were dropped", {{"from", node}});
    return;
  }
  proto::RecordAcks refusals;
  for (const proto::Record& record : records.records()) {
    if (record.origin() != node) {
      refuse(refusals, record, Code::denied, "a node may report about itself alone");
    } else if (record.role() != name(Role::compute)) {
      refuse(refusals, record, Code::denied, "only compute nodes report through an aggregator");
    } else if (record.sequence() == 0) {
      refuse(refusals, record, Code::invalid_argument, "sequences begin with 1");
    } else if (record.payload().size() > kMaxRecordPayload) {
      refuse(refusals, record, Code::too_large, "the record is too large");
    } else {
      // Held already: the ack will come. No room: the origin holds it and sends it again.
      std::ignore = outbox_.put(id_of(record), record.SerializeAsString());
    }
  }
  if (refusals.refused_size() == 0) return;
  log_.warning("records of a node were refused",
               {{"from", node}, {"why", refusals.refused(0).message()}});
  std::ignore = nodes_.send(node, MessageType::record_acks, refusals.SerializeAsString());
}

void RecordRelay::on_acks(std::string_view payload) {
  proto::RecordAcks acks;
  if (!acks.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("acknowledgements that cannot be read were dropped");
    return;
  }
  std::map<std::string, proto::RecordAcks> by_origin;
  for (const auto& key : acks.committed()) {
    outbox_.drop(id_of(key));
    *by_origin[key.origin()].add_committed() = key;
  }
  for (const auto& refused : acks.refused()) {
    outbox_.drop(id_of(refused.key()));
    *by_origin[refused.key().origin()].add_refused() = refused;
  }
  for (const auto& [origin, own] : by_origin) {
    // Not linked here any more: it sends again by its new way, and is acknowledged there.
    std::ignore = nodes_.send(origin, MessageType::record_acks, own.SerializeAsString());
  }
}

}  // namespace drover::tree
