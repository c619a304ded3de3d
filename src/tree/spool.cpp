#include "tree/spool.hpp"

#include "base/crc32c.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <tuple>

#include <fmt/core.h>

namespace drover::tree {
namespace {

constexpr std::string_view kMagic = "DRVSPL1\n";
constexpr std::string_view kSuffix = ".spool";
constexpr size_t kPrefixBytes = 8;  // length and checksum
constexpr size_t kHeadBytes = 3;    // kind and key length
constexpr uint8_t kEntry = 1;
constexpr uint8_t kAcknowledgement = 2;

void put_u32(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

uint32_t get_u32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

std::string encode(uint8_t kind, std::string_view key, std::string_view bytes) {
  std::string out;
  out.reserve(kPrefixBytes + kHeadBytes + key.size() + bytes.size());
  put_u32(out, static_cast<uint32_t>(kHeadBytes + key.size() + bytes.size()));
  put_u32(out, 0);
  out.push_back(static_cast<char>(kind));
  out.push_back(static_cast<char>(key.size()));
  out.push_back(static_cast<char>(key.size() >> 8));
  out += key;
  out += bytes;
  const std::string_view whole = out;
  std::string sum;
  put_u32(sum, crc32c(whole.substr(kPrefixBytes), crc32c(whole.substr(0, 4))));
  out.replace(4, 4, sum);
  return out;
}

struct Decoded {
  uint8_t kind = 0;
  std::string_view key;
  std::string_view bytes;
  size_t size = 0;  ///< of the whole entry
};

/// The entry at the start of `bytes`. corrupt says what is wrong.
Result<Decoded> decode(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes + kHeadBytes) return fail(Code::corrupt, "cut short");
  const size_t length = get_u32(bytes);
  if (length < kHeadBytes || length > kMaxSpoolEntry) return fail(Code::corrupt, "no length");
  if (length > bytes.size() - kPrefixBytes) return fail(Code::corrupt, "cut short");
  const std::string_view body = bytes.substr(kPrefixBytes, length);
  if (crc32c(body, crc32c(bytes.substr(0, 4))) != get_u32(bytes.substr(4))) {
    return fail(Code::corrupt, "wrong checksum");
  }
  Decoded out;
  out.kind = static_cast<uint8_t>(body[0]);
  const size_t key =
      static_cast<uint8_t>(body[1]) | static_cast<size_t>(static_cast<uint8_t>(body[2])) << 8;
  if (key == 0 || kHeadBytes + key > length) return fail(Code::corrupt, "no key");
  if (out.kind != kEntry && out.kind != kAcknowledgement)
    return fail(Code::corrupt, "unknown kind");
  out.key = body.substr(kHeadBytes, key);
  out.bytes = body.substr(kHeadBytes + key);
  out.size = kPrefixBytes + length;
  return out;
}

/// The number in "0123456789abcdef.spool"; 0 for any other name.
uint64_t number_of(std::string_view file) {
  if (file.size() != 16 + kSuffix.size() || !file.ends_with(kSuffix)) return 0;
  const std::string_view digits = file.substr(0, 16);
  uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return error == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

}  // namespace

std::unique_ptr<SpoolPlace> spool_at(Disk& disk, const std::string& dir) {
  if (dir.empty()) return nullptr;
  return std::make_unique<SpoolPlace>(SpoolPlace{disk, dir, SpoolLimits{}});
}

std::string Spool::path(uint64_t segment) const {
  return fmt::format("{}/{:016x}{}", dir_, segment, kSuffix);
}

Result<std::unique_ptr<Spool>> Spool::open(Disk& disk, const std::string& dir, SpoolLimits limits) {
  DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
  DROVER_TRY(const auto files, disk.list(dir));
  std::vector<uint64_t> numbers;
  for (const std::string& file : files) {
    if (const uint64_t number = number_of(file); number != 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  std::unique_ptr<Spool> spool(new Spool(disk, dir, limits));
  for (const uint64_t number : numbers) {
    DROVER_CHECK_OK(spool->load(number, number == numbers.back()));
    spool->next_ = number + 1;
  }
  spool->reap();
  return spool;
}

Status Spool::load(uint64_t number, bool last) {
  DROVER_TRY(const std::string bytes, disk_.read_all(path(number), size_t{1} << 30));
  Segment& segment = segments_[number];
  DROVER_TRY(const uint64_t good, scan(number, bytes));
  if (good < bytes.size()) {
    // Only the file that was being written can end in the middle: each one is synced before the
    // next.
    if (last) {
      DROVER_CHECK_OK(cut(number, segment, good, bytes.size()));
    } else {
      findings_.damaged.push_back(fmt::format("{} from byte {} on", path(number), good));
    }
  }
  segment.size = segment.synced = last ? good : bytes.size();
  bytes_ += segment.size;
  return {};
}

/// Takes in the entries of a segment; answers where the good ones end.
Result<uint64_t> Spool::scan(uint64_t number, std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return uint64_t{0};
  uint64_t offset = kMagic.size();
  while (offset < bytes.size()) {
    const auto entry = decode(bytes.substr(offset));
    if (!entry) break;
    if (entry->kind == kEntry) {
      point(entry->key, {.segment = number, .offset = offset, .size = entry->size});
    } else {
      unpoint(entry->key);
    }
    offset += entry->size;
  }
  return offset;
}

Status Spool::cut(uint64_t number, Segment& segment, uint64_t good, uint64_t found) {
  findings_.torn_bytes += found - good;
  if (!segment.file) {
    DROVER_TRY(segment.file, disk_.open(path(number), false, 0));
  }
  DROVER_CHECK_OK(segment.file->truncate(good));
  return segment.file->sync();
}

void Spool::point(std::string_view key, Position position) {
  unpoint(key);
  ++segments_.at(position.segment).live;
  index_.emplace(key, position);
}

void Spool::unpoint(std::string_view key) {
  const auto known = index_.find(key);
  if (known == index_.end()) return;
  --segments_.at(known->second.segment).live;
  index_.erase(known);
}

Status Spool::begin_segment() {
  if (current_ != 0) {
    DROVER_CHECK_OK(make_durable());
    current_ = 0;
  }
  const uint64_t number = next_;
  DROVER_TRY(auto file, disk_.open(path(number), true, 0600));
  ++next_;
  dir_dirty_ = true;
  Segment& segment = segments_[number];
  segment.file = std::move(file);
  current_ = number;
  return write(kMagic);
}

/// Adds bytes to the current segment, all or (as far as the disk lets us) none.
Status Spool::write(std::string_view entry) {
  Segment& segment = segments_.at(current_);
  if (Status written = segment.file->write(segment.size, entry); !written) {
    poison();
    return written;
  }
  segment.size += entry.size();
  bytes_ += entry.size();
  return {};
}

Status Spool::append(std::string_view key, std::string_view bytes) {
  if (key.empty() || key.size() > 0xffff) {
    return fail(Code::invalid_argument, "a spool key is 1 to 65535 bytes long");
  }
  if (bytes.size() > kMaxSpoolEntry - kHeadBytes - key.size()) {
    return fail(Code::too_large, "an entry is larger than the spool takes");
  }
  const std::string entry = encode(kEntry, key, bytes);
  if (bytes_ + entry.size() + kMagic.size() > limits_.bytes) {
    return fail(Code::exhausted, fmt::format("the spool {} holds {} bytes, its limit is {}", dir_,
                                             bytes_, limits_.bytes));
  }
  if (current_ == 0 || (segments_.at(current_).size > kMagic.size() &&
                        segments_.at(current_).size + entry.size() > limits_.segment_bytes)) {
    DROVER_CHECK_OK(begin_segment());
  }
  const uint64_t offset = segments_.at(current_).size;
  DROVER_CHECK_OK(write(entry));
  point(key, {.segment = current_, .offset = offset, .size = entry.size()});
  dirty_ = true;
  return {};
}

Status Spool::sync() {
  if (std::exchange(lost_, false)) {
    return fail(Code::io, fmt::format("the disk refused a write to {} since the last sync", dir_));
  }
  if (!dirty_) return {};
  Status synced = make_durable();
  lost_ = false;  // a failure is said here
  if (synced) reap();
  return synced;
}

Status Spool::make_durable() {
  Segment& segment = segments_.at(current_);
  Status synced = segment.file->sync();
  if (synced && dir_dirty_) synced = disk_.sync_dir(dir_);
  if (!synced) {
    poison();
    return synced;
  }
  dir_dirty_ = dirty_ = false;
  segment.synced = segment.size;
  return {};
}

/// The disk has failed under the current segment: what is not surely on it is forgotten, and the
/// next append begins a new one.
void Spool::poison() {
  lost_ = lost_ || dirty_;
  dirty_ = false;
  const uint64_t number = std::exchange(current_, 0);
  Segment& segment = segments_.at(number);
  std::erase_if(index_, [&](const auto& entry) {
    return entry.second.segment == number && entry.second.offset >= segment.synced;
  });
  segment.live =
      static_cast<size_t>(std::count_if(index_.begin(), index_.end(), [&](const auto& entry) {
        return entry.second.segment == number;
      }));
  bytes_ -= segment.size - segment.synced;
  segment.size = segment.synced;
  std::ignore = segment.file->truncate(segment.synced);  // else the next open reports the rest
}

void Spool::acknowledge(std::string_view key) {
  const auto known = index_.find(key);
  if (known == index_.end()) return;
  const std::string entry = encode(kAcknowledgement, key, {});
  unpoint(key);
  // Only a hint for the next open, so it is left out where it would cost anything.
  if (current_ != 0 && segments_.at(current_).live > 0 && bytes_ + entry.size() <= limits_.bytes) {
    std::ignore = write(entry);
  }
  if (!dirty_) reap();
}

/// Removes files without live entries. Only called while nothing that may replace one of their
/// entries is unsynced.
void Spool::reap() {
  for (auto it = segments_.begin(); it != segments_.end();) {
    if (it->second.live > 0 || (it->first == current_ && it->second.size <= kMagic.size())) {
      ++it;
      continue;
    }
    it->second.file.reset();
    // What cannot be removed now is found and removed at the next open.
    std::ignore = disk_.remove(path(it->first));
    bytes_ -= it->second.size;
    if (it->first == current_) current_ = 0;
    it = segments_.erase(it);
  }
}

Result<std::string> Spool::read(std::string_view key) {
  const auto known = index_.find(key);
  if (known == index_.end()) return fail(Code::not_found, "the spool has no such entry");
  const Position& position = known->second;
  Segment& segment = segments_.at(position.segment);
  if (!segment.file) {
    DROVER_TRY(segment.file, disk_.open(path(position.segment), false, 0));
  }
  std::string bytes(position.size, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    DROVER_TRY(const size_t got,
               segment.file->read(position.offset + done, std::span(bytes).subspan(done)));
    if (got == 0) break;
    done += got;
  }
  bytes.resize(done);
  const auto entry = decode(bytes);
  if (!entry || entry->key != key) {
    return fail(Code::corrupt, fmt::format("{} at {} no longer gives what was written",
                                           path(position.segment), position.offset));
  }
  return std::string(entry->bytes);
}

uint64_t Spool::size_of(std::string_view key) const {
  const auto known = index_.find(key);
  return known == index_.end() ? 0 : known->second.size;
}

std::vector<std::string> Spool::keys() const {
  std::vector<std::pair<std::pair<uint64_t, uint64_t>, std::string>> ordered;
  ordered.reserve(index_.size());
  for (const auto& [key, position] : index_) {
    ordered.push_back({{position.segment, position.offset}, key});
  }
  std::sort(ordered.begin(), ordered.end());
  std::vector<std::string> out;
  out.reserve(ordered.size());
  for (auto& [position, key] : ordered) out.push_back(std::move(key));
  return out;
}

}  // namespace drover::tree
