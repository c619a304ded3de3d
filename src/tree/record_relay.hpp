// Records passing through an aggregator: up to a master, onto disk while none acknowledges, and the
// acknowledgements down to the right node.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "tree/peers.hpp"
#include "tree/record_outbox.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::tree {

/// One executor's thread only.
///
/// What may be lost here: nothing that an origin was told is safe, since only a master
/// acknowledges. At a limit new records are not taken; their origins hold them and send them again
/// later. What is held is never thrown out to make room.
class RecordRelay {
 public:
  /// `nodes` outlives this object; `spool` may be null (memory only).
  RecordRelay(Executor& executor, const Log& log, Peers& nodes, const RecordOutbox::Limits& limits,
              std::unique_ptr<SpoolPlace> spool);

  /// A records message of a node. A node speaks about itself alone: records of another origin are
  /// answered as refused(denied).
  void on_records(const std::string& node, std::string_view payload);
  /// A record_acks message of the master: lets go, and passes each ack down to its origin if it is
  /// linked here (else it will send again by its new way, and be acknowledged there).
  void on_acks(std::string_view payload);
  /// See RecordSender::use.
  void use(WayUp* way) { outbox_.use(way); }

  [[nodiscard]] RecordOutbox::Stats stats() const { return outbox_.stats(); }

 private:
  Log log_;
  Peers& nodes_;
  RecordOutbox outbox_;
};

}  // namespace drover::tree
