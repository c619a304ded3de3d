// The files of images as a boot daemon has them: those of its host's image folder, and for the rest
// a cache of its own, filled from a master, one file at a time, each proven by its digest when it
// comes and before it is given to a machine.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "boot/image/blob_store.hpp"
#include "daemons/boot/blob_proofs.hpp"
#include "net/http/http_client.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace drover::daemons {

/// One executor's thread.
class BlobFetcher final : public boot::BlobSource {
 public:
  /// Asks a master in this daemon's own name; nullptr without a way up.
  using Get = Callback<std::unique_ptr<net::HttpCall>(
      const std::string& target, net::HttpHeaders headers, net::HttpStreamEvents events)>;

  struct Places {
    std::string images;  ///< this host's image folder, which is only read
    std::string cache;   ///< made when it is needed
  };

  BlobFetcher(Executor& executor, Disk& disk, Random& random, const Log& log, Places places,
              Get get);
  ~BlobFetcher() override;

  /// What is here and proven at once, else when it has been read or has come. A damaged file is
  /// fetched anew. not_found when the master has no such file; corrupt when what is here is damaged
  /// and no master can be asked; unreachable when nothing is here and none can.
  void find(const std::string& sha256, Found found) override;
  /// The model's images: what is fetched before anybody asks, and what may stay in the cache.
  void follow(std::set<std::string> wanted, const std::set<std::string>& known);
  /// A way to a master is there (again), or gone.
  void way_up(bool there);
  void stop();

 private:
  struct Fetch;

  using Body = std::shared_ptr<const net::HttpBody>;
  /// What is here of a name: in the host's image folder, or in the cache.
  struct Here {
    Body body;
    bool cached = false;
  };
  Result<Here> open_here(const std::string& sha256);
  void fetch(const std::string& sha256, Found found);
  void damaged(const std::string& sha256, bool cached, const Error& why, Found found);
  void next();
  void begin(const std::string& sha256);
  void on_head(const net::HttpResponse& head);
  void on_chunk(std::string_view chunk);
  void on_end(const Status& end);
  void check();
  void settled(Status outcome);
  void later();
  void go_on();
  [[nodiscard]] bool is_here(const std::string& sha256);
  [[nodiscard]] std::string partial(const std::string& sha256) const;

  Executor& executor_;
  Disk& disk_;
  Log log_;
  Random& random_;
  boot::image::BlobStore images_;
  boot::image::BlobStore cache_;
  Get get_;
  std::shared_ptr<Worker> worker_;
  BlobProofs proofs_;
  std::set<std::string> damaged_;  ///< in this host's image folder, which is only read
  std::set<std::string> wanted_;
  std::map<std::string, std::vector<Found>> waiting_;
  std::deque<std::string> queue_;
  std::unique_ptr<Fetch> fetch_;
  bool has_way_ = false;
  bool stopped_ = false;
  bool pausing_ = false;  ///< after a failure
  bool told_ = false;     ///< that files cannot be fetched
  Backoff pause_;
  Timer timer_;
};

}  // namespace drover::daemons
