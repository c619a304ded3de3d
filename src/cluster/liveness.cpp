#include "cluster/liveness.hpp"

#include "cluster/transitions.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace drover::cluster {

/// The reports about a node's newest incarnation, sorted by what they are worth.
struct Liveness::Weighed {
  struct Word {
    const std::string* reporter = nullptr;
    const Held* held = nullptr;
    explicit operator bool() const { return held != nullptr; }
  };
  std::vector<Word> live;  ///< in touch and hearing it, by reporter
  Word lost;               ///< in touch and has lost it: the newest such word
  Word stale_live;         ///< out of touch, heard it until then: the one that went last
  Word stale_lost;         ///< out of touch, had lost it before
  uint64_t went = 0;       ///< arrival of the loss of stale_live's reporter
};

namespace {

void fill(Verdict& verdict, const MemberReport& member) {
  verdict.node = member.node;
  verdict.role = member.role;
  verdict.incarnation = member.incarnation;
  verdict.starts = member.starts;
  verdict.boot_id = member.boot_id;
  verdict.version = member.version;
  verdict.address = member.address;
}

/// Orders claims to be primary: newest path decision, then newest claim, then smallest name.
bool stronger_claim(const std::string& a_name, const MemberReport& a, const std::string& b_name,
                    const MemberReport& b) {
  const bool a_primary = a.state == MemberState::primary;
  const bool b_primary = b.state == MemberState::primary;
  return std::tie(b_primary, b.path_epoch, b.since, a_name) <
         std::tie(a_primary, a.path_epoch, a.since, b_name);
}

bool newer_loss(const std::string& a_name, const MemberReport& a, const std::string& b_name,
                const MemberReport& b) {
  return std::tie(b.since, a_name) < std::tie(a.since, b_name);
}

template <typename Words>
Verdict judge_up(const Words& live) {
  const auto* best = &live.front();
  WallTime since = best->held->member.since;
  for (const auto& word : live) {
    since = std::min(since, word.held->member.since);
    if (stronger_claim(*word.reporter, word.held->member, *best->reporter, best->held->member)) {
      best = &word;
    }
  }
  Verdict verdict;
  fill(verdict, best->held->member);
  verdict.phase = PhaseState::up;
  verdict.confirmed = true;
  verdict.since = since;
  verdict.who = *best->reporter;
  const bool has_primary = best->held->member.state == MemberState::primary;
  if (has_primary) verdict.primary = *best->reporter;
  for (const auto& word : live) {
    if (has_primary && &word == best) continue;
    verdict.secondary = *word.reporter;
    break;
  }
  // Which of its paths is the primary changes without a change of phase, and is told elsewhere.
  verdict.why = fmt::format("heard by {}", verdict.who);
  return verdict;
}

}  // namespace

PhaseState phase_after(PhaseState from, PhaseState verdict) {
  const bool asked_to_halt = from == PhaseState::halting && verdict == PhaseState::lost;
  const PhaseState to = asked_to_halt ? PhaseState::halted : verdict;
  return may_change(from, to, Actor::liveness) ? to : from;
}

PhaseState weighed_phase(const Phase& phase) {
  const bool of_boot = phase.state == PhaseState::error && phase.who.starts_with("boot/");
  return of_boot ? PhaseState::init : phase.state;
}

void Liveness::set_durable(const std::string& node, NodeRole role, PhaseState phase) {
  NodeFacts& facts = nodes_[node];
  if (facts.in_model && facts.durable == phase && facts.role == role) return;
  // Whoever keeps the model could not take a verdict about a node that it did not have yet.
  if (!facts.in_model) facts.given.reset();
  facts.in_model = true;
  facts.role = role;
  facts.durable = phase;
  facts.stopping.reset();
  if (phase == PhaseState::halting || phase == PhaseState::rebooting) {
    uint64_t newest = 0;
    for (const auto& [name, held] : facts.held) newest = std::max(newest, held.member.incarnation);
    facts.stopping = newest;
  }
  dirty_.insert(node);
}

void Liveness::remove(const std::string& node) {
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return;
  it->second.in_model = false;
  it->second.durable = PhaseState::unknown;
  dirty_.insert(node);
}

void Liveness::touch(const Reporter& reporter) {
  dirty_.insert(reporter.nodes.begin(), reporter.nodes.end());
}

