// bench_store [changes] [folder]: durable changes per second and commit latency of the store,
// beside plain SQLite and a bare fdatasync on the same disk in the same run. Take the ratios.
#include "net/loop.hpp"
#include "os/real_disk.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace {

using drover::Result;
using drover::Status;
using namespace drover::store;
using SteadyClock = std::chrono::steady_clock;

constexpr uint64_t kNodes = 10'000;
constexpr size_t kBatch = 1'000;  // of the floors; the store makes its own

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// A body of about 200 bytes that differs with every change.
std::string body_of(uint64_t change) {
  return fmt::format(
      R"({{"phase":{{"state":"up","since":{:013},"why":"heartbeat","who":"daemon:aggregator/s1"}},)"
      R"("power":"on","service":"in_service","enabled":true,"flag":"ok","locked":false,"note":"{:032}"}})",
      change * 7, change);
}

std::string key_of(uint64_t change) {
  return fmt::format("n{:05}", change % kNodes);
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_store: {}\n", why);
  std::exit(1);
}

struct Measure {
  double seconds = 0;
  double cpu = 0;
};

/// Runs `work` and takes wall and processor time.
template <typename Work>
Measure measure(Work work) {
  const double cpu = cpu_seconds();
  const auto start = SteadyClock::now();
  work();
  return {seconds_since(start), cpu_seconds() - cpu};
}

/// The floor: SQLite's own file system, hand-written statements, nothing else.
class PlainSqlite {
 public:
  PlainSqlite(const std::string& path, const char* schema) {
    if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) give_up("cannot open " + path);
    execute(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192;");
    execute(schema);
  }
  PlainSqlite(const PlainSqlite&) = delete;
  PlainSqlite& operator=(const PlainSqlite&) = delete;
  ~PlainSqlite() {
    for (sqlite3_stmt* one : statements_) sqlite3_finalize(one);
    sqlite3_close(connection_);
  }

