// A small tree for the tests of calls: one master, aggregators and nodes with real dispatch, relay
// and runner, joined by wires that delay, break and come back in a simulated world.
#pragma once

#include "sim/world.hpp"
#include "tree/call_dispatch.hpp"
#include "tree/call_relay.hpp"
#include "tree/call_runner.hpp"
#include "tree/peers.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace drover::tree::testing {

using namespace std::chrono_literals;

inline Error broken() {
  return {Code::unreachable, "connection reset", {}, {}};
}

/// One live link: messages arrive in order after a delay, none after the break.
class Wire {
 public:
  using Arrive = Callback<void(MessageType, const std::string&)>;
  Wire(sim::World& world, sim::SimRandom& random, Arrive up, Arrive down)
      : world_(world), random_(random), up_(std::move(up)), down_(std::move(down)) {}
  void send(bool upward, MessageType type, std::string_view payload) {
    Duration& last = upward ? last_up_ : last_down_;
    last = std::max(last, world_.now() + random_.between(100us, 3ms));
    world_.after(last - world_.now(), [this, weak = std::weak_ptr<bool>(alive_), upward, type,
                                       bytes = std::string(payload)] {
      if (const auto alive = weak.lock(); alive && *alive) (upward ? up_ : down_)(type, bytes);
    });
    ++sent_;
    sent_bytes_ += payload.size();
  }
  [[nodiscard]] size_t sent() const { return sent_; }
  [[nodiscard]] size_t sent_bytes() const { return sent_bytes_; }

 private:
  sim::World& world_;
  sim::SimRandom& random_;
  Arrive up_;
  Arrive down_;
  Duration last_up_{};
  Duration last_down_{};
  size_t sent_ = 0;
  size_t sent_bytes_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The ends of wires by name.
class WirePeers final : public Peers {
 public:
  explicit WirePeers(bool upward) : upward_(upward) {}
  Status send(const std::string& peer, MessageType type, std::string_view payload) override {
    const auto wire = wires.find(peer);
    if (wire == wires.end()) return fail(Code::unreachable, "not linked");
    wire->second->send(upward_, type, payload);
    return {};
  }
  std::map<std::string, Wire*> wires;

 private:
  bool upward_;
};

struct TestNode {
  TestNode(Executor& executor, const Log& log)
      : up(true), runner(std::make_unique<CallRunner>(executor, log, up, CallRunner::Limits{})) {}
  WirePeers up;
  std::unique_ptr<CallRunner> runner;
};

struct TestAggregator {
  TestAggregator(Executor& executor, const Log& log)
      : masters(true), nodes(false), own(executor, log, masters, {}) {
    relay = std::make_unique<CallRelay>(executor, log, masters, nodes, &own, CallRelay::Limits{});
  }
  WirePeers masters;
  WirePeers nodes;
  CallRunner own;
  std::unique_ptr<CallRelay> relay;
};

class TestTree final : private CallRoutes {
 public:
  TestTree(uint64_t seed, size_t aggregators, size_t nodes)
      : world(seed), process(world, {.name = "tree", .host = "h"}), random(world.stream("tree")) {
    for (size_t i = 1; i <= aggregators; ++i) {
      const std::string name = fmt::format("a{}", i);
      this->aggregators[name] = std::make_unique<TestAggregator>(executor(), log());
      link_master(name);
    }
    for (size_t i = 1; i <= nodes; ++i) {
      const std::string name = fmt::format("n{}", i);
      boot(name);
      home[name] = fmt::format("a{}", 1 + i % aggregators);
      link_node(home[name], name);
    }
  }

  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;
  ~TestTree() override {
    nodes.clear();  // before the replies that are still kept
    aggregators.clear();
  }

  Executor& executor() { return process.executor(); }
  Log log() { return process.log("test"); }

  /// (Re)starts a node's daemon: it forgets all. Methods: "echo", "act" (never twice), "slow",
  /// "mute" (never answers), "drop" (drops its reply), "big".
  void boot(const std::string& name) {
    auto node = std::make_unique<TestNode>(executor(), log());
    CallRunner& runner = *node->runner;
    const auto note = [this, name](const CallRequest& request) { ++runs[request.id][name]; };
    runner.handle("echo", Repeat::harmless, [note](CallRequest request, CallReply reply) {
      note(request);
      reply(request.payload);
    });
    const auto late = [this, note](CallRequest request, CallReply reply) {
      note(request);
      auto timer = std::make_shared<Timer>();
      timer->after(executor(), random.between(1ms, 800ms),
                   [timer, reply = std::move(reply)]() mutable {
                     reply("ok");
                     timer.reset();
                   });
    };
    runner.handle("act", Repeat::never, late);
    runner.handle("slow", Repeat::harmless, late);
    runner.handle(
        "mute", Repeat::harmless,
        [this, note](CallRequest request, CallReply reply) {
          note(request);
          kept.push_back(std::move(reply));
        },
        [this](const std::string& id) { ++cancels[id]; });
    runner.handle("drop", Repeat::harmless,
                  [note](CallRequest request, CallReply) { note(request); });
    runner.handle("big", Repeat::harmless, [note](CallRequest request, CallReply reply) {
      note(request);
      reply(std::string(kMaxCallResult + 1, 'x'));
    });
    nodes[name] = std::move(node);
  }

