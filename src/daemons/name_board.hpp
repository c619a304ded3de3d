// Keeps the file that libnss_drover answers from (nss/name_file.hpp) in step with the model, so
// that every program of a manager finds the nodes by name, also while its daemon is away.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "boot/site/host_names.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <map>
#include <memory>
#include <set>
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
  void later(Duration delay);
  void look();
  void write();

  Executor& executor_;
  Log log_;
  std::string domain_;
  std::shared_ptr<Publish> publish_;  ///< shared with the worker's job
  const cluster::Model* model_ = nullptr;
  std::map<std::string, std::vector<nss::NamedHost>, NaturalLess> hosts_;  ///< by node
  std::set<std::string> dirty_;
  bool all_dirty_ = false;
  bool written_ = false;  ///< the file is as `hosts_` are
  bool writing_ = false;
  bool failed_ = false;
  bool waiting_ = false;  ///< to look again
  Timer gather_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace drover::daemons
