#include "tree/record_outbox.hpp"

#include "proto/records.pb.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {
namespace {

/// Records found in the spool come before those of this life.
constexpr uint64_t kFirstOrder = uint64_t{1} << 40;
/// A message is closed when it has grown to this.
constexpr size_t kFullMessage = size_t{256} << 10;
constexpr size_t kWriteBatch = size_t{4} << 20;
constexpr Duration kAfterDiskFailure = std::chrono::seconds(5);
constexpr uint32_t kSlowestResend = 3;  // doublings

/// "incarnation-sequence-origin", both numbers as 16 hex digits.
std::string to_key(const RecordId& id) {
  return fmt::format("{:016x}-{:016x}-{}", id.incarnation, id.sequence, id.origin);
}

std::optional<RecordId> from_key(std::string_view key) {
  if (key.size() < 35 || key[16] != '-' || key[33] != '-') return std::nullopt;
  RecordId id;
  const auto hex = [](std::string_view text, uint64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
    return error == std::errc{} && end == text.data() + text.size();
  };
  if (!hex(key.substr(0, 16), id.incarnation) || !hex(key.substr(17, 16), id.sequence)) {
    return std::nullopt;
  }
  id.origin = key.substr(34);
  return id;
}

/// Appends one element of proto::Records::records (field 1) whose bytes are encoded already.
void append_record(std::string& message, std::string_view encoded) {
  message.push_back('\x0a');
  size_t length = encoded.size();
  for (; length >= 0x80; length >>= 7) message.push_back(static_cast<char>(length | 0x80));
  message.push_back(static_cast<char>(length));
  message += encoded;
}

}  // namespace

RecordId id_of(const proto::Record& record) {
  return {record.origin(), record.incarnation(), record.sequence()};
}

RecordId id_of(const proto::RecordKey& key) {
  return {key.origin(), key.incarnation(), key.sequence()};
}

void set_key(proto::RecordKey& key, const RecordId& id) {
  key.set_origin(id.origin);
  key.set_incarnation(id.incarnation);
  key.set_sequence(id.sequence);
}

/// Touched by jobs of the worker alone, apart from the copies that jobs leave for the executor.
class RecordOutbox::Box {
 public:
  std::unique_ptr<SpoolPlace> place;
  std::unique_ptr<Spool> spool;
};

struct RecordOutbox::Found {
  Status status;
  SpoolFindings findings;
  std::vector<std::pair<RecordId, size_t>> records;
  size_t bytes = 0;
};

RecordOutbox::RecordOutbox(Executor& executor, const Log& log, const Limits& limits,
                           std::unique_ptr<SpoolPlace> spool)
    : executor_(executor), log_(log.with("records")), limits_(limits), next_order_(kFirstOrder) {
  if (!spool) return;
  worker_ = executor_.make_worker("spool");
  open_spool(std::move(spool));
}

RecordOutbox::~RecordOutbox() {
  *alive_ = false;
}

RecordOutbox::Entry* RecordOutbox::find(const RecordId& id) {
  const auto known = index_.find(id);
  return known == index_.end() ? nullptr : &entries_.at(known->second);
}

const RecordOutbox::Entry* RecordOutbox::find(const RecordId& id) const {
  const auto known = index_.find(id);
  return known == index_.end() ? nullptr : &entries_.at(known->second);
}

bool RecordOutbox::holds(const RecordId& id) const {
  return find(id) != nullptr;
}

bool RecordOutbox::was_sent(const RecordId& id) const {
  const Entry* entry = find(id);
  return entry != nullptr && entry->sent;
}

void RecordOutbox::set_bytes(Entry& entry, std::string bytes) {
  stats_.memory_bytes -= entry.bytes.size();
  entry.bytes = std::move(bytes);
  stats_.memory_bytes += entry.bytes.size();
}

void RecordOutbox::resize(Entry& entry, size_t size) {
  size_t& bytes = origins_[entry.id.origin].bytes;
  bytes -= entry.size;
  bytes += size;
  entry.size = size;
}