  void link_master(const std::string& aggregator) {
    TestAggregator* a = aggregators.at(aggregator).get();
    auto wire = std::make_unique<Wire>(
        world, random,
        [this, aggregator](MessageType type, const std::string& bytes) {
          if (type == MessageType::call_answers) dispatch.on_answers(aggregator, bytes);
          if (type == MessageType::call_answer) dispatch.on_answer(aggregator, bytes);
        },
        [a](MessageType type, const std::string& bytes) {
          if (type == MessageType::call) a->relay->on_call("m", bytes);
          if (type == MessageType::call_cancel) a->relay->on_cancel("m", bytes);
        });
    links.wires[aggregator] = wire.get();
    a->masters.wires["m"] = wire.get();
    wires_["m/" + aggregator] = std::move(wire);
    dispatch.paths_changed();
  }
  void break_master(const std::string& aggregator) {
    if (wires_.erase("m/" + aggregator) == 0) return;
    links.wires.erase(aggregator);
    aggregators.at(aggregator)->masters.wires.erase("m");
    aggregators.at(aggregator)->relay->on_master_lost("m");
    dispatch.on_link_lost(aggregator, broken());
  }
  void link_node(const std::string& aggregator, const std::string& node) {
    TestAggregator* a = aggregators.at(aggregator).get();
    auto wire = std::make_unique<Wire>(
        world, random,
        [a, node](MessageType type, const std::string& bytes) {
          if (type == MessageType::call_answer) a->relay->on_answer(node, bytes);
        },
        [this, aggregator, node](MessageType type, const std::string& bytes) {
          if (type == MessageType::call) nodes.at(node)->runner->on_call(aggregator, bytes);
          if (type == MessageType::call_cancel) nodes.at(node)->runner->on_cancel(bytes);
        });
    a->nodes.wires[node] = wire.get();
    nodes.at(node)->up.wires[aggregator] = wire.get();
    wires_[aggregator + "/" + node] = std::move(wire);
  }
  void break_node(const std::string& aggregator, const std::string& node) {
    if (wires_.erase(aggregator + "/" + node) == 0) return;
    aggregators.at(aggregator)->nodes.wires.erase(node);
    nodes.at(node)->up.wires.erase(aggregator);
    aggregators.at(aggregator)->relay->on_node_lost(node, broken());
  }
  /// The node leaves its aggregator for another; the path table learns it at once or later.
  void rehome(const std::string& node, const std::string& aggregator) {
    break_node(home.at(node), node);
    home[node] = aggregator;
    link_node(aggregator, node);
    dispatch.paths_changed();
  }
  void restart(const std::string& node) {
    const std::string at = home.at(node);
    break_node(at, node);
    boot(node);
    link_node(at, node);
  }
  /// The aggregator's process dies and a new one comes up, without its nodes.
  void restart_aggregator(const std::string& name) {
    break_master(name);
    for (const auto& [node, at] : home) break_node(name, node);
    aggregators[name] = std::make_unique<TestAggregator>(executor(), log());
  }
  [[nodiscard]] size_t sent_to(const std::string& aggregator) {
    return links.wires.at(aggregator)->sent();
  }

  Result<CallRoute> route(const std::string& target) override {
    if (aggregators.contains(target)) return CallRoute{target, true};
    const auto at = home.find(target);
    if (at == home.end()) return fail(Code::not_found, "no such node");
    if (at->second.empty()) return fail(Code::unreachable, "no aggregator serves it");
    return CallRoute{at->second, false};
  }

  sim::World world;
  sim::SimProcess process;
  sim::SimRandom random;
  std::map<std::string, std::unique_ptr<TestNode>> nodes;
  std::map<std::string, std::unique_ptr<TestAggregator>> aggregators;
  std::map<std::string, std::string> home;  ///< what the path table says
  WirePeers links{false};
  CallDispatch dispatch{executor(), log(), *this, links, {}};
  std::map<std::string, std::map<std::string, int>> runs;  ///< id, node -> how often it ran
  std::map<std::string, int> cancels;
  std::vector<CallReply> kept;

 private:
  std::map<std::string, std::unique_ptr<Wire>> wires_;
};

/// A call and what came of it.
struct Outcomes {
  std::vector<CallReport> progress;
  std::vector<CallReport> done;
  Duration finished{};
};

/// Starts a call; the outcome lands in what is returned.
inline std::shared_ptr<Outcomes> start(TestTree& tree, CallSpec spec) {
  auto out = std::make_shared<Outcomes>();
  const Status started = tree.dispatch.start(
      std::move(spec), [out](const CallReport& fresh) { out->progress.push_back(fresh); },
      [out, &tree](CallReport report) {
        out->finished = tree.world.now();
        out->done.push_back(std::move(report));
      });
  return started ? out : nullptr;
}

}  // namespace drover::tree::testing
