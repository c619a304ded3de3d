// The audit: who asked to change what and what came of it, refused requests too. One JSON line
// each, appended to a file that is rotated.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::auth {

struct AuditRecord {
  static constexpr std::string_view kTypeName = "AuditRecord";
  WallTime time{};
  std::string principal;   ///< Principal::text()
  std::string daemon;      ///< where the request entered: "utility/login1"
  std::string address;     ///< whence: "10.0.0.7:40122", "unix" on a daemon's own socket
  std::string method;      ///< "POST"
  std::string target;      ///< "/api/v1/tokens"
  std::string outcome;     ///< done, refused or failed
  uint32_t status = 0;     ///< HTTP status that was answered
  std::string request_id;  ///< follows the request through the tree's logs
  std::string why;         ///< of a refusal or failure
  void describe(Visitor& v);
};

struct AuditQuery;
struct AuditPage;

/// Appends records to DIR/audit.jsonl. Lines are gathered for `gather` and then written and synced
/// together on the worker, so a busy master pays a few syncs a second; what was not yet written is
/// lost in a crash. At `max_file_bytes` the file becomes audit.1.jsonl, that audit.2.jsonl, and so
/// on up to `max_files` in all. Executor's thread only.
class AuditLog {
 public:
  struct Options {
    std::string dir;
    uint64_t max_file_bytes = uint64_t{16} << 20;
    uint32_t max_files = 8;
    size_t max_waiting_bytes = size_t{4} << 20;  ///< more than this is counted as lost
    Duration gather = std::chrono::milliseconds(200);
  };

  /// All of them outlive this; `disk` is used on `worker` alone.
  AuditLog(Executor& executor, Worker& worker, Disk& disk, Log log, Options options);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  void append(const AuditRecord& record);
  /// A page of what was appended before, what still waits included. Reads the files on the worker:
  /// a search through all of them takes about a second.
  void read(AuditQuery query, Callback<void(Result<AuditPage>)> done);
  /// Writes what waits, then calls `done`: before an orderly end, and in tests.
  void flush(Callback<void(Status)> done);

  /// Records that never reached the disk, for the queue was full or the disk refused.
  [[nodiscard]] uint64_t lost() const { return lost_; }
  /// Why writing fails now; for health.
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  class Writer;
  void write_waiting();
  void written(uint64_t lines, const Status& status);

  Executor& executor_;
  Worker& worker_;
  Log log_;
  Options options_;
  std::shared_ptr<Writer> writer_;  ///< used on the worker alone
  std::string waiting_;
  uint64_t waiting_lines_ = 0;
  uint64_t lost_ = 0;
  std::optional<Error> problem_;
  bool writing_ = false;
  std::vector<Callback<void(Status)>> flushes_;
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::auth
