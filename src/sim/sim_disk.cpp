// SimDisk: every file is what is visible, what is durable, and the writes between the two.
#include "sim/sim_disk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace drover::sim {
namespace {

using Kind = DiskOperation::Kind;

/// A write or truncate that is not durable yet.
struct Pending {
  uint64_t offset = 0;               // of the bytes; the new size when there are none
  std::optional<std::string> bytes;  // absent: a truncate
};

void enact(std::string& content, uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

void enact(std::string& content, const Pending& pending) {
  if (pending.bytes) {
    enact(content, pending.offset, *pending.bytes);
  } else {
    content.resize(pending.offset, '\0');
  }
}

/// Keeps each sector of a write by lot.
void enact_torn(std::string& content, const Pending& pending, Random& random) {
  const std::string_view bytes = *pending.bytes;
  for (size_t done = 0; done < bytes.size();) {
    const uint64_t at = pending.offset + done;
    const size_t part = std::min(bytes.size() - done, kSectorBytes - at % kSectorBytes);
    if (random.below(2) == 0) enact(content, at, bytes.substr(done, part));
    done += part;
  }
}

struct Node {
  std::string visible;
  std::string durable;
  std::vector<Pending> pending;
  const File* locked_by = nullptr;

  void make_durable() {
    for (const Pending& one : pending) enact(durable, one);
    pending.clear();
  }
  void crash(Random& random) {
    for (const Pending& one : pending) {
      switch (random.below(3)) {
        case 0:
          break;
        case 1:
          enact(durable, one);
          break;
        default:
          if (one.bytes) enact_torn(durable, one, random);
      }
    }
    pending.clear();
    visible = durable;
  }
};
using NodePtr = std::shared_ptr<Node>;
using Names = std::map<std::string, NodePtr>;

/// A creation (no from), removal (no to) or rename that is not durable yet.
struct DirOp {
  std::string from;
  std::string to;
  NodePtr node;
};

void enact(Names& names, const DirOp& op) {
  if (!op.from.empty()) {
    // A rename that survives an earlier one that did not must not leave the file with two names.
    if (!op.to.empty())
      std::erase_if(names, [&](const auto& one) { return one.second == op.node; });
    names.erase(op.from);
  }
  if (!op.to.empty()) names[op.to] = op.node;
}

/// Without doubled and trailing slashes.
std::string tidy(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, slash == 0 ? 1 : slash);
}

/// One fixed bit per operation number (the finaliser of splitmix64), for fates decided where no
/// Random is at hand.
bool coin(uint64_t number) {
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebULL;
  return ((number ^ (number >> 31U)) & 1U) != 0;
}

}  // namespace

struct SimDisk::State {
  Names names;
  Names durable_names;
  std::vector<DirOp> pending;
  std::set<std::string> dirs{"/", "."};
  Callback<DiskFault(const DiskOperation&)> hook;
  DiskLatency latency;
  Duration busy{};
  uint64_t capacity = 0;
  uint64_t operations = 0;
  uint64_t generation = 1;  // of open Files: an older one fails
  bool off = false;
  bool inside_hook = false;

  /// Counts the operation and asks for its fault. An error is the operation's; `cut` tells that it
  /// may be half done.
  Status begin(Kind kind, std::string_view path, uint64_t offset = 0, size_t bytes = 0,
               bool* cut = nullptr);
  [[nodiscard]] uint64_t used() const;
  void disconnect();
};

Status SimDisk::State::begin(Kind kind, std::string_view path, uint64_t offset, size_t bytes,
                             bool* cut) {
  const std::string where(path);
  if (off) return fail(Code::io, where + ": the simulated power is off");
  ++operations;
  busy += latency.per_operation + latency.per_mebibyte * static_cast<int64_t>(bytes) / (1 << 20);
  if (kind == Kind::sync || kind == Kind::sync_dir) busy += latency.per_sync;
  if (!hook || inside_hook) return {};
  inside_hook = true;
  const DiskFault fault = hook({operations, kind, path, offset, bytes});
  inside_hook = false;
  switch (fault) {
    case DiskFault::none:
      return {};
    case DiskFault::io_error:
      return fail(Code::io, where + ": simulated input/output error");
    case DiskFault::full:
      return fail(Code::exhausted, where + ": simulated disk is full");
    case DiskFault::power_cut:
      break;
  }
  off = true;
  if (cut != nullptr) *cut = true;
  return fail(Code::io, where + ": the simulated power was cut");
}

uint64_t SimDisk::State::used() const {
  uint64_t sum = 0;
  for (const auto& [path, node] : names) sum += node->visible.size();
  return sum;
}

