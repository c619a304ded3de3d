#include "cluster/transitions.hpp"

#include "cluster/state_views.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

template <typename E>
std::vector<E> all_states() {
  std::vector<E> out;
  for (size_t i = 0; i < enum_names(E{}).size(); ++i) out.push_back(static_cast<E>(i));
  return out;
}
const std::vector<Actor> kActors = all_states<Actor>();

template <typename E>
bool reachable(E from, E to) {
  std::vector<E> seen{from};
  for (size_t i = 0; i < seen.size(); ++i) {
    for (const E next : all_states<E>()) {
      const bool ok = std::ranges::any_of(
          kActors, [&](Actor actor) { return may_change(seen[i], next, actor).has_value(); });
      if (ok && std::ranges::find(seen, next) == seen.end()) seen.push_back(next);
    }
  }
  return std::ranges::find(seen, to) != seen.end();
}

TEST(Transitions, EveryNameIsThere) {
  EXPECT_EQ(enum_name(PowerState::on), "on");
  EXPECT_EQ(enum_name(PhaseState::lost), "lost");
  EXPECT_EQ(enum_name(ServiceState::hard_failure), "hard_failure");
  EXPECT_EQ(enum_names(PhaseState{}).size(), static_cast<size_t>(PhaseState::lost) + 1);
  EXPECT_EQ(enum_names(ServiceState{}).size(), static_cast<size_t>(ServiceState::hard_failure) + 1);
}

TEST(Transitions, RulesStayWithinTheirAxis) {
  for (const TransitionRule& rule : transition_rules()) {
    const size_t states = rule.axis == Axis::power   ? enum_names(PowerState{}).size()
                          : rule.axis == Axis::phase ? enum_names(PhaseState{}).size()
                                                     : enum_names(ServiceState{}).size();
    EXPECT_LT(rule.to, states) << rule.when;
    EXPECT_EQ(rule.from >> states, 0U) << rule.when;
    EXPECT_NE(rule.from, 0U) << rule.when;
    EXPECT_NE(rule.actors, 0U) << rule.when;
    EXPECT_FALSE(rule.when.empty());
  }
}

TEST(Transitions, StayingIsAlwaysAllowed) {
  for (const Actor actor : kActors) {
    for (const auto state : all_states<PhaseState>()) EXPECT_TRUE(may_change(state, state, actor));
    for (const auto state : all_states<ServiceState>())
      EXPECT_TRUE(may_change(state, state, actor));
  }
}

TEST(Transitions, NoNodeIsStuck) {
  for (const auto state : all_states<PhaseState>()) {
    EXPECT_TRUE(reachable(state, PhaseState::up)) << enum_name(state);
    EXPECT_TRUE(reachable(PhaseState::unknown, state)) << enum_name(state);
  }
  for (const auto state : all_states<ServiceState>()) {
    EXPECT_TRUE(reachable(state, ServiceState::in_service)) << enum_name(state);
    EXPECT_TRUE(reachable(ServiceState::discovered, state)) << enum_name(state);
  }
}

TEST(Transitions, HardFailureLeavesOnlyByAnAdministrator) {
  for (const auto to : all_states<ServiceState>()) {
    for (const Actor actor : kActors) {
      if (to == ServiceState::hard_failure || actor == Actor::admin) continue;
      EXPECT_FALSE(may_change(ServiceState::hard_failure, to, actor));
    }
  }
}

TEST(Transitions, NothingReturnsToDiscovered) {
  for (const auto from : all_states<ServiceState>()) {
    for (const Actor actor : kActors) {
      if (from == ServiceState::discovered) continue;
      EXPECT_FALSE(may_change(from, ServiceState::discovered, actor));
    }
  }
}

TEST(Transitions, APersonCannotSayThatANodeIsUp) {
  for (const auto from : all_states<PhaseState>()) {
    if (from == PhaseState::up) continue;
    const auto refused = may_change(from, PhaseState::up, Actor::admin);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::denied);
  }
}

/// docs/states.md is what the table says. DROVER_UPDATE_GOLDEN=1 writes it anew.
TEST(Transitions, TheManualIsTheTable) {
  const std::string path = DROVER_SOURCE_DIR "/docs/states.md";
  const std::string made = transitions_markdown() + state_views_markdown();
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << made;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_TRUE(made == golden.str()) << "docs/states.md is not what the table says; run this with "
                                       "DROVER_UPDATE_GOLDEN=1 and look at the difference";
}

TEST(Transitions, RefusalsSayWhatIsAllowed) {
  const auto denied =
      may_change(ServiceState::in_service, ServiceState::soft_failure, Actor::admin);
  EXPECT_EQ(denied.error().message,
            "service: only ras may take it from in_service to soft_failure, not admin");
  const auto conflict =
      may_change(ServiceState::hard_failure, ServiceState::soft_failure, Actor::admin);
  EXPECT_EQ(conflict.error().code, Code::conflict);
  EXPECT_EQ(
      conflict.error().message,
      "service: cannot go from hard_failure to soft_failure; admin may take it to in_service, "
      "out_of_service, admin_reserved, maintenance");
}

}  // namespace
}  // namespace drover::cluster
