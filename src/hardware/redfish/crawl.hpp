// Looking through one BMC: every resource that matters, once, within bounds, into one inventory.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>

namespace drover::hardware {

struct CrawlOptions {
  Duration deadline =
      std::chrono::seconds(120);  ///< for all of it; what is missing then is left out
  size_t most_requests = 4000;
  size_t most_bytes = size_t{64} << 20;  ///< of all answers together
  bool expand = true;                    ///< use $expand where the BMC offers it
  bool parts = true;  ///< false: systems, managers and chassis alone, without what is in them
};

struct CrawlResult {
  cluster::BmcInventory inventory;
  cluster::BmcReadings readings;
  std::string certificate_key;  ///< of the BMC's certificate (BmcClient::seen_key)
  uint64_t requests = 0;
};

/// One look. Destroying it ends it; no callback follows.
class Crawl {
 public:
  /// `done` runs exactly once, never in here: with an error when the root, or all of Systems,
  /// Managers and Chassis, could not be read; otherwise with what could, where what could not is
  /// among the warnings and `complete` is false. The ground outlives it.
  Crawl(BmcGround& ground, BmcAccess access, BmcClientOptions client, CrawlOptions options,
        Callback<void(Result<CrawlResult>)> done);
  Crawl(const Crawl&) = delete;
  Crawl& operator=(const Crawl&) = delete;
  ~Crawl();

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

}  // namespace drover::hardware