void SimDisk::State::disconnect() {
  ++generation;
  for (const auto& [path, node] : names) node->locked_by = nullptr;
}

class SimFile final : public File {
 public:
  SimFile(const std::shared_ptr<SimDisk::State>& disk, NodePtr node, std::string path)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        generation_(disk->generation) {}
  ~SimFile() override {
    if (node_->locked_by == this) node_->locked_by = nullptr;
  }

  Result<size_t> read(uint64_t offset, std::span<char> out) override {
    DROVER_CHECK_OK(begin(Kind::read, offset, out.size()));
    const std::string& content = node_->visible;
    if (offset >= content.size()) return 0;
    const size_t count = std::min(out.size(), static_cast<size_t>(content.size() - offset));
    std::copy_n(content.data() + offset, count, out.data());
    return count;
  }

  Status write(uint64_t offset, std::string_view bytes) override {
    bool cut = false;
    Status begun = begin(Kind::write, offset, bytes.size(), &cut);
    if (!begun && !cut) return begun;
    DROVER_CHECK_OK(reserve(offset + bytes.size()));
    enact(node_->visible, offset, bytes);
    node_->pending.push_back({offset, std::string(bytes)});
    return begun;
  }

  Status truncate(uint64_t size) override {
    bool cut = false;
    Status begun = begin(Kind::truncate, size, 0, &cut);
    if (!begun && !cut) return begun;
    DROVER_CHECK_OK(reserve(size));
    node_->visible.resize(size, '\0');
    node_->pending.push_back({size, std::nullopt});
    return begun;
  }

  Status sync() override {
    bool cut = false;
    Status begun = begin(Kind::sync, 0, 0, &cut);
    if (cut) return begun;
    if (!begun && begun.error().code == Code::io && alive()) {
      // The kernel forgets which pages were dirty: what did not reach the disk now never will.
      uint64_t number = disk_.lock()->operations;
      std::erase_if(node_->pending, [&](const Pending&) { return coin(++number); });
      sync_failed_ = true;
      return begun;
    }
    DROVER_CHECK_OK(begun);
    if (sync_failed_) return fail(Code::io, path_ + ": an earlier sync failed");
    node_->make_durable();
    return {};
  }

  Result<uint64_t> size() override {
    DROVER_CHECK_OK(begin(Kind::size));
    return node_->visible.size();
  }

  Status lock() override {
    if (!alive()) return fail(Code::io, path_ + ": the simulated machine went down");
    if (node_->locked_by != nullptr && node_->locked_by != this) {
      return fail(Code::conflict, path_ + " is already open by another process");
    }
    node_->locked_by = this;
    return {};
  }

 private:
  [[nodiscard]] bool alive() const {
    const auto disk = disk_.lock();
    return disk != nullptr && disk->generation == generation_;
  }
  Status begin(Kind kind, uint64_t offset = 0, size_t bytes = 0, bool* cut = nullptr) {
    if (!alive()) return fail(Code::io, path_ + ": the simulated machine went down");
    return disk_.lock()->begin(kind, path_, offset, bytes, cut);
  }
  Status reserve(uint64_t end) {
    const auto disk = disk_.lock();
    const uint64_t size = node_->visible.size();
    if (disk->capacity == 0 || end <= size || disk->used() + (end - size) <= disk->capacity) {
      return {};
    }
    return fail(Code::exhausted, path_ + ": simulated disk is full");
  }

  std::weak_ptr<SimDisk::State> disk_;
  NodePtr node_;
  std::string path_;
  uint64_t generation_;
  bool sync_failed_ = false;
};

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<File>> SimDisk::open(const std::string& raw, bool create,
                                            uint32_t /*mode*/) {
  const std::string path = tidy(raw);
  DROVER_CHECK_OK(state_->begin(Kind::open, path));
  if (state_->dirs.contains(path)) return fail(Code::io, path + " is a directory");
  auto found = state_->names.find(path);
  if (found == state_->names.end()) {
    if (!create || !state_->dirs.contains(parent_of(path))) {
      return fail(Code::not_found, path + ": no such file or directory");
    }
    const DirOp made{{}, path, std::make_shared<Node>()};
    enact(state_->names, made);
    state_->pending.push_back(made);
    found = state_->names.find(path);
  }
  return std::make_unique<SimFile>(state_, found->second, path);
}

Result<bool> SimDisk::exists(const std::string& raw) {
  const std::string path = tidy(raw);
  DROVER_CHECK_OK(state_->begin(Kind::exists, path));
  return state_->names.contains(path) || state_->dirs.contains(path);
}

