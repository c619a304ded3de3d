// GET /backup: a consistent copy of all that a master keeps, streamed at the client's speed.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "base/clock.hpp"

#include <memory>
#include <string>

namespace drover::api {

/// One backup at a time. The database is copied into a file of the master's folder first, so that a
/// slow client holds nothing up; that file is removed at the end. Executor's thread only.
class Backups {
 public:
  explicit Backups(Services& services) : services_(services) {}
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  /// Answers the request with the format of auth/backup_file.hpp.
  void start(const RequestPtr& request);

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;

  void copy_database(const RunPtr& run);
  void collect(const RunPtr& run);
  void open(const RunPtr& run);
  void pump(const RunPtr& run);
  void finish(const RunPtr& run, const Status& outcome);
  /// Runs a job on the worker; nothing follows when this is gone.
  void work(Callback<void()> job, Callback<void()> done);

  Services& services_;
  RunPtr current_;  ///< while the client is waited for, nobody else holds it
  bool busy_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::unique_ptr<Worker> worker_;  // last: its job in hand ends before the rest goes
};

}  // namespace drover::api
