// A daemon's own copy of the model: begun from a snapshot, kept current by the watch, kept on disk
// for the time without a master.
#pragma once

#include "base/random.hpp"
#include "cluster/model.hpp"
#include "daemons/replica/replica_file.hpp"
#include "daemons/seams.hpp"
#include "net/http/http_client.hpp"
#include "net/http/sse.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace drover::daemons {

/// One executor's thread. start() once; what it tells is complete up to one change of the log,
/// however old.
class ModelReplica {
 public:
  /// Asks a master, in this daemon's own name, and gives the answer as it comes; nullptr without a
  /// way up.
  using Ask = Callback<std::unique_ptr<net::HttpCall>(const std::string& target,
                                                      net::HttpStreamEvents events)>;
  /// What changed; `all` when everything may have: the model is another object then.
  struct News {
    bool all = false;
    std::span<const store::Change> changes = {};
  };

  ModelReplica(Seams seams, const Log& log, std::string dir, Ask ask);
  ~ModelReplica();

  /// Reads what the disk has. Its errors are told in the log: a master gives it all again.
  void start();
  void stop();
  /// A way to a master is there (again), or gone.
  void way_up(bool there);

  /// Called after the model has changed. One listener.
  void on_news(Callback<void(const News&)> on_news) { on_news_ = std::move(on_news); }
  /// Stays until News::all.
  [[nodiscard]] const cluster::Model& model() const { return *model_; }
  /// Nothing was ever heard of the model: neither from disk nor from a master.
  [[nodiscard]] bool is_blank() const { return sequence_ == 0; }
  /// The change of the log up to which it is complete.
  [[nodiscard]] uint64_t sequence() const { return sequence_; }
  /// It follows a master's changes as they are made.
  [[nodiscard]] bool is_current() const { return live_; }
  /// Since when it is as it is: current, or cut off.
  [[nodiscard]] WallTime since() const { return since_; }

 private:
  using Key = std::pair<std::string, std::string>;
  struct Thing {
    uint64_t revision = 0;
    std::string body;
  };

  void connect();
  void fetch_snapshot();
  void watch();
  void on_end(const Status& end);
  void retry();
  void set_live(bool live);
  void take_snapshot(std::string_view text);
  void take_event(const net::SseEvent& event);
  Status adopt(std::vector<api::SnapshotLine> things, uint64_t sequence);
  void keep(api::SnapshotLine change);
  void write_out();
  void keep_all();
  void kept(const Status& status);

  Seams seams_;
  Log log_;
  Ask ask_;
  std::unique_ptr<Worker> worker_;
  std::shared_ptr<ReplicaFile> file_;  ///< used on the worker, but for start()
  std::unique_ptr<cluster::Model> model_;
  std::map<Key, Thing> things_;  ///< as the store has them, for snapshots
  uint64_t sequence_ = 0;
  bool live_ = false;
  bool has_way_ = false;
  bool stopped_ = false;
  std::vector<api::SnapshotLine> unkept_;  ///< not yet given to the disk
  bool writing_ = false;
  bool disk_failed_ = false;
  WallTime since_{};
  Callback<void(const News&)> on_news_;
  std::unique_ptr<net::HttpCall> call_;
  net::HttpResponse head_;
  std::string collected_;
  net::SseReader reader_;
  Backoff pause_;
  Timer retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
