#include "api/backups.hpp"

#include "auth/backup_file.hpp"

#include <utility>
#include <vector>

#include <fmt/core.h>

namespace drover::api {
namespace {

constexpr std::string_view kDatabase = "drover.db";
constexpr size_t kBlock = size_t{256} << 10;
constexpr size_t kMostUnsent = size_t{1} << 20;

/// A file that is small enough to be taken whole.
struct SmallFile {
  std::string name;
  std::string bytes;
};

/// What a master keeps beside the database: its cluster's id, its starts, the authority, its own
/// identity, the keys that sign tokens, the one that seals secrets.
Result<std::vector<SmallFile>> read_small_files(Disk& disk, const std::string& state) {
  std::vector<std::string> names{"cluster", "starts"};
  for (const std::string_view folder : {"ca", "identity", "signing", "secrets"}) {
    const std::string path = fmt::format("{}/{}", state, folder);
    DROVER_TRY(const bool there, disk.exists(path));
    if (!there) continue;
    DROVER_TRY(const auto inside, disk.list(path));
    for (const std::string& name : inside) names.push_back(fmt::format("{}/{}", folder, name));
  }
  std::vector<SmallFile> out;
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", state, name);
    DROVER_TRY(const bool there, disk.exists(path));
    if (!there || !auth::check_backup_name(name)) continue;
    DROVER_TRY(std::string bytes, disk.read_all(path, size_t{1} << 20));
    out.push_back({name, std::move(bytes)});
  }
  return out;
}

}  // namespace

/// One backup under way. The worker touches it only in a job, the executor only between jobs.
struct Backups::Run {
  RequestPtr request;  ///< until the stream is open
  std::string who;
  std::string copy_path;
  std::string state;
  Disk* disk = nullptr;
  auth::BackupManifest manifest;
  std::vector<SmallFile> files;
  std::unique_ptr<File> database;
  uint64_t bytes = 0;
  uint64_t sent = 0;
  Status status;
  std::string block;
  auth::BackupWriter writer;
  std::unique_ptr<Answer> answer;
  bool waiting = false;  ///< for the client to take what was sent
  bool gone = false;
  bool working = false;
};

void Backups::work(Callback<void()> job, Callback<void()> done) {
  if (!worker_) worker_ = services_.executor.make_worker("backup");
  worker_->run(std::move(job),
               [alive = std::weak_ptr<int>(alive_), done = std::move(done)]() mutable {
                 if (!alive.expired()) done();
               });
}

void Backups::start(const RequestPtr& request) {
  if (services_.backup.disk == nullptr) {
    return request->fail({Code::unsupported, "this master keeps nothing on a disk", {}, {}});
  }
  if (busy_) {
    return request->fail({Code::conflict, "a backup is being made already", {}, "try again later"});
  }
  busy_ = true;
  request->allow(std::chrono::minutes(10));
  auto run = std::make_shared<Run>();
  current_ = run;
  run->request = request;
  run->who = request->actor();
  run->state = services_.backup.state;
  run->disk = services_.backup.disk;
  run->copy_path = run->state + "/backup.db.tmp";
  const LocalView local = services_.local.local();
  run->manifest.cluster = local.cluster;
  run->manifest.master = local.name;
  run->manifest.version = local.version;
  run->manifest.time = services_.executor.wall();
  run->manifest.secrets = "plain";
  // One that a crash has left would be copied into.
  work([run] { run->status = run->disk->remove(run->copy_path); },
       [this, run] {
         if (!run->status) return finish(run, run->status);
         copy_database(run);
       });
}

void Backups::copy_database(const RunPtr& run) {
  services_.store.copy(run->copy_path, [this, run, alive = std::weak_ptr<int>(alive_)](
                                           const Result<uint64_t>& head) {
    if (alive.expired()) return;
    if (!head) return finish(run, tl::unexpected<Error>(head.error()));
    run->manifest.head = *head;
    collect(run);
  });
}

void Backups::collect(const RunPtr& run) {
  work(
      [run] {
        run->status = [&]() -> Status {
          DROVER_TRY(run->files, read_small_files(*run->disk, run->state));
          DROVER_TRY(run->database, run->disk->open(run->copy_path, false, 0600));
          DROVER_TRY(run->bytes, run->database->size());
          return {};
        }();
      },
      [this, run] {
        if (!run->status) return finish(run, run->status);
        open(run);
      });
}

void Backups::open(const RunPtr& run) {
  run->answer = run->request->take_stream();
  run->request.reset();
  if (run->answer == nullptr)
    return finish(run, fail(Code::timed_out, "the client waited no longer"));
  const std::weak_ptr<int> alive(alive_);
  run->answer->on_gone([this, run = std::weak_ptr<Run>(run), alive] {
    const RunPtr held = run.lock();
    if (alive.expired() || !held) return;
    held->gone = true;
    if (!held->working) finish(held, fail(Code::cancelled, "the client left"));
  });
  run->answer->on_drained([this, run = std::weak_ptr<Run>(run), alive] {
    const RunPtr held = run.lock();
    if (!alive.expired() && held && std::exchange(held->waiting, false)) pump(held);
  });
  run->answer->begin(200,
                     {{"Content-Type", "application/octet-stream"}, {"Cache-Control", "no-store"}});
  run->answer->write(run->writer.start(run->manifest));
  for (const SmallFile& file : run->files) {
    run->answer->write(run->writer.begin_file(file.name, file.bytes.size()));
    run->answer->write(run->writer.data(file.bytes));
    run->answer->write(run->writer.end_file());
  }
  run->files.clear();
  run->answer->write(run->writer.begin_file(std::string(kDatabase), run->bytes));
  pump(run);
}

void Backups::pump(const RunPtr& run) {
  run->working = true;
  work(
      [run] {
        run->block.resize(kBlock);
        const auto got = run->database->read(run->sent, run->block);
        run->status = got ? Status() : tl::unexpected<Error>(got.error());
        run->block.resize(got ? *got : 0);
      },
      [this, run] {
        run->working = false;
        if (run->gone) return finish(run, fail(Code::cancelled, "the client left"));
        const bool short_file = run->status && run->block.empty() && run->sent < run->bytes;
        if (short_file) run->status = fail(Code::corrupt, "the copy of the database is too short");
        if (!run->status) return finish(run, run->status);
        run->answer->write(run->writer.data(run->block));
        run->sent += run->block.size();
        if (run->sent >= run->bytes) {
          run->answer->write(run->writer.end_file());
          run->answer->write(run->writer.finish());
          return finish(run, {});
        }
        run->waiting = run->answer->unsent() > kMostUnsent;
        if (!run->waiting) pump(run);
      });
}

/// Without an orderly last line the client sees that the backup is not whole.
void Backups::finish(const RunPtr& run, const Status& outcome) {
  run->database.reset();
  if (run->request) run->request->fail(outcome.error());
  run->request.reset();
  if (run->answer && !run->gone) run->answer->end();
  run->answer.reset();
  if (outcome) {
    services_.log.notice("a backup was given, with the cluster's keys",
                         {{"who", run->who}, {"bytes", std::to_string(run->bytes)}});
  } else {
    services_.log.error("a backup failed", {{"who", run->who}, {"why", outcome.error().text()}});
  }
  current_.reset();
  work([run] { run->status = run->disk->remove(run->copy_path); }, [this] { busy_ = false; });
}

}  // namespace drover::api
