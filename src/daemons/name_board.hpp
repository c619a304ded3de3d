// Keeps the file that libnss_drover answers from (nss/name_file.hpp) in step with the model, so
// that every program of a manager finds the nodes by name, also while its daemon is away.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "boot/site/host_names.hpp"
#include "boot/site/network_index.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace drover::daemons {

/// One executor's thread. Changes are gathered for kGather, so that a storm of them is one file.
class NameBoard {
 public:
  static constexpr Duration kGather = std::chrono::milliseconds(200);
  /// Puts the file in its place; called on a worker.
  using Publish = Callback<Status(const std::string& bytes)>;

  NameBoard(Executor& executor, const Log& log, std::string domain, Publish publish);

  /// Another model, or the first; it stays until the next call.
  void use(const cluster::Model& model);
  /// The model has changed.
  void follow(std::span<const store::Change> changes);

 private:
  /// Whether the names of all came out as they are written.
  bool all_as_before(const boot::NetworkIndex& networks);
  bool as_before(const boot::NetworkIndex& networks, const std::string& node);
  void later(Duration delay);
  void look();
  void write();

  Executor& executor_;
  Log log_;
  std::string domain_;
  std::shared_ptr<Publish> publish_;  ///< shared with the worker's job
  const cluster::Model* model_ = nullptr;
  struct Named {
    std::shared_ptr<const cluster::StoredNode> of;  ///< what the names were worked out from
    std::vector<nss::NamedHost> hosts;
  };
  std::map<std::string, Named, NaturalLess> names_;  ///< by node
  std::vector<std::string> dirty_;                   ///< perhaps several times
  bool all_dirty_ = false;
  bool written_ = false;  ///< the file is as `names_` are
  bool writing_ = false;
  bool failed_ = false;
  bool waiting_ = false;  ///< to look again
  Timer gather_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace drover::daemons
