// SMD's filters over components: parameters of GET and members of the bodies of queries. Repeated
// values are alternatives, a value behind `!` is one that it must not be, and what is not known is
// ignored.
#pragma once

#include "api/smd/alternatives.hpp"
#include "api/smd/component_rows.hpp"
#include "api/smd/manners.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cluster/model.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::api::smd {

/// The prefix of groups that are SMD's partitions (groups.hpp).
inline constexpr std::string_view kPartitionPrefix = "partition.";

class ComponentFilter {
 public:
  /// invalid_argument ("bad query param: ..") for a value that cannot be.
  static Result<ComponentFilter> of(const Query& query);
  /// Of a body: the same names, with texts or lists of texts.
  static Result<Query> query_of_body(const json::value& body);

  /// Once before accepts(): members of the groups that are asked for.
  void look_at(const cluster::Model& model);
  [[nodiscard]] bool accepts(const ComponentRow& row) const;
  [[nodiscard]] RowView view() const { return view_; }
  /// Whether types are asked for: queries by xname then look below it.
  [[nodiscard]] bool has_type() const { return !types_.empty(); }

 private:
  [[nodiscard]] bool fits_nid(uint64_t nid) const;
  [[nodiscard]] bool fits_groups(const ComponentRow& row) const;

  Alternatives ids_, types_, states_, flags_, enabled_, software_, roles_, sub_roles_, subtypes_,
      archs_, classes_, locked_, reservations_, groups_, partitions_;
  struct NidWord {
    uint64_t nid = 0;
    bool negated = false;
  };
  std::vector<NidWord> nids_;
  std::vector<std::pair<uint64_t, uint64_t>> nid_ranges_;
  RowView view_ = RowView::whole;
  /// Names of the members of each of groups_ and partitions_; looked at once.
  struct Members {
    std::set<std::string, std::less<>> names;
    bool negated = false;
  };
  [[nodiscard]] bool fits_one_of(const std::vector<Members>& all, std::string_view name,
                                 bool or_in_none) const;
  std::vector<Members> in_groups_, in_partitions_;
  bool in_none_ = false;                            ///< ?partition=NULL: those in none
  std::set<std::string, std::less<>> partitioned_;  ///< in some partition

  friend class FilterReader;
};

/// "0-100" or "7"; invalid_argument.
Result<std::pair<uint64_t, uint64_t>> nid_range(std::string_view text);

}  // namespace drover::api::smd
