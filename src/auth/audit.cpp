#include "auth/audit.hpp"

#include "auth/audit_query.hpp"

#include <array>
#include <utility>

#include <fmt/core.h>

namespace drover::auth {

void AuditRecord::describe(Visitor& v) {
  v.field("time", time, "When it was answered.");
  v.field("principal", principal, "Who asked.");
  v.field("daemon", daemon, "Where the request entered.");
  v.field("address", address, "Whence it came: an address, or unix for a daemon's own socket.",
          Presence::optional);
  v.field("method", method, "HTTP method.");
  v.field("target", target, "Path and query.");
  v.field("outcome", outcome, "done, refused or failed.");
  v.field("status", status, "HTTP status.");
  v.field("request_id", request_id, "Follows the request through the logs.");
  v.field("why", why, "Why it was refused or failed.");
}

/// The files. On the worker alone.
class AuditLog::Writer {
 public:
  Writer(Disk& disk, const Options& options)
      : disk_(disk),
        dir_(options.dir),
        max_bytes_(options.max_file_bytes),
        max_files_(options.max_files) {}

  Status append(const std::string& lines) {
    auto done = try_append(lines);
    if (!done) file_.reset();  // after a failure nothing is known of the file: look again
    return done;
  }

  /// Every line, newest first, until the reader has enough.
  Status read(AuditReader& reader) {
    for (uint32_t age = 0; age < max_files_; ++age) {
      DROVER_TRY(const bool there, disk_.exists(path(age)));
      if (!there) break;
      DROVER_TRY(const std::string text, disk_.read_all(path(age), 2 * max_bytes_ + kLongestLine));
      std::string_view rest = text;
      while (!rest.empty()) {
        if (rest.ends_with('\n')) rest.remove_suffix(1);
        const size_t start = rest.rfind('\n') + 1;  // npos + 1 is 0
        if (!reader.take(rest.substr(start))) return {};
        rest = rest.substr(0, start);
      }
    }
    return {};
  }

 private:
  /// A file may exceed its limit by the lines that were gathered for one write.
  static constexpr size_t kLongestLine = size_t{8} << 20;

  [[nodiscard]] std::string path(uint32_t age) const {
    return age == 0 ? dir_ + "/audit.jsonl" : fmt::format("{}/audit.{}.jsonl", dir_, age);
  }

  Status try_append(const std::string& lines) {
    if (!file_) DROVER_CHECK_OK(open());
    if (size_ > 0 && size_ + lines.size() > max_bytes_) DROVER_CHECK_OK(rotate());
    DROVER_CHECK_OK(file_->write(size_, lines));
    size_ += lines.size();
    return file_->sync();
  }

  Status open() {
    DROVER_CHECK_OK(disk_.make_dirs(dir_, 0700));
    DROVER_TRY(file_, disk_.open(path(0), true, 0600));
    DROVER_CHECK_OK(disk_.sync_dir(dir_));
    DROVER_TRY(size_, file_->size());
    return end_torn_line();
  }

  /// A crash may have left half a line; the next one must not be glued to it.
  Status end_torn_line() {
    if (size_ == 0) return {};
    std::array<char, 1> last{};
    DROVER_CHECK_OK(file_->read(size_ - 1, last));
    if (last[0] == '\n') return {};
    return file_->write(size_++, "\n");
  }

  Status rotate() {
    file_.reset();
    for (uint32_t age = max_files_; age-- > 0;) {
      DROVER_TRY(const bool there, disk_.exists(path(age)));
      if (!there) continue;
      DROVER_CHECK_OK(age + 1 >= max_files_ ? disk_.remove(path(age))
                                            : disk_.rename(path(age), path(age + 1)));
    }
    return open();
  }

  Disk& disk_;
  std::string dir_;
  uint64_t max_bytes_;
  uint32_t max_files_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

AuditLog::AuditLog(Executor& executor, Worker& worker, Disk& disk, Log log, Options options)
    : executor_(executor),
      worker_(worker),
      log_(log),
      options_(std::move(options)),
      writer_(std::make_shared<Writer>(disk, options_)) {}

AuditLog::~AuditLog() = default;

void AuditLog::append(const AuditRecord& record) {
  std::string line = encode(record);
  line.push_back('\n');
  if (waiting_.size() + line.size() > options_.max_waiting_bytes) {
    ++lost_;
    return;
  }
  waiting_ += line;
  if (waiting_lines_++ > 0 || writing_) return;
  timer_.after(executor_, options_.gather, [this] { write_waiting(); });
}

void AuditLog::flush(Callback<void(Status)> done) {
  flushes_.push_back(std::move(done));
  if (!writing_) write_waiting();
}

void AuditLog::read(AuditQuery query, Callback<void(Result<AuditPage>)> done) {
  auto made = AuditReader::make(std::move(query));
  if (!made) {
    executor_.post([error = made.error(), done = std::move(done)]() mutable {
      done(tl::unexpected<Error>(error));
    });
    return;
  }
  auto reader = std::make_shared<AuditReader>(*std::move(made));
  flush([this, reader, done = std::move(done),
         alive = std::weak_ptr<bool>(alive_)](const Status& flushed) mutable {
    if (alive.expired()) return;
    if (!flushed) return done(tl::unexpected<Error>(flushed.error()));
    auto status = std::make_shared<Status>();
    worker_.run([writer = writer_, reader, status] { *status = writer->read(*reader); },
                [reader, status, done = std::move(done)]() mutable {
                  if (!*status) return done(tl::unexpected<Error>(status->error()));
                  done(std::move(*reader).page());
                });
  });
}

void AuditLog::write_waiting() {
  timer_.cancel();
  writing_ = true;
  auto lines = std::make_shared<std::string>(std::exchange(waiting_, {}));
  const uint64_t count = std::exchange(waiting_lines_, 0);
  auto flushes = std::make_shared<std::vector<Callback<void(Status)>>>(
      std::exchange(flushes_, std::vector<Callback<void(Status)>>()));
  auto status = std::make_shared<Status>();
  worker_.run([writer = writer_, lines,
               status] { *status = lines->empty() ? Status() : writer->append(*lines); },
              [this, count, status, flushes, alive = std::weak_ptr<bool>(alive_)] {
                if (alive.lock()) written(count, *status);
                for (auto& done : *flushes) done(*status);
              });
}

void AuditLog::written(uint64_t lines, const Status& status) {
  writing_ = false;
  if (!status) {
    lost_ += lines;
    if (!problem_) {
      log_.error("the audit cannot be written",
                 {{"why", status.error().text()}, {"lost", std::to_string(lost_)}});
    }
    problem_ = status.error();
  } else if (lines > 0) {
    problem_.reset();
  }
  if (!flushes_.empty()) {
    write_waiting();
  } else if (waiting_lines_ > 0) {
    timer_.after(executor_, options_.gather, [this] { write_waiting(); });
  }
}

}  // namespace drover::auth