Status RecordOutbox::put(const RecordId& id, std::string encoded) {
  if (holds(id)) return fail(Code::already_exists, "this record is held already");
  if (entries_.size() >= limits_.records ||
      stats_.memory_bytes + encoded.size() > limits_.memory_bytes) {
    ++stats_.refused;
    if (!std::exchange(full_said_, true)) {
      log_.warning("no more records are taken until some are acknowledged",
                   {{"records", std::to_string(entries_.size())},
                    {"memory_bytes", std::to_string(stats_.memory_bytes)}});
    }
    return fail(Code::exhausted, "too many records wait for a master");
  }
  if (const auto share = origins_.find(id.origin); share != origins_.end()) {
    if (share->second.records >= limits_.origin_records ||
        share->second.bytes + encoded.size() > limits_.origin_bytes) {
      ++stats_.refused;
      return fail(Code::exhausted, "too many records of " + id.origin + " wait for a master");
    }
  }
  const uint64_t order = next_order_++;
  Entry& entry = entries_[order];
  entry.id = id;
  ++origins_[id.origin].records;
  resize(entry, encoded.size());
  entry.since = executor_.now();
  set_bytes(entry, std::move(encoded));
  index_.emplace(id, order);
  unspooled_.insert(order);
  arm_write();
  pump();
  return {};
}

bool RecordOutbox::replace(const RecordId& id, std::string encoded) {
  Entry* entry = find(id);
  if (entry == nullptr) return false;
  if (entry->flying) {
    flying_bytes_ += encoded.size();
    flying_bytes_ -= entry->size;
  }
  resize(*entry, encoded.size());
  ++entry->version;
  if (entry->disk == OnDisk::yes) --stats_.spooled;
  entry->disk = OnDisk::no;
  unspooled_.insert(index_.at(id));
  set_bytes(*entry, std::move(encoded));
  arm_write();
  return true;
}

bool RecordOutbox::drop(const RecordId& id) {
  const auto known = index_.find(id);
  if (known == index_.end()) return false;
  ++stats_.acknowledged;
  resends_ = 0;
  forget(entries_.find(known->second));
  arm_resend();
  pump();
  return true;
}

void RecordOutbox::forget(Entries::iterator it) {
  Entry& entry = it->second;
  if (entry.flying) {
    --flying_records_;
    flying_bytes_ -= entry.size;
  }
  // A replaced one may have older bytes on disk, so the spool is told whenever there is one.
  if (worker_ && (entry.disk != OnDisk::no || entry.version > 0)) let_go_on_disk(entry.id);
  if (entry.disk == OnDisk::yes) --stats_.spooled;
  stats_.memory_bytes -= entry.bytes.size();
  unspooled_.erase(it->first);
  resize(entry, 0);
  if (const auto share = origins_.find(entry.id.origin); --share->second.records == 0) {
    origins_.erase(share);
  }
  index_.erase(entry.id);
  entries_.erase(it);
  full_said_ = false;
}

RecordOutbox::Stats RecordOutbox::stats() const {
  Stats out = stats_;
  out.records = entries_.size();
  out.spool_bytes = spool_bytes_;
  if (!entries_.empty()) out.oldest = executor_.now() - entries_.begin()->second.since;
  return out;
}

// ---- Sending ------------------------------------------------------------------------------------

void RecordOutbox::use(WayUp* way) {
  way_ = way;
  cursor_ = 0;
  flying_records_ = 0;
  flying_bytes_ = 0;
  resends_ = 0;
  for (auto& [order, entry] : entries_) entry.flying = false;
  arm_resend();
  pump();
}

/// Sends what the window allows, in order; asks the disk for what is not in memory.
void RecordOutbox::pump() {
  if (way_ == nullptr || fetching_) return;
  std::string batch;
  for (auto it = entries_.upper_bound(cursor_); it != entries_.end(); ++it) {
    const bool full = flying_records_ >= limits_.flight_records ||
                      (flying_bytes_ > 0 && flying_bytes_ + it->second.size > limits_.flight_bytes);
    if (full) break;
    if (it->second.bytes.empty()) {
      fetch(it->first);
      break;
    }
    if (!batch.empty() && batch.size() + it->second.size > kFullMessage) {
      send(batch);
      if (way_ == nullptr) return;
    }
    cursor_ = it->first;
    fly(it->second, batch);
  }
  if (!batch.empty()) send(batch);
}

void RecordOutbox::fly(Entry& entry, std::string& batch) {
  append_record(batch, entry.bytes);
  entry.sent = entry.flying = true;
  entry.flown = executor_.now();
  if (flying_records_ == 0) arm_resend();
  ++flying_records_;
  flying_bytes_ += entry.size;
  if (entry.disk == OnDisk::yes) set_bytes(entry, {});
}

void RecordOutbox::send(std::string& batch) {
  // When the way is lost its owner says so by use(); until then the rest waits for the resend.
  std::ignore = way_->send_up(MessageType::records, batch);
  batch.clear();
}