Status SimDisk::remove(const std::string& raw) {
  const std::string path = tidy(raw);
  bool cut = false;
  Status begun = state_->begin(Kind::remove, path, 0, 0, &cut);
  if (!begun && !cut) return begun;
  if (state_->dirs.contains(path)) {
    const auto inside = [&](const std::string& other) {
      return other != path && parent_of(other) == path;
    };
    const bool empty =
        std::ranges::none_of(state_->dirs, inside) &&
        std::ranges::none_of(state_->names, [&](const auto& one) { return inside(one.first); });
    if (!empty) return fail(Code::io, path + ": directory not empty");
    state_->dirs.erase(path);
    return begun;
  }
  const auto found = state_->names.find(path);
  if (found == state_->names.end()) return begun;
  const DirOp gone{path, {}, found->second};
  enact(state_->names, gone);
  state_->pending.push_back(gone);
  return begun;
}

Status SimDisk::rename(const std::string& raw_from, const std::string& raw_to) {
  const std::string from = tidy(raw_from);
  const std::string to = tidy(raw_to);
  bool cut = false;
  Status begun = state_->begin(Kind::rename, from, 0, 0, &cut);
  if (!begun && !cut) return begun;
  const auto found = state_->names.find(from);
  if (found == state_->names.end() || !state_->dirs.contains(parent_of(to))) {
    return fail(Code::not_found, from + " to " + to + ": no such file or directory");
  }
  const DirOp moved{from, to, found->second};
  if (from != to) {
    enact(state_->names, moved);
    state_->pending.push_back(moved);
  }
  return begun;
}

Result<std::vector<std::string>> SimDisk::list(const std::string& raw) {
  const std::string dir = tidy(raw);
  DROVER_CHECK_OK(state_->begin(Kind::list, dir));
  if (!state_->dirs.contains(dir)) return fail(Code::not_found, dir + ": no such directory");
  std::vector<std::string> found;
  const auto collect = [&](const std::string& path) {
    if (path == dir || path == "." || parent_of(path) != dir) return;
    found.push_back(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, node] : state_->names) collect(path);
  for (const std::string& path : state_->dirs) collect(path);
  std::ranges::sort(found);
  return found;
}

Status SimDisk::make_dirs(const std::string& raw, uint32_t /*mode*/) {
  const std::string dir = tidy(raw);
  DROVER_CHECK_OK(state_->begin(Kind::make_dirs, dir));
  for (size_t at = 0; at != std::string::npos;) {
    at = dir.find('/', at + 1);
    const std::string path = dir.substr(0, at);
    if (state_->names.contains(path)) return fail(Code::io, path + " is not a directory");
    if (!path.empty()) state_->dirs.insert(path);
  }
  return {};
}

Status SimDisk::sync_dir(const std::string& raw) {
  const std::string dir = tidy(raw);
  DROVER_CHECK_OK(state_->begin(Kind::sync_dir, dir));
  if (!state_->dirs.contains(dir)) return fail(Code::not_found, dir + ": no such directory");
  std::vector<DirOp> left;
  for (DirOp& op : state_->pending) {
    const bool here = (!op.from.empty() && parent_of(op.from) == dir) ||
                      (!op.to.empty() && parent_of(op.to) == dir);
    if (!here) {
      left.push_back(std::move(op));
      continue;
    }
    enact(state_->durable_names, op);
    // A move between directories settles what still waits for the same names in the other one.
    if (op.from.empty() || op.to.empty()) continue;
    std::erase_if(left, [&](const DirOp& other) {
      return other.to == op.from || other.from == op.to || other.to == op.to;
    });
  }
  state_->pending = std::move(left);
  return {};
}

void SimDisk::crash(Random& random) {
  state_->disconnect();
  state_->off = false;
  for (const DirOp& op : state_->pending) {
    if (random.below(2) == 0) enact(state_->durable_names, op);
  }
  state_->pending.clear();
  state_->names = state_->durable_names;
  for (const auto& [path, node] : state_->names) node->crash(random);
}

void SimDisk::detach() {
  state_->disconnect();
}

void SimDisk::set_fault_hook(Callback<DiskFault(const DiskOperation&)> hook) {
  state_->hook = std::move(hook);
}
void SimDisk::set_capacity(uint64_t bytes) {
  state_->capacity = bytes;
}
void SimDisk::set_latency(DiskLatency latency) {
  state_->latency = latency;
}
Duration SimDisk::take_busy() {
  return std::exchange(state_->busy, Duration{});
}
uint64_t SimDisk::operations() const {
  return state_->operations;
}
uint64_t SimDisk::bytes() const {
  return state_->used();
}

}  // namespace drover::sim
