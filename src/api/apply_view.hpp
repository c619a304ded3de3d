// What the API says of a document's plan: folded changes, disputes with who changed what, problems.
#pragma once

#include "base/describe.hpp"
#include "cluster/declare/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::api {

/// What POST /apply takes.
struct ApplyBody {
  static constexpr std::string_view kTypeName = "ApplyRequest";
  RawJson document;
  RawJson base;
  std::string why;
  void describe(Visitor& v);
};

struct ApplyField {
  static constexpr std::string_view kTypeName = "ApplyField";
  std::string field;
  RawJson before;  ///< null: there was none
  RawJson after;   ///< null: there will be none
  void describe(Visitor& v);
};

struct ApplyChange {
  static constexpr std::string_view kTypeName = "ApplyChange";
  std::string kind;
  std::string names;
  uint64_t count = 0;
  cluster::PlanAction action = cluster::PlanAction::create;
  std::vector<ApplyField> fields;
  void describe(Visitor& v);
};

struct ApplyDispute {
  static constexpr std::string_view kTypeName = "ApplyDispute";
  std::string kind;
  std::string names;
  std::string field;
  RawJson base;      ///< as applied last; null: it said nothing
  RawJson document;  ///< as the document has it now; null: it no longer says
  RawJson in_force;
  std::string who;  ///< who changed it since; empty: not known
  WallTime when{};
  std::string why;
  void describe(Visitor& v);
};

struct ApplyProblem {
  static constexpr std::string_view kTypeName = "ApplyProblem";
  std::string pointer;
  std::string message;
  void describe(Visitor& v);
};

struct ApplyOrphan {
  static constexpr std::string_view kTypeName = "ApplyOrphan";
  std::string kind;
  std::string names;
  uint64_t count = 0;
  void describe(Visitor& v);
};

/// What POST /apply gives.
struct ApplyPlan {
  static constexpr std::string_view kTypeName = "ApplyPlan";
  bool applied = false;
  bool remembers = false;
  uint64_t created = 0;
  uint64_t changed = 0;
  uint64_t removed = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  std::vector<ApplyChange> changes;
  std::vector<ApplyDispute> conflicts;
  std::vector<ApplyDispute> kept;
  std::vector<ApplyOrphan> orphans;
  std::vector<ApplyProblem> problems;
  void describe(Visitor& v);
};

/// Folds equal disputes of several nodes; `who` and the rest of the authors are taken over from
/// those of the single ones.
std::vector<ApplyDispute> fold_disputes(std::vector<ApplyDispute> disputes);

/// The view of a plan, disputes one by one and without who changed them.
ApplyPlan view_of(const cluster::Plan& plan);

/// "by hand" was set by user:alice at ...; for refusals. `against_base`: the request brought the
/// document that it started from.
std::string dispute_text(const ApplyDispute& dispute, bool against_base);

}  // namespace drover::api
