#include "daemons/boot/stage_book.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using Ph = cluster::PhaseState;

/// Reports are for people: what a machine says is cut to a line.
std::string line_of(std::string_view why) {
  return printable(why.substr(0, cluster::kMaxBootWhy / 4));
}

}  // namespace

Duration StageBook::patience(Ph stage) {
  switch (stage) {
    case Ph::dhcp:
    case Ph::loader:
    case Ph::init:
    case Ph::joining:
      return std::chrono::seconds(90);
    case Ph::kernel:
    case Ph::image:
      return std::chrono::seconds(180);
    case Ph::node_up:
      return std::chrono::minutes(10);
    default:
      return Duration::zero();
  }
}

void StageBook::seen(const std::string& node, Ph stage, std::string_view why) {
  Boot& boot = boots_[node];
  const MonoTime now = executor_.now();
  const Ph at = boot.progress.stage;
  const bool fresh = now - boot.last < patience(Ph::loader);
  const bool begins_again = stage == Ph::dhcp && at == Ph::loader && fresh;
  if (boot.progress.node.empty()) boot.progress.node = node;
  boot.last = now;
  if (at == stage || begins_again) {
    boot.progress.why = line_of(why);
    wait(boot);
    return tell(boot);
  }
  move(boot, stage, why);
}

void StageBook::uses(const std::string& node, WallTime asked) {
  boots_[node].once = asked;
}

void StageBook::progress(const std::string& node, std::string_view item, uint64_t done,
                         uint64_t total) {
  const auto it = boots_.find(node);
  if (it == boots_.end()) return;
  it->second.progress.item = item;
  it->second.progress.done = done;
  it->second.progress.total = total;
  it->second.last = executor_.now();
  wait(it->second);
  tell(it->second);
}

void StageBook::failed(const std::string& node, std::string_view why, WallTime after) {
  Boot& boot = boots_[node];
  boot.progress.node = node;
  boot.last = executor_.now();
  // A machine that is refused asks again and again.
  if (boot.progress.stage == Ph::error && boot.progress.why == line_of(why)) return;
  move(boot, Ph::error, why, after);
}

void StageBook::left(const std::string& node, std::string_view why) {
  seen(node, Ph::loader, why);
  Boot& boot = boots_.at(node);
  const WallTime once = std::exchange(boot.once, WallTime{});
  if (once != WallTime{}) report_({node, Ph::loader, boot.progress.since, line_of(why), once});
  ended(node);
}

void StageBook::ended(const std::string& node) {
  const auto it = boots_.find(node);
  if (it == boots_.end()) return;
  const BootProgress last = std::move(it->second.progress);
  boots_.erase(it);
  if (watch_ && !last.node.empty()) watch_(last, true);
}

bool StageBook::boots(const std::string& node) const {
  const auto it = boots_.find(node);
  return it != boots_.end() && it->second.progress.stage != Ph::error &&
         it->second.progress.stage != Ph::unknown;
}

void StageBook::tell(const Boot& boot) {
  if (watch_) watch_(boot.progress, false);
}

std::vector<BootProgress> StageBook::under_way() const {
  std::vector<BootProgress> out;
  out.reserve(boots_.size());
  for (const auto& [node, boot] : boots_) {
    if (!boot.progress.node.empty()) out.push_back(boot.progress);  // else only announced
  }
  return out;
}

void StageBook::move(Boot& boot, Ph stage, std::string_view why, WallTime after) {
  BootProgress& progress = boot.progress;
  progress.stage = stage;
  progress.since = std::max(executor_.wall(), after);
  progress.why = line_of(why);
  progress.item.clear();
  progress.done = progress.total = 0;
  wait(boot);
  const bool runs =
      stage == Ph::init || stage == Ph::image || stage == Ph::joining || stage == Ph::node_up;
  report_({progress.node, stage, progress.since, progress.why,
           runs ? std::exchange(boot.once, WallTime{}) : WallTime{}});
  tell(boot);
}

void StageBook::wait(Boot& boot) {
  const Duration patience = StageBook::patience(boot.progress.stage);
  boot.progress.deadline = patience == Duration::zero() ? WallTime{} : executor_.wall() + patience;
  if (patience == Duration::zero()) return boot.deadline.cancel();
  boot.deadline.after(executor_, patience, [this, node = boot.progress.node] { too_late(node); });
}

void StageBook::too_late(const std::string& node) {
  Boot& boot = boots_.at(node);
  const BootProgress& was = boot.progress;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(patience(was.stage));
  move(boot, Ph::error,
       fmt::format("stopped at {}: nothing more for {} s after: {}", enum_name(was.stage),
                   waited.count(), was.why));
}

}  // namespace drover::daemons