void Liveness::reporter_up(const std::string& reporter) {
  Reporter& facts = reporters_[reporter];
  facts.up = true;
  for (const std::string& node : facts.nodes) {
    Held& held = nodes_[node].held[reporter];
    held.fresh = false;
    held.asked = false;
  }
  touch(facts);
}

void Liveness::resync(const std::string& reporter, Callback<bool(const std::string& node)> asked) {
  for (const std::string& node : reporters_[reporter].nodes) {
    nodes_[node].held[reporter].asked = asked(node);
  }
}

void Liveness::resynced(const std::string& reporter, MonoTime now) {
  Reporter& facts = reporters_[reporter];
  const std::vector<std::string> nodes(facts.nodes.begin(), facts.nodes.end());
  for (const std::string& node : nodes) {
    Held& held = nodes_[node].held[reporter];
    if (held.asked) {
      forgotten(reporter, node, now);
    } else {
      held.fresh = true;
    }
  }
  touch(facts);
}

void Liveness::report(const std::string& reporter, const MemberReport& member, MonoTime) {
  NodeFacts& facts = nodes_[member.node];
  if (!facts.in_model) facts.role = member.role;
  Held& held = facts.held[reporter];
  held.member = member;
  held.fresh = true;
  held.asked = false;
  held.arrival = ++arrivals_;
  reporters_[reporter].nodes.insert(member.node);
  dirty_.insert(member.node);
}

void Liveness::forgotten(const std::string& reporter, const std::string& node, MonoTime) {
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return;
  it->second.held.erase(reporter);
  reporters_[reporter].nodes.erase(node);
  dirty_.insert(node);
}

void Liveness::left(const std::string& reporter, const std::string& node, const std::string& why,
                    WallTime wall) {
  const auto it = nodes_.find(node);
  if (it == nodes_.end() || it->second.held.erase(reporter) == 0) return;
  it->second.left_why = why;
  it->second.left = wall;
  reporters_[reporter].nodes.erase(node);
  dirty_.insert(node);
}

void Liveness::reporter_lost(const std::string& reporter, const std::string& why, MonoTime,
                             WallTime wall) {
  Reporter& facts = reporters_[reporter];
  if (!facts.up) return;
  facts.up = false;
  facts.why = why;
  facts.lost_wall = wall;
  facts.lost_arrival = ++arrivals_;
  touch(facts);
}

Liveness::Weighed Liveness::weigh(const NodeFacts& facts) const {
  Weighed out;
  for (const auto& [name, held] : facts.held) {
    const Weighed::Word word{&name, &held};
    const Reporter& reporter = reporters_.at(name);
    const bool in_touch = reporter.up && held.fresh;
    const bool heard = held.member.state != MemberState::lost;
    const auto newer = [&](const Weighed::Word& than) {
      return !than || newer_loss(name, held.member, *than.reporter, than.held->member);
    };
    if (in_touch && heard) {
      out.live.push_back(word);
    } else if (in_touch) {
      if (newer(out.lost)) out.lost = word;
    } else if (heard) {
      if (out.stale_live && reporter.lost_arrival < out.went) continue;
      out.stale_live = word;
      out.went = reporter.lost_arrival;
    } else if (newer(out.stale_lost)) {
      out.stale_lost = word;
    }
  }
  drop_old_incarnations(out);
  return out;
}

void Liveness::drop_old_incarnations(Weighed& weighed) {
  uint64_t newest = 0;
  for (const auto& word : weighed.live) newest = std::max(newest, word.held->member.incarnation);
  std::erase_if(weighed.live,
                [&](const auto& word) { return word.held->member.incarnation != newest; });
  const Weighed::Word& lost = weighed.lost ? weighed.lost : weighed.stale_lost;
  if (!lost || !weighed.stale_live) return;
  const bool agent_was_newer =
      weighed.stale_live.held->member.incarnation < lost.held->member.incarnation;
  const bool came_after = weighed.lost && weighed.lost.held->arrival > weighed.went;
  if (agent_was_newer || came_after) weighed.stale_live = {};
}

