#include "tree/path_planner.hpp"

#include <algorithm>

namespace drover::tree {
namespace {

/// No site decides this often: a node that claims a higher epoch is not believed, so that the
/// numbers cannot be driven to their end.
constexpr uint64_t kMaxPathEpoch = uint64_t{1} << 62;
constexpr uint64_t kFnvBasis = 14695981039346656037ULL;
constexpr uint64_t kFnvPrime = 1099511628211ULL;

uint64_t fnv1a(uint64_t hash, std::string_view text) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kFnvPrime;
  }
  return hash;
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads FNV's weak high bits.
uint64_t mix(uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9ULL;
  value ^= value >> 27;
  value *= 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

bool contains(const std::vector<std::string>& sorted, const std::string& name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

}  // namespace

uint64_t rendezvous_score(std::string_view node, std::string_view aggregator) {
  return mix(fnv1a(fnv1a(fnv1a(kFnvBasis, node), std::string_view("\0", 1)), aggregator));
}

void PathPlanner::aggregator_up(const std::string& name, MonoTime now) {
  dirty_ = up_.emplace(name, now).second || dirty_;
}

void PathPlanner::aggregator_down(const std::string& name, MonoTime now) {
  if (up_.erase(name) == 0) return;
  dirty_ = true;
  quiet_until_ = now + settings_.hold;
}

void PathPlanner::add_node(const std::string& node, uint64_t epoch) {
  const auto [it, added] = nodes_.try_emplace(node);
  dirty_ = added || dirty_;
  PathAssignment& assigned = it->second.assigned;
  if (epoch <= assigned.epoch || epoch >= kMaxPathEpoch) return;
  assigned.epoch = epoch;
  if (!assigned.primary.empty()) dirty_ = it->second.overruled = true;
}

void PathPlanner::remove_node(const std::string& node) {
  nodes_.erase(node);
}

void PathPlanner::observe(const std::string& node, const std::string& primary, uint64_t epoch) {
  const auto [it, added] = nodes_.try_emplace(node);
  NodeState& state = it->second;
  dirty_ = added || state.actual != primary || dirty_;
  state.actual = primary;
  state.assigned.epoch = std::max(state.assigned.epoch, epoch);
  if (!state.assigned.primary.empty() && primary == state.assigned.primary) state.moving_until = {};
}

const PathAssignment* PathPlanner::assignment(const std::string& node) const {
  const auto it = nodes_.find(node);
  return it == nodes_.end() || it->second.assigned.primary.empty() ? nullptr : &it->second.assigned;
}

std::pair<std::string, std::string> PathPlanner::best_two(
    const std::string& node, const std::vector<std::string>& candidates) const {
  const std::string* first = nullptr;
  const std::string* second = nullptr;
  uint64_t first_score = 0;
  uint64_t second_score = 0;
  for (const std::string& candidate : candidates) {
    const uint64_t score = rendezvous_score(node, candidate);
    if (first == nullptr || score > first_score) {
      second = std::exchange(first, &candidate);
      second_score = std::exchange(first_score, score);
    } else if (second == nullptr || score > second_score) {
      second = &candidate;
      second_score = score;
    }
  }
  return {first == nullptr ? "" : *first, second == nullptr ? "" : *second};
}

// Gives a node two live aggregators again, without moving it from a primary that still serves it.
bool PathPlanner::repair(const std::string& node, NodeState& state,
                         const std::vector<std::string>& up) {
  PathAssignment& now = state.assigned;
  const bool primary_ok = contains(up, now.primary);
  const bool secondary_ok =
      up.size() < 2 || (contains(up, now.secondary) && now.secondary != now.primary);
  if (primary_ok && secondary_ok) return false;
  const auto [best, next] = best_two(node, up);
  if (!primary_ok) {
    now.primary = contains(up, state.actual)    ? state.actual
                  : contains(up, now.secondary) ? now.secondary
                                                : best;
  }
  now.secondary = best != now.primary ? best : next;
  now.epoch = next_epoch(state);
  return true;
}

// Rendezvous hashing with bounded loads (after Mirrokni, Thorup and Zadimoghaddam 2016): a node
// goes to its best aggregator that is not full, so a small cluster is split evenly and a large one
// within 5 %.
std::vector<std::string> PathPlanner::homes(const std::vector<std::string>& stable) const {
  std::vector<std::string> out;
  if (stable.empty()) return out;
  out.reserve(nodes_.size());
  const size_t even = (nodes_.size() + stable.size() - 1) / stable.size();
  const size_t full = std::max(even, nodes_.size() * 105 / (100 * stable.size()));
  std::vector<size_t> load(stable.size());
  for (const auto& [node, state] : nodes_) {
    size_t best = 0;
    uint64_t best_score = 0;
    bool found = false;
    for (size_t i = 0; i < stable.size(); ++i) {
      if (load[i] >= full) continue;
      const uint64_t score = rendezvous_score(node, stable[i]);
      if (found && score <= best_score) continue;
      found = true;
      best = i;
      best_score = score;
    }
    ++load[best];
    out.push_back(stable[best]);
  }
  return out;
}

std::vector<std::string> PathPlanner::plan(MonoTime now) {
  if (!dirty_ && now < next_due_) return {};
  dirty_ = false;
  next_due_ = MonoTime::max();
  std::vector<std::string> up;
  std::vector<std::string> stable;
  for (const auto& [name, since] : up_) {
    up.push_back(name);
    if (now - since >= settings_.hold) {
      stable.push_back(name);
    } else {
      next_due_ = std::min(next_due_, since + settings_.hold);
    }
  }
  // One that is just being restarted shall find its nodes' neighbours where they were.
  if (now < quiet_until_) {
    stable.clear();
    next_due_ = std::min(next_due_, quiet_until_);
  }
  std::vector<std::string> changed;
  displaced_ = 0;
  if (up.empty()) return changed;
  const auto share =
      static_cast<size_t>(static_cast<double>(nodes_.size()) * settings_.batch_share);
  const size_t batch = std::max(settings_.batch_least, share);
  size_t moving = 0;
  for (const auto& [node, state] : nodes_) moving += state.moving_until > now ? 1 : 0;
  const std::vector<std::string> wanted = homes(stable);
  size_t index = 0;
  for (auto& [node, state] : nodes_) {
    const size_t place = index++;
    // A master that has just started takes what it finds before it improves on it.
    if (state.assigned.primary.empty() && contains(up, state.actual)) {
      state.assigned.primary = state.actual;
    }
    if (repair(node, state, up)) {
      state.overruled = false;
      state.moving_until = {};  // where it was to go is not what it failed to reach
      changed.push_back(node);
      continue;
    }
    if (std::exchange(state.overruled, false)) {
      state.assigned.epoch = next_epoch(state);
      changed.push_back(node);
      continue;
    }
    if (state.moving_until > now) {
      next_due_ = std::min(next_due_, state.moving_until);
      continue;
    }
    if (state.moving_until != MonoTime{}) {
      // It cannot reach its home, and must not keep the others from theirs.
      state.moving_until = {};
      state.not_before = now + settings_.hold;
    }
    if (wanted.empty()) continue;
    std::string home = wanted[place];
    auto [best, next] = best_two(node, up);
    std::string second = best != home ? std::move(best) : std::move(next);
    const bool displaced =
        state.assigned.primary != home || (!state.actual.empty() && state.actual != home);
    if (!displaced && state.assigned.secondary == second) continue;
    if (displaced) {
      ++displaced_;
      if (now < state.not_before) {
        next_due_ = std::min(next_due_, state.not_before);
        continue;
      }
      if (moving >= batch) continue;
      ++moving;
      state.moving_until = now + settings_.move_limit;
      next_due_ = std::min(next_due_, state.moving_until);
    }
    state.assigned = {std::move(home), std::move(second), next_epoch(state)};
    changed.push_back(node);
  }
  return changed;
}

}  // namespace drover::tree
