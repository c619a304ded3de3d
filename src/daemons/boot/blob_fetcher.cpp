#include "daemons/boot/blob_fetcher.hpp"

#include "daemons/blob_door.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr std::string_view kPartial = ".fetch";
constexpr Duration kShortest = std::chrono::milliseconds(500);
constexpr Duration kLongest = std::chrono::seconds(30);

/// Removes what the cache holds of files that no image names any more.
Status tidy(Disk& disk, boot::image::BlobStore& cache, const std::set<std::string>& known) {
  const std::string scratch = cache.folder() + "/tmp";
  DROVER_TRY(const bool there, disk.exists(scratch));
  if (!there) return {};  // nothing was ever fetched
  DROVER_CHECK_OK(cache.collect(known, false));
  DROVER_TRY(const auto left, disk.list(scratch));
  for (const std::string& name : left) {
    const bool old =
        name.ends_with(kPartial) && !known.contains(name.substr(0, name.size() - kPartial.size()));
    if (old) DROVER_CHECK_OK(disk.remove(scratch + "/" + name));
  }
  return {};
}

}  // namespace

/// The file that is on its way.
struct BlobFetcher::Fetch {
  std::string sha256;
  std::unique_ptr<File> file;
  uint64_t have = 0;
  bool checking = false;
  bool whole = false;  ///< there is nothing more of it: what comes is no part
  Status so_far;       ///< an error ends it, whatever the answer says further
  std::unique_ptr<net::HttpCall> call;
};

BlobFetcher::BlobFetcher(Executor& executor, Disk& disk, Random& random, const Log& log,
                         Places places, Get get)
    : executor_(executor),
      disk_(disk),
      log_(log.with("images")),
      random_(random),
      images_(disk, random, std::move(places.images)),
      cache_(disk, random, std::move(places.cache)),
      get_(std::move(get)),
      worker_(executor.make_worker("images")),
      proofs_(executor),
      pause_(kShortest, kLongest) {}

BlobFetcher::~BlobFetcher() = default;

std::string BlobFetcher::partial(const std::string& sha256) const {
  return fmt::format("{}/tmp/{}{}", cache_.folder(), sha256, kPartial);
}

bool BlobFetcher::is_here(const std::string& sha256) {
  const bool in_images = !damaged_.contains(sha256) && images_.has(sha256).value_or(false);
  return in_images || cache_.has(sha256).value_or(false);
}

Result<BlobFetcher::Here> BlobFetcher::open_here(const std::string& sha256) {
  if (!damaged_.contains(sha256) || !cache_.has(sha256).value_or(false)) {
    auto hosts = net::open_file_body(images_.path(sha256));
    if (hosts || hosts.error().code != Code::not_found) {
      return std::move(hosts).map([](Body body) { return Here{std::move(body), false}; });
    }
  }
  DROVER_TRY(auto mine, net::open_file_body(cache_.path(sha256)));
  return Here{std::move(mine), true};
}

void BlobFetcher::find(const std::string& sha256, Found found) {
  auto here = open_here(sha256);
  if (!here && here.error().code != Code::not_found) {
    return found(tl::unexpected<Error>(std::move(here).error()));
  }
  if (!here) return fetch(sha256, std::move(found));
  proofs_.prove(sha256, here->body,
                [this, sha256, here = *here, found = std::move(found)](const Status& good) mutable {
                  if (!good) return damaged(sha256, here.cached, good.error(), std::move(found));
                  if (!here.cached) damaged_.erase(sha256);  // an import has mended it
                  found(std::move(here.body));
                });
}

// What is the host's own is not ours to remove: another is fetched beside it.
void BlobFetcher::damaged(const std::string& sha256, bool cached, const Error& why, Found found) {
  log_.error("a file of an image is damaged", {{"why", why.text()}, {"next", why.next}});
  if (cached) (void)disk_.remove(cache_.path(sha256));
  if (!cached) damaged_.insert(sha256);
  if (!cached && cache_.has(sha256).value_or(false)) return find(sha256, std::move(found));
  if (!has_way_ || stopped_) return found(tl::unexpected<Error>(why));
  fetch(sha256, [why, found = std::move(found)](Result<Body> fetched) mutable {
    found(fetched ? std::move(fetched) : tl::unexpected<Error>(why));
  });
}

void BlobFetcher::fetch(const std::string& sha256, Found found) {
  if (!has_way_ || stopped_) {
    return found(fail(Code::unreachable,
                      fmt::format("the file {} is not here, and no master can be asked", sha256)));
  }
  waiting_[sha256].push_back(std::move(found));
  // Before what nobody waits for yet.
  std::erase(queue_, sha256);
  if (!fetch_ || fetch_->sha256 != sha256) queue_.push_front(sha256);
  go_on();
}

void BlobFetcher::follow(std::set<std::string> wanted, const std::set<std::string>& known) {
  wanted_ = std::move(wanted);
  worker_->run(
      [this, known] {
        // The worker is waited for before anything of this goes.
        if (const Status tidied = tidy(disk_, cache_, known); !tidied) {
          log_.warning("old files of images cannot be removed", {{"why", tidied.error().text()}});
        }
      },
      [this] {
        for (const std::string& sha256 : wanted_) {
          const bool known_already = std::ranges::find(queue_, sha256) != queue_.end() ||
                                     (fetch_ && fetch_->sha256 == sha256);
          if (!known_already && !is_here(sha256)) queue_.push_back(sha256);
          // Before a machine waits for that.
          if (is_here(sha256)) find(sha256, [](const Result<Body>&) {});
        }
        next();
      });
}

