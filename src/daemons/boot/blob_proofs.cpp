// Read through what is open already: it is this file that is served, whatever its name becomes.
#include "daemons/boot/blob_proofs.hpp"

#include "net/sha256.hpp"

#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace drover::daemons {
namespace {

Status read_through(const std::string& sha256, const net::HttpBody& body) {
  constexpr size_t kPiece = size_t{1} << 20;
  net::Sha256 digest;
  std::string piece(kPiece, '\0');
  uint64_t done = 0;
  for (;;) {
    DROVER_TRY(const size_t got, body.read(done, piece));
    if (got == 0) break;
    digest.add(std::string_view(piece).substr(0, got));
    done += got;
  }
  const std::string found = digest.finish();
  if (found == sha256) return {};
  return fail(Code::corrupt,
              fmt::format("the file {} of an image is damaged: its {} bytes have the SHA-256 {}",
                          sha256, done, found),
              "import the image again on the manager's host, which mends it");
}

}  // namespace

BlobProofs::BlobProofs(Executor& executor) : worker_(executor.make_worker("proofs")) {}

BlobProofs::~BlobProofs() = default;

BlobProofs::Stamp BlobProofs::stamp_of(const net::HttpBody& body) {
  struct stat info{};
  if (body.fd() < 0 || ::fstat(body.fd(), &info) != 0) return {};
  return {static_cast<int64_t>(info.st_dev),
          static_cast<int64_t>(info.st_ino),
          static_cast<int64_t>(info.st_size),
          info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec,
          info.st_ctim.tv_nsec};
}

void BlobProofs::prove(const std::string& sha256, Body body, Told told) {
  if (body->size() > kLargest) return told({});
  const Stamp stamp = stamp_of(*body);
  const auto known = proofs_.find(sha256);
  if (known != proofs_.end() && known->second.stamp == stamp) {
    return told(Status(known->second.outcome));
  }
  std::vector<Told>& waiting = waiting_[sha256];
  waiting.push_back(std::move(told));
  if (waiting.size() > 1) return;  // it is being read
  auto outcome = std::make_shared<Status>();
  worker_->run(
      [outcome, sha256, body = std::move(body)] { *outcome = read_through(sha256, *body); },
      [this, alive = std::weak_ptr<bool>(alive_), outcome, sha256, stamp] {
        if (!alive.expired()) proven(sha256, {stamp, *outcome});
      });
}

void BlobProofs::proven(const std::string& sha256, Proof proof) {
  const Status outcome = proof.outcome;
  proofs_[sha256] = std::move(proof);
  auto waiting = std::move(waiting_.extract(sha256).mapped());
  const std::weak_ptr<bool> alive = alive_;
  for (Told& told : waiting) {
    if (alive.expired()) return;
    told(outcome);
  }
}

}  // namespace drover::daemons