void RecordOutbox::arm_resend() {
  if (way_ == nullptr || entries_.empty()) return resend_timer_.cancel();
  const Duration wait = limits_.resend_after * (1 << std::min(resends_, kSlowestResend));
  // By the oldest, not by the last acknowledgement: what one master or aggregator could not take
  // goes again although the others' acknowledgements keep coming.
  const Entry& oldest = entries_.begin()->second;
  const Duration flying = oldest.flying ? executor_.now() - oldest.flown : Duration::zero();
  resend_timer_.after(executor_, std::max(wait - flying, Duration::zero()), [this] {
    const uint32_t resends = resends_ + 1;
    if (flying_records_ > 0) {
      log_.info("records are sent again: none was acknowledged",
                {{"records", std::to_string(flying_records_)}});
      use(way_);
      resends_ = resends;
    }
    arm_resend();
  });
}

// ---- The disk -----------------------------------------------------------------------------------

void RecordOutbox::open_spool(std::unique_ptr<SpoolPlace> place) {
  box_ = std::make_shared<Box>();
  box_->place = std::move(place);
  auto found = std::make_shared<Found>();
  worker_->run(
      [box = box_, found] {
        auto spool = Spool::open(box->place->disk, box->place->dir, box->place->limits);
        if (!spool) {
          found->status = tl::unexpected<Error>(std::move(spool).error());
          return;
        }
        found->findings = (*spool)->findings();
        found->bytes = (*spool)->bytes();
        for (const std::string& key : (*spool)->keys()) {
          const auto id = from_key(key);
          const size_t size = (*spool)->size_of(key);
          if (id) found->records.emplace_back(*id, size);
        }
        box->spool = *std::move(spool);
      },
      [this, alive = alive_, found] {
        if (*alive) take_in(*found);
      });
}

/// Records of an earlier life go before those of this one, by origin in their order of making.
void RecordOutbox::take_in(Found& found) {
  if (!found.status) {
    stats_.spool_failed = true;
    log_.error("the spool cannot be opened; records are kept in memory alone",
               {{"why", found.status.error().text()}});
    return;
  }
  for (const std::string& damage : found.findings.damaged) {
    log_.error("a part of the spool is damaged and was skipped", {{"where", damage}});
  }
  if (found.findings.torn_bytes > 0) {
    log_.info("the spool ended in a write that was cut short",
              {{"bytes", std::to_string(found.findings.torn_bytes)}});
  }
  std::sort(found.records.begin(), found.records.end());
  uint64_t order = 1;
  const MonoTime now = executor_.now();
  for (auto& [id, size] : found.records) {
    if (holds(id)) continue;  // it came again meanwhile; its copy on disk is replaced or let go
    Entry& entry = entries_[order];
    entry.id = id;
    ++origins_[id.origin].records;
    resize(entry, size);
    entry.disk = OnDisk::yes;
    entry.sent = true;  // by all we know
    entry.version = 1;
    entry.since = now;
    index_.emplace(id, order++);
    ++stats_.spooled;
  }
  for (const uint64_t waiting : unspooled_) {
    // Bytes of an earlier life may lie under the same key.
    entries_.at(waiting).version += 1;
  }
  spool_bytes_ = found.bytes;
  spool_ready_ = true;
  if (!found.records.empty()) {
    log_.notice("records of an earlier life wait in the spool",
                {{"records", std::to_string(found.records.size())},
                 {"bytes", std::to_string(found.bytes)}});
  }
  arm_write();
  use(way_);
}

void RecordOutbox::arm_write() {
  if (!spool_ready_ || writing_ || write_armed_ || unspooled_.empty()) return;
  const MonoTime oldest = entries_.at(*unspooled_.begin()).since;
  Duration wait = std::max(Duration::zero(), oldest + limits_.spool_after - executor_.now());
  if (stats_.memory_bytes > limits_.memory_bytes / 2) wait = {};
  if (stats_.spool_failed) wait = kAfterDiskFailure;
  write_armed_ = true;
  write_timer_.after(executor_, wait, [this] {
    write_armed_ = false;
    write_out();
  });
}

