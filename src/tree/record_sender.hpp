// Records at their origin: numbered, kept until a master has committed them, sent again whenever
// the way up changes.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "tree/peers.hpp"
#include "tree/record_outbox.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

/// What a newer record of the same kind does to older ones that no master has acknowledged.
enum class Supersede {
  none,   ///< all are kept and applied in order (events)
  older,  ///< the newest says everything, older ones need not arrive (a whole inventory)
};

/// One executor's thread only. Without a spool records live in memory and die with the process (a
/// diskless compute); with one they survive it and are sent after a restart under their old keys.
class RecordSender {
 public:
  struct Config {
    std::string origin;        ///< our name
    std::string role;          ///< name(Role)
    uint64_t incarnation = 0;  ///< Introduction::incarnation
  };

  /// `spool` may be null. The executor outlives this object.
  RecordSender(Executor& executor, const Log& log, Config config,
               const RecordOutbox::Limits& limits, std::unique_ptr<SpoolPlace> spool);

  /// Takes a record; returns its sequence. exhausted when the limits are reached (the record is not
  /// taken: say so where it came from), too_large over kMaxRecordPayload.
  Result<uint64_t> add(const std::string& kind, std::string payload, Supersede supersede);

  /// The way up has changed: everything that is unacknowledged goes by the new one, in order. Null:
  /// lost. `way` must stay valid until the next call.
  void use(WayUp* way) { outbox_.use(way); }
  /// A record_acks message.
  void on_acks(std::string_view payload);

  [[nodiscard]] RecordOutbox::Stats stats() const { return outbox_.stats(); }

 private:
  [[nodiscard]] RecordId id(uint64_t sequence) const {
    return {config_.origin, config_.incarnation, sequence};
  }
  [[nodiscard]] std::string encode(uint64_t sequence, const std::string& kind,
                                   std::string payload) const;
  std::optional<uint64_t> take_place_of_unsent(const std::string& kind, std::string& payload);

  Log log_;
  Executor& executor_;
  Config config_;
  RecordOutbox outbox_;
  uint64_t next_sequence_ = 1;
  std::map<std::string, std::vector<uint64_t>> snapshots_;  ///< by kind: superseding ones not yet
                                                            ///< known to be acknowledged
};

}  // namespace drover::tree
