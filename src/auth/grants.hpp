// The grants in force: an ordered list in the store, live with the commit that changes it.
#pragma once

#include "auth/policy.hpp"
#include "base/describe.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace drover::auth {

/// Store kind and key of the list.
inline constexpr std::string_view kGrantKind = "grant";
inline constexpr std::string_view kGrantKey = "grants";
inline constexpr size_t kMostGrants = 1000;

/// One object, since the order decides and must change as one.
struct GrantList {
  static constexpr std::string_view kTypeName = "GrantList";
  std::vector<Grant> grants;
  bool operator==(const GrantList&) const = default;
  void describe(Visitor& v);
};

/// Every grant is good and no pattern is there twice; invalid_argument names the one that is not.
Status check_grants(const GrantList& list);

/// Executor's thread only.
class Grants {
 public:
  /// `store` outlives it.
  Grants(store::Store& store, Log log);

  /// Reads the list and follows its changes; before the store's first write.
  Status start();

  /// What holds now. Requests keep the one that they were judged by.
  [[nodiscard]] const std::shared_ptr<const Policy>& policy() const { return policy_; }
  /// Of the list; 0: there never was one.
  [[nodiscard]] uint64_t revision() const { return revision_; }

 private:
  Status take(std::string_view body, uint64_t revision);

  store::Store& store_;
  Log log_;
  std::shared_ptr<const Policy> policy_ = std::make_shared<const Policy>();
  uint64_t revision_ = 0;
  store::Subscription subscription_;
};

}  // namespace drover::auth