/// Puts on disk what has waited long enough, or all when memory runs short.
void RecordOutbox::write_out() {
  const bool hurry = stats_.memory_bytes > limits_.memory_bytes / 2;
  const MonoTime now = executor_.now();
  std::vector<std::pair<uint64_t, uint32_t>> batch;
  auto jobs = std::make_shared<std::vector<std::pair<std::string, std::string>>>();
  size_t bytes = 0;
  for (const uint64_t order : unspooled_) {
    Entry& entry = entries_.at(order);
    if (!hurry && now - entry.since < limits_.spool_after) continue;
    if (bytes > kWriteBatch) break;
    bytes += entry.size;
    entry.disk = OnDisk::being_written;
    batch.emplace_back(order, entry.version);
    jobs->emplace_back(to_key(entry.id), entry.bytes);
  }
  if (batch.empty()) return arm_write();
  for (const auto& [order, version] : batch) unspooled_.erase(order);
  writing_ = true;
  auto status = std::make_shared<Status>();
  auto used = std::make_shared<uint64_t>(0);
  worker_->run(
      [box = box_, jobs, status, used] {
        for (const auto& [key, record] : *jobs) {
          *status = box->spool->append(key, record);
          if (!*status) break;
        }
        if (Status synced = box->spool->sync(); *status) *status = std::move(synced);
        *used = box->spool->bytes();
      },
      [this, alive = alive_, batch = std::move(batch), status, used] {
        if (!*alive) return;
        spool_bytes_ = *used;
        written(batch, *status);
      });
}

void RecordOutbox::written(const std::vector<std::pair<uint64_t, uint32_t>>& batch,
                           const Status& status) {
  writing_ = false;
  for (const auto& [order, version] : batch) {
    const auto it = entries_.find(order);
    if (it == entries_.end()) continue;  // acknowledged meanwhile
    Entry& entry = it->second;
    if (entry.disk != OnDisk::being_written || entry.version != version) continue;
    if (status) {
      entry.disk = OnDisk::yes;
      ++stats_.spooled;
      set_bytes(entry, {});
    } else {
      entry.disk = OnDisk::no;
      ++entry.version;  // a part of the batch may be on disk all the same
      unspooled_.insert(order);
    }
  }
  if (!status && !stats_.spool_failed) {
    log_.error("records cannot be spooled; they are kept in memory alone",
               {{"why", status.error().text()}});
  }
  if (status && stats_.spool_failed) log_.notice("records are spooled again");
  stats_.spool_failed = !status;
  arm_write();
}

/// Reads the next window's worth of records that are on disk alone.
void RecordOutbox::fetch(uint64_t from) {
  fetching_ = true;
  std::vector<std::pair<uint64_t, uint32_t>> wanted;
  auto keys = std::make_shared<std::vector<std::string>>();
  size_t bytes = 0;
  for (auto it = entries_.find(from); it != entries_.end() && bytes < limits_.flight_bytes &&
                                      wanted.size() < limits_.flight_records;
       ++it) {
    if (!it->second.bytes.empty()) continue;
    bytes += it->second.size;
    wanted.emplace_back(it->first, it->second.version);
    keys->push_back(to_key(it->second.id));
  }
  auto records = std::make_shared<std::vector<Result<std::string>>>();
  worker_->run(
      [box = box_, keys, records] {
        for (const std::string& key : *keys) records->push_back(box->spool->read(key));
      },
      [this, alive = alive_, wanted = std::move(wanted), records] {
        if (*alive) fetched(wanted, *records);
      });
}

void RecordOutbox::fetched(const std::vector<std::pair<uint64_t, uint32_t>>& wanted,
                           std::vector<Result<std::string>>& bytes) {
  fetching_ = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto it = entries_.find(wanted[i].first);
    if (it == entries_.end() || it->second.version != wanted[i].second) continue;
    if (bytes[i] && !bytes[i]->empty()) {
      set_bytes(it->second, *std::move(bytes[i]));
      continue;
    }
    log_.error("a record is lost: the disk no longer gives it",
               {{"origin", it->second.id.origin},
                {"sequence", std::to_string(it->second.id.sequence)},
                {"why", bytes[i] ? "it is empty" : bytes[i].error().text()}});
    forget(it);
  }
  pump();
}

/// Acknowledgements reach the spool in batches, after the writes that were asked for before them.
void RecordOutbox::let_go_on_disk(const RecordId& id) {
  let_go_.push_back(to_key(id));
  if (std::exchange(let_go_posted_, true)) return;
  executor_.post([this, alive = alive_] {
    if (!*alive) return;
    let_go_posted_ = false;
    auto used = std::make_shared<uint64_t>(0);
    worker_->run(
        [box = box_, keys = std::exchange(let_go_, {}), used] {
          if (!box->spool) return;
          for (const std::string& key : keys) box->spool->acknowledge(key);
          *used = box->spool->bytes();
        },
        [this, alive, used] {
          if (*alive) spool_bytes_ = *used;
        });
  });
}

}  // namespace drover::tree