Verdict Liveness::judge(const NodeFacts& facts, MonoTime now) const {
  const Weighed weighed = weigh(facts);
  if (!weighed.live.empty()) return judge_up(weighed.live);
  if (weighed.stale_live) return judge_out_of_touch(facts, weighed, now);
  const Weighed::Word& word = weighed.lost ? weighed.lost : weighed.stale_lost;
  if (!word) return judge_unspoken(facts, now);
  Verdict verdict;
  fill(verdict, word.held->member);
  verdict.phase = PhaseState::lost;
  verdict.confirmed = static_cast<bool>(weighed.lost);
  verdict.since = word.held->member.since;
  verdict.why = word.held->member.why;
  verdict.who = *word.reporter;
  return verdict;
}

PhaseState Liveness::phase_unvouched(const NodeFacts& facts, MonoTime now) const {
  const bool over = facts.unvouched_since && now - *facts.unvouched_since >= settings_.grace;
  return facts.in_model && !over ? facts.durable : PhaseState::unknown;
}

Verdict Liveness::judge_out_of_touch(const NodeFacts& facts, const Weighed& weighed,
                                     MonoTime now) const {
  const Reporter& reporter = reporters_.at(*weighed.stale_live.reporter);
  Verdict verdict;
  fill(verdict, weighed.stale_live.held->member);
  verdict.phase = phase_unvouched(facts, now);
  verdict.since = reporter.lost_wall;
  verdict.who = *weighed.stale_live.reporter;
  verdict.why =
      fmt::format("{}, which heard it last, is out of touch: {}", verdict.who, reporter.why);
  return verdict;
}

Verdict Liveness::judge_unspoken(const NodeFacts& facts, MonoTime now) const {
  Verdict verdict;
  verdict.phase = phase_unvouched(facts, now);
  verdict.since = facts.left_why.empty() ? started_ : facts.left;
  verdict.why = !facts.left_why.empty() ? facts.left_why
                                        : "no aggregator has spoken of it since the master "
                                          "started at " +
                                              to_rfc3339(started_);
  return verdict;
}

/// Keeps the grace running exactly while a node that is stored as up has nobody who says anything.
void Liveness::watch_grace(const std::string& name, NodeFacts& facts, MonoTime now) {
  const Weighed weighed = weigh(facts);
  const bool silent =
      weighed.live.empty() && (weighed.stale_live || (!weighed.lost && !weighed.stale_lost));
  const bool was_up = facts.in_model && facts.durable == PhaseState::up;
  if (!facts.unvouched_since && silent && was_up) {
    facts.unvouched_since = now;
    graces_.emplace(now + settings_.grace, name);
  } else if (facts.unvouched_since && !silent) {
    graces_.erase({*facts.unvouched_since + settings_.grace, name});
    facts.unvouched_since.reset();
  }
}

void Liveness::settle(const std::string& name, NodeFacts& facts, MonoTime now, Outcome& outcome) {
  watch_grace(name, facts, now);
  Verdict verdict = judge(facts, now);
  verdict.node = name;
  verdict.role = facts.role;
  const bool still_stopping =
      verdict.phase == PhaseState::up && facts.stopping && verdict.incarnation <= *facts.stopping;
  // Only what is heard can be on its way up.
  const bool is_heard = verdict.phase == PhaseState::up && verdict.confirmed && !still_stopping;
  const Gate gate = is_heard && gate_ ? gate_(verdict) : Gate{verdict.phase, {}};
  const PhaseState to = still_stopping ? facts.durable : phase_after(facts.durable, gate.phase);
  if (facts.in_model && to != facts.durable) {
    facts.durable = to;
    facts.stopping.reset();
    outcome.durable.push_back({name, facts.role, to, verdict.since,
                               gate.why.empty() ? verdict.why : gate.why, verdict.who});
  }
  if (facts.given != verdict) {
    facts.given = verdict;
    outcome.verdicts.push_back(std::move(verdict));
  }
}

Liveness::Outcome Liveness::take(MonoTime now) {
  while (!graces_.empty() && graces_.begin()->first <= now) {
    dirty_.insert(graces_.begin()->second);
    graces_.erase(graces_.begin());
  }
  Outcome outcome;
  for (const std::string& name : std::exchange(dirty_, {})) {
    const auto it = nodes_.find(name);
    if (it == nodes_.end()) continue;
    settle(name, it->second, now, outcome);
    if (!it->second.in_model && it->second.held.empty()) nodes_.erase(it);
  }
  return outcome;
}

std::optional<MonoTime> Liveness::next_deadline() const {
  if (graces_.empty()) return std::nullopt;
  return graces_.begin()->first;
}

}  // namespace drover::cluster
