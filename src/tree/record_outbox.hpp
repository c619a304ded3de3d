// Records on their way up that no master has acknowledged: in memory, on disk when they wait long,
// sent in order under a window, sent again by every new way. Shared by origins and aggregators.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "tree/peers.hpp"
#include "tree/spool.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::proto {
class Record;
class RecordKey;
}  // namespace drover::proto

namespace drover::tree {

/// Largest payload of one record; a message carries at least one.
inline constexpr size_t kMaxRecordPayload = size_t{512} << 10;

/// Names one record in the whole cluster, for ever.
struct RecordId {
  std::string origin;
  uint64_t incarnation = 0;
  uint64_t sequence = 0;
  auto operator<=>(const RecordId&) const = default;
};
RecordId id_of(const proto::Record& record);
RecordId id_of(const proto::RecordKey& key);
void set_key(proto::RecordKey& key, const RecordId& id);

/// One executor's thread only; the disk is touched on a worker of its own.
class RecordOutbox {
 public:
  struct Limits {
    size_t records = 100'000;                ///< held, on disk or in memory
    size_t memory_bytes = size_t{16} << 20;  ///< payloads held in memory
    size_t origin_records = 100'000;         ///< held of one origin
    size_t origin_bytes = SIZE_MAX;
    size_t flight_records = 512;  ///< sent and not acknowledged
    size_t flight_bytes = size_t{1} << 20;
    /// A record that is not acknowledged after this goes to disk: in a healthy tree none does.
    /// 0 where the disk is the record's home (at its origin).
    Duration spool_after = std::chrono::milliseconds(250);
    /// When the oldest in flight has not been acknowledged for this long, everything in flight is
    /// sent again; doubles up to eight times while no acknowledgement comes at all.
    Duration resend_after = std::chrono::seconds(15);
  };
  struct Stats {
    size_t records = 0;
    size_t memory_bytes = 0;
    size_t spooled = 0;         ///< of the records, how many are safe on disk
    size_t spool_bytes = 0;     ///< on disk
    uint64_t refused = 0;       ///< not taken, since start: a limit was reached
    uint64_t acknowledged = 0;  ///< since start
    Duration oldest{};          ///< how long the first of them has waited here; zero without any
    bool spool_failed = false;  ///< the disk refused; records are kept in memory alone
  };

  /// `spool` may be null: memory only. Records of an earlier life are read from it and sent first.
  RecordOutbox(Executor& executor, const Log& log, const Limits& limits,
               std::unique_ptr<SpoolPlace> spool);
  ~RecordOutbox();
  RecordOutbox(const RecordOutbox&) = delete;
  RecordOutbox& operator=(const RecordOutbox&) = delete;

  /// Takes one encoded proto::Record. already_exists when it is held (nothing changes), exhausted
  /// at a limit.
  Status put(const RecordId& id, std::string encoded);
  /// Puts other bytes in the place of a held record. Answers whether it was held.
  bool replace(const RecordId& id, std::string encoded);
  /// Whether the record is held and has been sent by some way.
  [[nodiscard]] bool was_sent(const RecordId& id) const;
  [[nodiscard]] bool holds(const RecordId& id) const;
  /// Lets go of a record. Answers whether it was held.
  bool drop(const RecordId& id);

  /// See RecordSender::use.
  void use(WayUp* way);

  [[nodiscard]] Stats stats() const;

 private:
  enum class OnDisk : uint8_t { no, being_written, yes };
  struct Entry {
    RecordId id;
    std::string bytes;  ///< empty while the record is on disk alone
    size_t size = 0;
    uint32_t version =
        0;  ///< counts replacements, so that a write of older bytes counts for nothing
    OnDisk disk = OnDisk::no;
    bool sent = false;    ///< by any way
    bool flying = false;  ///< sent by this way
    MonoTime since{};
    MonoTime flown{};  ///< when it was last sent by this way
  };
  struct Found;                               ///< what the spool held when it was opened
  class Box;                                  ///< the spool, on its worker
  using Entries = std::map<uint64_t, Entry>;  ///< by order

  void pump();
  void fly(Entry& entry, std::string& batch);
  void send(std::string& batch);
  void fetch(uint64_t from);
  void fetched(const std::vector<std::pair<uint64_t, uint32_t>>& wanted,
               std::vector<Result<std::string>>& bytes);
  void open_spool(std::unique_ptr<SpoolPlace> place);
  void take_in(Found& found);
  void write_out();
  void written(const std::vector<std::pair<uint64_t, uint32_t>>& batch, const Status& status);
  void arm_write();
  void arm_resend();
  void set_bytes(Entry& entry, std::string bytes);
  void forget(Entries::iterator it);
  void resize(Entry& entry, size_t size);
  Entry* find(const RecordId& id);
  [[nodiscard]] const Entry* find(const RecordId& id) const;
  void let_go_on_disk(const RecordId& id);

  Executor& executor_;
  Log log_;
  Limits limits_;
  std::unique_ptr<Worker> worker_;  ///< null without a spool
  std::shared_ptr<Box> box_;
  bool spool_ready_ = false;
  bool writing_ = false;
  bool fetching_ = false;
  size_t spool_bytes_ = 0;
  std::vector<std::string> let_go_;  ///< keys to be acknowledged in the spool, not yet told it
  bool let_go_posted_ = false;

  Entries entries_;
  std::map<RecordId, uint64_t> index_;
  struct Share {
    size_t records = 0;
    size_t bytes = 0;
  };
  std::map<std::string, Share> origins_;  ///< what is held of each
  std::set<uint64_t> unspooled_;          ///< orders of the entries that are not on disk
  uint64_t next_order_;
  uint64_t cursor_ = 0;  ///< order of the last entry sent by this way
  size_t flying_records_ = 0;
  size_t flying_bytes_ = 0;
  Stats stats_;
  WayUp* way_ = nullptr;
  Timer write_timer_;
  bool write_armed_ = false;
  Timer resend_timer_;
  uint32_t resends_ = 0;  ///< in a row without an acknowledgement
  bool full_said_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::tree
