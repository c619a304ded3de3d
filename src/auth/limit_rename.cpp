// Everything in the store that is limited by a noderange.
#include "auth/limit_rename.hpp"

#include "auth/bearer_record.hpp"
#include "auth/grants.hpp"
#include "auth/issuer_record.hpp"
#include "auth/policy.hpp"

#include <string>

#include <fmt/format.h>

namespace drover::auth {
namespace {

/// Whether it changed.
Result<bool> rename_in(std::string& nodes, const cluster::GroupRename& rename,
                       const std::string& whose) {
  auto after = cluster::renamed_in(nodes, rename);
  if (!after) return fail_in(whose, std::move(after).error());
  if (*after == nodes) return false;
  nodes = *std::move(after);
  return true;
}

Status rename_in_grants(store::Transaction& tx, const cluster::GroupRename& rename) {
  DROVER_TRY(const auto object, tx.get(kGrantKind, kGrantKey));
  if (!object) return {};
  DROVER_TRY(GrantList list, decode_text<GrantList>(object->body, Unknown::ignore));
  bool changed = false;
  for (Grant& grant : list.grants) {
    DROVER_TRY(const bool here,
               rename_in(grant.nodes, rename, fmt::format("the grant for {}", grant.principal)));
    changed = changed || here;
  }
  if (!changed) return {};
  DROVER_CHECK_OK(tx.put(kGrantKind, kGrantKey, encode(list)));
  return {};
}

template <Described T>
Status rename_in_kind(store::Transaction& tx, const cluster::GroupRename& rename,
                      std::string_view kind, std::string_view word) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kind)}));
  for (const store::Object& object : objects) {
    DROVER_TRY(T record, decode_text<T>(object.body, Unknown::ignore));
    DROVER_TRY(const bool changed,
               rename_in(record.nodes, rename, fmt::format("the {} {}", word, record.name)));
    if (changed) DROVER_CHECK_OK(tx.put(kind, object.key, encode(record)));
  }
  return {};
}

}  // namespace

Status rename_group_in_limits(store::Transaction& tx, const cluster::GroupRename& rename) {
  DROVER_CHECK_OK(rename_in_grants(tx, rename));
  DROVER_CHECK_OK(rename_in_kind<BearerRecord>(tx, rename, kBearerKind, "credential"));
  return rename_in_kind<IssuerRecord>(tx, rename, kIssuerKind, "issuer");
}

}  // namespace drover::auth
