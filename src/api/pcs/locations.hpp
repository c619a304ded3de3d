// What PCS's requests and answers share: the nodes that xnames name, and numbers of tasks.
#pragma once

#include "api/services.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cluster/operation.hpp"
#include "cluster/xname_map.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::pcs {

/// The components of one request. Valid while the model does not change.
class Locations {
 public:
  explicit Locations(const cluster::Model& model) : index_(model) {}

  /// The node of an xname; nothing when there is none, which left_out() then says. A node that was
  /// added before is not added again. invalid_argument for too many.
  Result<std::optional<std::string>> add(const std::string& xname);
  [[nodiscard]] const std::vector<std::string>& nodes() const { return nodes_; }
  /// By xname, as it was written where it is none: why it has no task that could succeed.
  [[nodiscard]] const std::map<std::string, std::string>& left_out() const { return left_out_; }

 private:
  cluster::XnameIndex index_;
  std::vector<std::string> nodes_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> left_out_;
};

/// taskCounts.
class Counts {
 public:
  /// `status` in PCS's words.
  void add(std::string_view status, uint64_t count);
  [[nodiscard]] json::object object() const;

 private:
  uint64_t total_ = 0, in_progress_ = 0, failed_ = 0, succeeded_ = 0, unsupported_ = 0;
};

/// automaticExpirationTime.
std::string expiry(const cluster::Operation& operation);

}  // namespace drover::api::pcs