void BlobFetcher::way_up(bool there) {
  has_way_ = there;
  if (there) go_on();
}

void BlobFetcher::stop() {
  stopped_ = true;
  timer_.cancel();
  if (fetch_ && !fetch_->checking) fetch_.reset();
  queue_.clear();
  waiting_.clear();
}

void BlobFetcher::next() {
  if (fetch_ || stopped_ || !has_way_ || pausing_) return;
  while (!queue_.empty()) {
    const std::string sha256 = queue_.front();
    queue_.pop_front();
    if (!is_here(sha256)) return begin(sha256);
  }
}

void BlobFetcher::begin(const std::string& sha256) {
  fetch_ = std::make_unique<Fetch>();
  fetch_->sha256 = sha256;
  const auto open = [&]() -> Status {
    DROVER_CHECK_OK(disk_.make_dirs(cache_.folder() + "/tmp", 0755));
    DROVER_TRY(fetch_->file, disk_.open(partial(sha256), true, 0644));
    DROVER_TRY(fetch_->have, fetch_->file->size());
    return {};
  };
  if (Status opened = open(); !opened) return settled(opened);
  net::HttpHeaders headers;
  if (fetch_->have > 0) {
    headers.add("Range", fmt::format("bytes={}-", fetch_->have));
    log_.info("going on with a file of an image",
              {{"sha256", sha256}, {"from", std::to_string(fetch_->have)}});
  }
  net::HttpStreamEvents events;
  events.on_head = [this](const net::HttpResponse& head) { on_head(head); };
  events.on_chunk = [this](std::string_view chunk) { on_chunk(chunk); };
  events.on_end = [this](const Status& end) { on_end(end); };
  auto call = get_(std::string(BlobDoor::kPath) + sha256, std::move(headers), std::move(events));
  if (call == nullptr) return settled(fail(Code::unreachable, "no master can be asked"));
  fetch_->call = std::move(call);
}

void BlobFetcher::on_head(const net::HttpResponse& head) {
  constexpr int kOk = 200;
  constexpr int kPart = 206;
  constexpr int kNothingMore = 416;
  constexpr int kAbsent = 404;
  fetch_->whole = head.status == kNothingMore;
  if (head.status == kPart || fetch_->whole) return;
  if (head.status == kOk) {
    fetch_->have = 0;
    fetch_->so_far = fetch_->file->truncate(0);
  } else if (head.status == kAbsent) {
    fetch_->so_far = fail(Code::not_found, "the master has no such file either",
                          "import the image again on the master's host");
  } else {
    fetch_->so_far = fail(Code::unreachable, fmt::format("the master answers {}", head.status));
  }
}

void BlobFetcher::on_chunk(std::string_view chunk) {
  if (!fetch_->so_far || fetch_->whole) return;
  fetch_->so_far = fetch_->file->write(fetch_->have, chunk);
  fetch_->have += chunk.size();
}

void BlobFetcher::on_end(const Status& end) {
  fetch_->call.reset();
  if (!fetch_->so_far) return settled(fetch_->so_far);
  if (!end) return settled(end);
  check();
}

// A gigabyte takes seconds to read: not on the thread that answers machines.
void BlobFetcher::check() {
  fetch_->checking = true;
  fetch_->file.reset();
  auto outcome = std::make_shared<Status>();
  const std::string path = partial(fetch_->sha256);
  worker_->run(
      [this, outcome, path, sha256 = fetch_->sha256] {
        const auto kept = cache_.adopt(path);
        if (!kept) {
          *outcome = tl::unexpected<Error>(kept.error());
        } else if (kept->sha256 != sha256) {
          (void)disk_.remove(cache_.path(kept->sha256));
          *outcome = fail(Code::corrupt, "what came is not what was asked for");
        }
      },
      [this, outcome] { settled(*outcome); });
}

// By value: it may be the fetch's own, which ends here.
void BlobFetcher::settled(Status outcome) {  // NOLINT(performance-unnecessary-value-param)
  const std::string sha256 = std::exchange(fetch_, nullptr)->sha256;
  const auto place = waiting_.find(sha256);
  std::vector<Found> waiting;
  if (outcome) {
    pause_.reset();
    told_ = false;
    log_.info("fetched a file of an image", {{"sha256", sha256}});
  } else {
    if (!std::exchange(told_, true)) {
      log_.warning("a file of an image cannot be fetched from the master",
                   {{"sha256", sha256}, {"why", outcome.error().text()}});
    }
    // Who waits is told so; what will be asked for is tried again.
    if (wanted_.contains(sha256)) queue_.push_back(sha256);
  }
  if (place != waiting_.end()) {
    waiting = std::move(place->second);
    waiting_.erase(place);
  }
  for (Found& found : waiting) {
    if (outcome) {
      cache_.find(sha256, std::move(found));
    } else {
      found(tl::unexpected<Error>(outcome.error()));
    }
  }
  if (outcome) return next();
  later();
}

void BlobFetcher::later() {
  pausing_ = true;
  timer_.after(executor_, pause_.next(random_), [this] { go_on(); });
}

void BlobFetcher::go_on() {
  timer_.cancel();
  pausing_ = false;
  next();
}

}  // namespace drover::daemons
