// Whether files of images are what they are called: read through once, before they are given to
// machines whose loaders cannot prove them.
#pragma once

#include "base/clock.hpp"
#include "net/http/http_body.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

/// One executor's thread; files are read on a worker of its own.
class BlobProofs {
 public:
  using Body = std::shared_ptr<const net::HttpBody>;
  using Told = Callback<void(Status)>;

  /// Kernels and first roots, which are read in a fraction of a second. Larger ones are roots: the
  /// node that fetches one proves it itself.
  static constexpr uint64_t kLargest = uint64_t{256} << 20;

  explicit BlobProofs(Executor& executor);
  ~BlobProofs();

  /// Tells at once of a file that was read before and has not been touched since, else when it has
  /// been read: corrupt when it is not what it is called. `told` runs once, unless this is gone.
  void prove(const std::string& sha256, Body body, Told told);

 private:
  /// Which file that was, and as of when: device, inode, size, and the times of its last changes.
  using Stamp = std::array<int64_t, 7>;
  static Stamp stamp_of(const net::HttpBody& body);
  /// What came of reading it.
  struct Proof {
    Stamp stamp{};
    Status outcome;
  };
  void proven(const std::string& sha256, Proof proof);

  std::unique_ptr<Worker> worker_;
  std::map<std::string, Proof> proofs_;
  std::map<std::string, std::vector<Told>> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
