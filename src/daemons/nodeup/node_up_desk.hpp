// Whether a node that is heard is up: its files and steps are done and the manager's hooks have
// run, once in each boot.
#pragma once

#include "api/node_up_source.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "cluster/liveness.hpp"
#include "cluster/model.hpp"
#include "daemons/nodeup/hook_runner.hpp"
#include "daemons/nodeup/overlay_desk.hpp"
#include "store/store.hpp"
#include "tree/call_dispatch.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace drover::daemons {

/// Executor's thread. A node for which nothing is defined, and no hook is there, is up at once and
/// costs nothing.
///
/// What is remembered of each run is kept in the store. A master that was restarted goes on where
/// the run was, but for hooks: those that had begun are not run a second time, and the node is in
/// phase error until somebody says what to do.
class NodeUpDesk final : public api::NodeUpSource {
 public:
  /// References outlive it.
  struct Parts {
    Executor& executor;
    Random& random;
    Log log;
    store::Store& store;
    const cluster::Model& model;
    tree::CallDispatch& calls;
    HookRunner& hooks;
    OverlayDesk& overlays;
    std::string author;
    std::string cluster;
    /// A node's phase may be another now.
    Callback<void(const std::string& node)> reconsider;
  };
  explicit NodeUpDesk(Parts parts) : parts_(std::move(parts)) {}

  /// Takes over what is remembered, as the store kept it: objects of kind cluster::kNodeUpKind.
  Status restore(const std::vector<store::Object>& objects);
  /// The phase of a node that is heard. Changes nothing.
  [[nodiscard]] cluster::Gate gate(const cluster::Verdict& verdict) const;
  /// It is heard (again), or by another way; before the model has taken the verdict.
  void heard(const cluster::Verdict& verdict);
  /// A report that is stored.
  void reported(const std::string& node, const cluster::NodeUpReport& report);
  void removed(const std::string& node);

  std::optional<cluster::NodeUpRun> last_run(const std::string& node) override;
  std::vector<std::string> hooks() override { return parts_.hooks.names(); }
  Status run_again(const std::string& node) override;
  api::OverlayState overlay_state(const std::string& node) override {
    return parts_.overlays.state(node);
  }

 private:
  [[nodiscard]] bool is_new_boot(const cluster::Verdict& verdict) const;
  [[nodiscard]] bool wants(const std::string& node) const;
  void begin(const std::string& node, const std::string& boot_id, uint32_t attempt);
  void send_soon(const std::string& node);
  void send();
  void retry_later();
  void answered(const tree::CallReport& report);
  void steps_done(const std::string& node);
  void run_hooks(const std::string& node);
  void end(const std::string& node, cluster::RunState state, std::string why);
  void save(const std::string& node, Callback<void()> then = {});

  Parts parts_;
  std::map<std::string, cluster::NodeUpRun> runs_;  ///< the last one of each node
  std::set<std::string> waiting_;                   ///< to be sent their order
  std::set<std::string> under_way_;                 ///< with a call that carries it
  std::set<std::string> later_;                     ///< to be sent it again in a while
  bool sending_ = false;
  Timer retry_;
  bool retrying_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