  void execute(const char* sql) {
    if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      give_up(sqlite3_errmsg(connection_));
    }
  }
  size_t prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(connection_, sql, -1, &made, nullptr) != SQLITE_OK) {
      give_up(sqlite3_errmsg(connection_));
    }
    statements_.push_back(made);
    return statements_.size() - 1;
  }
  PlainSqlite& number(size_t statement, int at, uint64_t value) {
    sqlite3_bind_int64(statements_[statement], at, static_cast<sqlite3_int64>(value));
    return *this;
  }
  PlainSqlite& text(size_t statement, int at, const std::string& value) {
    sqlite3_bind_text(statements_[statement], at, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  void run(size_t statement) {
    if (sqlite3_step(statements_[statement]) == SQLITE_ERROR) give_up(sqlite3_errmsg(connection_));
    sqlite3_reset(statements_[statement]);
  }

 private:
  sqlite3* connection_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

/// One row per change, batches of 1,000: what the blueprint calls the floor.
Measure plain_inserts(const std::string& path, uint64_t changes) {
  PlainSqlite plain(path, "CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT, body TEXT)");
  const size_t insert = plain.prepare("INSERT INTO rows VALUES (?, ?, ?)");
  return measure([&] {
    for (uint64_t i = 0; i < changes; ++i) {
      if (i % kBatch == 0) plain.execute("BEGIN");
      const std::string key = key_of(i);
      const std::string body = body_of(i);
      plain.number(insert, 1, i + 1).text(insert, 2, key).text(insert, 3, body).run(insert);
      if ((i + 1) % kBatch == 0 || i + 1 == changes) plain.execute("COMMIT");
    }
  });
}

/// The same rows that the store keeps (object, change with before and after and a link to the one
/// before it), without reading first: the least that the schema costs.
Measure plain_same_rows(const std::string& path, uint64_t changes) {
  PlainSqlite plain(path,
                    "CREATE TABLE objects (id INTEGER PRIMARY KEY, kind TEXT, key TEXT, revision "
                    "INTEGER, body TEXT, UNIQUE (kind, key)) STRICT;"
                    "CREATE TABLE changes (sequence INTEGER PRIMARY KEY, time_ms INTEGER, actor "
                    "TEXT, kind TEXT, key TEXT, why TEXT, before TEXT, after TEXT, previous "
                    "INTEGER) STRICT;");
  const size_t insert =
      plain.prepare("INSERT INTO objects (kind, key, revision, body) VALUES ('node', ?, ?, ?)");
  const size_t update = plain.prepare("UPDATE objects SET revision = ?, body = ? WHERE id = ?");
  const size_t append =
      plain.prepare("INSERT INTO changes VALUES (?, 0, 'user:bench', 'node', ?, '', ?, ?, ?)");
  return measure([&] {
    for (uint64_t i = 0; i < changes; ++i) {
      if (i % kBatch == 0) plain.execute("BEGIN");
      const std::string key = key_of(i);
      const std::string body = body_of(i);
      const std::string before = i < kNodes ? std::string() : body_of(i - kNodes);
      if (i < kNodes) {
        plain.text(insert, 1, key).number(insert, 2, i + 1).text(insert, 3, body).run(insert);
      } else {
        plain.number(update, 1, i + 1).text(update, 2, body).number(update, 3, i % kNodes + 1);
        plain.run(update);
      }
      plain.number(append, 1, i + 1).text(append, 2, key).text(append, 3, before);
      plain.text(append, 4, body).number(append, 5, i < kNodes ? 0 : i + 1 - kNodes).run(append);
      if ((i + 1) % kBatch == 0 || i + 1 == changes) plain.execute("COMMIT");
    }
  });
}

class Quiet final : public drover::LogSink {
 public:
  void write(const drover::LogRecord& record) override {
    if (record.severity >= drover::Severity::warning) fmt::print(stderr, "{}\n", format(record));
  }
};

/// The store on the real loop, worker thread and disk.
class Drover {
 public:
  explicit Drover(const std::string& path) : loop_(*drover::net::Loop::make()) {
    auto opened = open_sqlite(*loop_, disk_, drover::Log(log_, "store"), path, {});
    if (!opened) give_up(opened.error().text());
    store_ = *std::move(opened);
  }
  Drover(const Drover&) = delete;
  Drover& operator=(const Drover&) = delete;
  ~Drover() {
    bool closed = false;
    store_->close([&](const Status&) { closed = true; });
    loop_->run_until([&] { return closed; }, std::chrono::minutes(1));
  }

  Store& store() { return *store_; }

  /// Mutations of `puts` changes each, `window` of them on their way at a time.
  Measure changes(uint64_t count, uint64_t puts, uint64_t window) {
    const uint64_t mutations = count / puts;
    uint64_t begun = 0;
    uint64_t done = 0;
    drover::Callback<void()> one_more = [&] {
      if (begun == mutations) return;
      const uint64_t first = next_;
      next_ += puts;
      ++begun;
      store_->write(
          "user:bench",
          [first, puts](Transaction& t) -> Status {
            for (uint64_t i = first; i < first + puts; ++i) {
              DROVER_CHECK_OK(t.put("node", key_of(i), body_of(i)));
            }
            return {};
          },
          [&](const Result<Committed>& committed) {
            if (!committed) give_up(committed.error().text());
            ++done;
            one_more();
          });
    };
    return measure([&] {
      for (uint64_t i = 0; i < window; ++i) one_more();
      loop_->run_until([&] { return done == mutations; }, std::chrono::minutes(10));
      if (done != mutations) give_up("timed out");
    });
  }

  Measure list_all(size_t& found) {
    return measure([&] { found = store_->load("node")->size(); });
  }

 private:
  Quiet log_;
  drover::os::RealDisk disk_;
  std::unique_ptr<drover::net::Loop> loop_;
  std::unique_ptr<Store> store_;
  uint64_t next_ = 0;
};

struct Spread {
  double p50 = 0;
  double p99 = 0;
};

template <typename Once>
Spread latency(int times, Once once) {
  std::vector<double> taken;
  for (int i = 0; i < times; ++i) taken.push_back(measure([&] { once(i); }).seconds * 1e6);
  std::ranges::sort(taken);
  return {taken[taken.size() / 2], taken[taken.size() * 99 / 100]};
}

/// What the disk takes to keep one WAL frame: a write of 4 KiB and its fdatasync.
Spread bare_sync(const std::string& path, int times) {
  drover::os::RealDisk disk;
  auto file = disk.open(path, true, 0600);
  if (!file) give_up(file.error().text());
  const std::string block(4096, 'x');
  return latency(times, [&](int i) {
    (void)(*file)->write(static_cast<uint64_t>(i) * block.size(), block);
    (void)(*file)->sync();
  });
}

Spread plain_single(const std::string& path, int times) {
  PlainSqlite plain(path, "CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT, body TEXT)");
  const size_t insert = plain.prepare("INSERT INTO rows (key, body) VALUES (?, ?)");
  return latency(times, [&](int i) {
    const std::string key = key_of(static_cast<uint64_t>(i));
    const std::string body = body_of(static_cast<uint64_t>(i));
    plain.text(insert, 1, key).text(insert, 2, body).run(insert);
  });
}

void row(const std::string& what, uint64_t changes, const Measure& took, double floor) {
  const double rate = static_cast<double>(changes) / took.seconds;
  fmt::print("{:<46} {:>10.0f}/s  {:>5.2f}x  {:>5.1f} us CPU each\n", what, rate, rate / floor,
             took.cpu * 1e6 / static_cast<double>(changes));
}

void row(const std::string& what, const Spread& spread, double floor) {
  fmt::print("{:<46} {:>9.0f} us p50 {:>7.0f} us p99  {:>5.2f}x\n", what, spread.p50, spread.p99,
             spread.p50 / floor);
}

void print_machine(const std::string& folder) {
  utsname kernel{};
  ::uname(&kernel);
  std::string model = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  double load = 0;
  ::getloadavg(&load, 1);
  fmt::print("{} x {}, {} {}, SQLite {}, load {:.1f}, {}\n", std::thread::hardware_concurrency(),
             model, kernel.sysname, kernel.release, sqlite3_libversion(), load, folder);
}

void throughput(const std::string& folder, uint64_t changes) {
  const Measure plain = plain_inserts(folder + "/plain.db", changes);
  const double floor = static_cast<double>(changes) / plain.seconds;
  row("plain SQLite, one insert, batches of 1,000", changes, plain, floor);
  row("plain SQLite, the same rows, batches of 1,000", changes,
      plain_same_rows(folder + "/same.db", changes), floor);
  Drover drover(folder + "/store.db");
  row("store, one change a mutation, 4,000 waiting", changes, drover.changes(changes, 1, 4'000),
      floor);
  row("store, 100 changes a mutation, 50 waiting", changes, drover.changes(changes, 100, 50),
      floor);
  row("store, one change a mutation, 50 waiting", changes, drover.changes(changes, 1, 50), floor);
  const StoreStats stats = drover.store().stats();
  fmt::print("  {} commits, largest of {} mutations\n", stats.commits, stats.largest_batch);
  size_t found = 0;
  const Measure list = drover.list_all(found);
  fmt::print("{:<46} {:>9.1f} ms\n", fmt::format("store, load {} objects", found),
             list.seconds * 1e3);
}

void latencies(const std::string& folder) {
  constexpr int kTimes = 1'000;
  const Spread bare = bare_sync(folder + "/bare", kTimes);
  row("write of 4 KiB and fdatasync", bare, bare.p50);
  row("plain SQLite, one row a commit", plain_single(folder + "/single.db", kTimes), bare.p50);
  Drover drover(folder + "/latency.db");
  (void)drover.changes(kNodes, 1, 1'000);
  row("store, one mutation at a time", latency(kTimes, [&](int) { drover.changes(1, 1, 1); }),
      bare.p50);
}

}  // namespace

int main(int count, char** arguments) {
  const uint64_t changes = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 200'000;
  const std::string parent = count > 2 ? arguments[2] : ".";
  if (changes < 1'000) give_up("usage: bench_store [changes, at least 1000] [folder]");
  std::string folder = parent + "/bench-store-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) give_up("cannot make a folder in " + parent);
  print_machine(parent);
  throughput(folder, changes);
  latencies(folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
