#include "boot/io/lease_journal.hpp"

#include "base/crc32c.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

namespace drover::boot::io {
namespace {

constexpr std::string_view kMagic = "DRVLSE1\n";
constexpr size_t kPrefix = 8;  // length and checksum
constexpr size_t kFixed = 4 + 1 + 8 + 8 + 2 + 2;
constexpr size_t kMostText = 65535;
constexpr size_t kMostBody = kFixed + 2 * kMostText;
/// Below this a journal is not worth writing anew.
constexpr uint64_t kCompactFloor = uint64_t{1} << 20;
constexpr uint64_t kCompactFactor = 4;
constexpr size_t kMostFile = size_t{1} << 30;
constexpr Duration kRetry = std::chrono::seconds(1);

void put(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

uint64_t get(std::string_view bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

WallTime time_of(uint64_t value) {
  return WallTime(Duration(static_cast<int64_t>(value)));
}

/// The record at the front of `bytes`, and how long it is; nothing when there is no whole one.
std::optional<std::pair<dhcp::Lease, size_t>> read_record(std::string_view bytes) {
  if (bytes.size() < kPrefix) return {};
  const uint64_t length = get(bytes, 4);
  if (length < kFixed || length > kMostBody || length > bytes.size() - kPrefix) return {};
  const std::string_view body = bytes.substr(kPrefix, length);
  if (crc32c(body, crc32c(bytes.substr(0, 4))) != get(bytes.substr(4), 4)) return {};
  const size_t client = get(body.substr(21), 2);
  const size_t name = get(body.substr(23), 2);
  const uint64_t state = get(body.substr(4), 1);
  if (kFixed + client + name != length) return {};
  if (state > static_cast<uint64_t>(dhcp::LeaseState::quarantined)) return {};
  dhcp::Lease lease;
  lease.address = Ipv4{static_cast<uint32_t>(get(body, 4))};
  lease.state = static_cast<dhcp::LeaseState>(state);
  lease.since = time_of(get(body.substr(5), 8));
  lease.until = time_of(get(body.substr(13), 8));
  lease.client = body.substr(kFixed, client);
  lease.name = body.substr(kFixed + client, name);
  return std::pair{std::move(lease), kPrefix + length};
}

}  // namespace

void write_lease(std::string& out, const dhcp::Lease& lease) {
  const std::string_view client = std::string_view(lease.client).substr(0, kMostText);
  const std::string_view name = std::string_view(lease.name).substr(0, kMostText);
  const size_t start = out.size();
  put(out, kFixed + client.size() + name.size(), 4);
  put(out, 0, 4);
  put(out, lease.address.value, 4);
  put(out, static_cast<uint64_t>(lease.state), 1);
  put(out, static_cast<uint64_t>(lease.since.time_since_epoch().count()), 8);
  put(out, static_cast<uint64_t>(lease.until.time_since_epoch().count()), 8);
  put(out, client.size(), 2);
  put(out, name.size(), 2);
  out += client;
  out += name;
  const std::string_view record = std::string_view(out).substr(start);
  const uint32_t sum = crc32c(record.substr(kPrefix), crc32c(record.substr(0, 4)));
  for (size_t i = 0; i < 4; ++i) out[start + 4 + i] = static_cast<char>(sum >> (8 * i));
}

LeasesRead read_leases(std::string_view bytes) {
  LeasesRead out;
  std::map<Ipv4, dhcp::Lease> latest;
  while (!bytes.empty()) {
    auto record = read_record(bytes);
    if (!record) {
      // A record that was never synced, or damage: the next whole one is looked for.
      ++out.bad_bytes;
      bytes.remove_prefix(1);
      continue;
    }
    ++out.records;
    bytes.remove_prefix(record->second);
    latest.insert_or_assign(record->first.address, std::move(record->first));
  }
  out.leases.reserve(latest.size());
  for (auto& [address, lease] : latest) out.leases.push_back(std::move(lease));
  return out;
}

DiskLeaseJournal::DiskLeaseJournal(Executor& executor, Disk& disk, std::string path, Log log)
    : executor_(executor),
      disk_(disk),
      path_(std::move(path)),
      log_(log),
      worker_(executor.make_worker("leases")) {}

Result<std::unique_ptr<DiskLeaseJournal>> DiskLeaseJournal::open(Executor& executor, Disk& disk,
                                                                 const std::string& folder,
                                                                 Log log) {
  std::unique_ptr<DiskLeaseJournal> out(
      new DiskLeaseJournal(executor, disk, folder + "/leases.journal", log));
  DROVER_CHECK_OK(disk.make_dirs(folder, 0700));
  auto ready = out->take(folder + "/leases.lock");
  if (ready) ready = out->load();
  if (!ready) return fail_in("opening the lease journal " + out->path_, std::move(ready).error());
  return out;
}

Status DiskLeaseJournal::take(const std::string& lock_path) {
  DROVER_TRY(lock_, disk_.open(lock_path, true, 0600));
  return lock_->lock();
}

/// Reads what there is, then writes it anew, so that nothing torn is left to be appended to.
Status DiskLeaseJournal::load() {
  DROVER_TRY(const bool exists, disk_.exists(path_));
  if (exists) {
    DROVER_TRY(const std::string bytes, disk_.read_all(path_, kMostFile));
    const std::string_view all = bytes;
    if (all.size() >= kMagic.size() && all.starts_with(kMagic.substr(0, 6)) &&
        !all.starts_with(kMagic)) {
      return fail(Code::unsupported, "it was written by another version of Drover",
                  "start that version, or move the file away: clients then get new addresses");
    }
    found_ = read_leases(all.substr(all.starts_with(kMagic) ? kMagic.size() : 0));
    if (found_.bad_bytes > 0) {
      log_.warning("the lease journal had bytes that are no record; they are left out",
                   {{"file", path_},
                    {"bytes", std::to_string(found_.bad_bytes)},
                    {"records", std::to_string(found_.records)}});
    }
  }
  group_ = kMagic;
  for (const dhcp::Lease& lease : found_.leases) write_lease(group_, lease);
  return rewrite();
}

void DiskLeaseJournal::append(const dhcp::Lease& lease) {
  write_lease(pending_, lease);
  ++appended_;
}

void DiskLeaseJournal::flush() {
  if (busy_ || waiting_ || safe_ == appended_) return;
  busy_ = true;
  group_end_ = appended_;
  whole_ = file_ == nullptr || size_ > std::max(kCompactFloor, kCompactFactor * least_);
  if (whole_) {
    group_ = kMagic;
    for (const dhcp::Lease& lease : snapshot_()) write_lease(group_, lease);
  } else {
    group_.swap(pending_);
  }
  pending_.clear();
  worker_->run([this] { result_ = whole_ ? rewrite() : write_group(); }, [this] { finished(); });
}

Status DiskLeaseJournal::write_group() {
  DROVER_CHECK_OK(file_->write(size_, group_));
  DROVER_CHECK_OK(file_->sync());
  size_ += group_.size();
  return {};
}

Status DiskLeaseJournal::rewrite() {
  file_.reset();
  DROVER_CHECK_OK(disk_.write_atomic(path_, group_, 0600));
  DROVER_TRY(file_, disk_.open(path_, false, 0600));
  size_ = least_ = group_.size();
  return {};
}

void DiskLeaseJournal::finished() {
  busy_ = false;
  group_.clear();
  if (!result_) {
    // What a failed write or sync left behind is not known, so the file is written anew.
    file_.reset();
    if (!failure_) {
      log_.error("leases cannot be made safe; clients of the pools get no answers until they can",
                 {{"file", path_}, {"error", result_.error().text()}});
    }
    failure_ = std::move(result_).error();
    result_ = {};
    waiting_ = true;
    retry_.after(executor_, kRetry, [this] {
      waiting_ = false;
      flush();
    });
    return;
  }
  if (failure_) log_.notice("leases are safe again", {{"file", path_}});
  failure_.reset();
  safe_ = group_end_;
  if (on_safe_) on_safe_(safe_);
  flush();
}

}  // namespace drover::boot::io
