#include "auth/grants.hpp"

#include "base/text.hpp"

#include <set>

#include <fmt/core.h>

namespace drover::auth {

void GrantList::describe(Visitor& v) {
  v.field("grants", grants, "In order: the first one that fits a caller decides.");
}

Status check_grants(const GrantList& list) {
  if (list.grants.size() > kMostGrants) {
    return fail(Code::too_large, fmt::format("grants: more than {}", kMostGrants));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < list.grants.size(); ++i) {
    const Grant& grant = list.grants[i];
    if (Status good = check_grant(grant); !good) {
      return fail_in(fmt::format("grants.{}", i), std::move(good).error());
    }
    if (!seen.insert(grant.principal).second) {
      return fail(Code::invalid_argument,
                  fmt::format("grants.{}: '{}' is there already; the second one would never count",
                              i, printable(grant.principal)));
    }
  }
  return {};
}

Grants::Grants(store::Store& store, Log log) : store_(store), log_(log) {}

Status Grants::start() {
  DROVER_TRY(const auto objects, store_.load(kGrantKind));
  for (const store::Object& object : objects) {
    if (object.key != kGrantKey) continue;
    if (auto taken = take(object.body, object.revision); !taken) {
      return fail(Code::corrupt, taken.error().text());
    }
  }
  subscription_ = store_.subscribe([this](std::span<const store::Change> changes) {
    for (const store::Change& change : changes) {
      if (change.kind != kGrantKind || change.key != kGrantKey) continue;
      const Status taken = take(change.after.value_or(R"({"grants":[]})"), change.sequence);
      if (!taken) log_.error("stored grants cannot be read", {{"why", taken.error().text()}});
    }
  });
  return {};
}

Status Grants::take(std::string_view body, uint64_t revision) {
  auto list = decode_text<GrantList>(body, Unknown::ignore);
  if (!list) return fail_in("the grants in the store", std::move(list).error());
  policy_ = std::make_shared<const Policy>(std::move(list->grants));
  revision_ = revision;
  return {};
}

}  // namespace drover::auth
