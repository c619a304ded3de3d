// Looks for BMCs at many addresses: Redfish's root, which anybody may read, and the questions that
// IPMI answers to anybody. Few at a time, so many a second, each with a deadline; nothing that
// answers can make it wait longer or keep more.
#pragma once

#include "cluster/discovery/found_bmc.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "hardware/redfish/bmc_ground.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::hardware {

/// Longest answer of a service root that is read.
inline constexpr size_t kLongestRoot = size_t{256} << 10;

/// What the body of /redfish/v1/ says; nothing when it is no service root (DSP0268, ServiceRoot).
std::optional<cluster::FoundBmc> read_service_root(std::string_view body);

/// One scan. Executor's thread only; destroying it ends it, and no callback follows.
class BmcScan {
 public:
  /// Called once for each address, never in the constructor: what it says of itself, without
  /// `found`. not_found where there is no BMC, the message saying why in one of a few fixed words;
  /// other errors where it could not be asked.
  using Answered = Callback<void(const std::string& address, Result<cluster::FoundBmc> found)>;
  /// `addresses` are canonical. Of `request` the numbers and ports count. Where no datagrams can be
  /// sent, addresses without Redfish could not be asked. The ground outlives it.
  BmcScan(BmcGround& ground, const cluster::ScanRequest& request,
          std::vector<std::string> addresses, Answered answered);
  BmcScan(const BmcScan&) = delete;
  BmcScan& operator=(const BmcScan&) = delete;
  ~BmcScan();

 private:
  class Course;
  std::shared_ptr<Course> course_;
};

}  // namespace drover::hardware
