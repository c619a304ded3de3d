#include "api/change_view.hpp"

#include "auth/bearer_record.hpp"
#include "auth/enrolment_records.hpp"
#include "auth/grants.hpp"
#include "auth/issuer_record.hpp"

#include <algorithm>
#include <array>

namespace drover::api {
namespace {
constexpr std::array<std::string_view, 2> kOperationNames{"put", "erase"};

/// The change log is open to viewers; what these hold is for administrators, by routes of its own.
constexpr std::array<std::string_view, 5> kHidden{auth::kTokenKind, auth::kCredentialKind,
                                                  auth::kBearerKind, auth::kGrantKind,
                                                  auth::kIssuerKind};
}  // namespace

std::span<const std::string_view> enum_names(ChangeOperation) {
  return kOperationNames;
}

void ChangeView::describe(Visitor& v) {
  v.field("sequence", sequence, "Place in the change log; counts up without gaps.");
  v.field("time", time, "When it was written.");
  v.field("actor", actor, "Who did it.");
  v.field("via", via,
          "Where it entered: a daemon and the peer's address; empty: the master itself.");
  v.field("kind", kind, "Kind of the thing that changed.");
  v.field("key", key, "Which one.");
  v.field("operation", operation, "Whether it was written or erased.");
  v.field("before", before, "What it was; null: it did not exist, or is not shown.");
  v.field("after", after, "What it is; null: it is gone, or is not shown.");
  v.field("why", why, "Reason, for people.");
}

ChangeView view_of(const store::Change& change) {
  ChangeView view;
  view.sequence = change.sequence;
  view.time = from_unix_ms(change.time_ms);
  view.actor = change.actor;
  view.via = change.via;
  view.kind = change.kind;
  view.key = change.key;
  view.operation =
      change.operation == store::Operation::erase ? ChangeOperation::erase : ChangeOperation::put;
  const bool hidden = std::ranges::find(kHidden, change.kind) != kHidden.end();
  if (change.before && !hidden) view.before.text = *change.before;
  if (change.after && !hidden) view.after.text = *change.after;
  view.why = change.why;
  return view;
}

}  // namespace drover::api
