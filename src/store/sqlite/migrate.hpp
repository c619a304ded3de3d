// Schema versions: which numbered migrations a database has had, and running those it lacks.
#pragma once

#include "base/result.hpp"
#include "store/sqlite/database.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace drover::store {

/// One file of store/migrations: "0001_objects" and its text. Version N is the N-th, from 1.
struct Migration {
  std::string_view name;
  std::string_view sql;
};
std::span<const Migration> migrations();

/// Brings the database to the newest of `known` in one transaction: all steps or none.
/// Code::unsupported when the database is newer than `known`, or when it is not one of ours.
Status migrate(Database& database, std::span<const Migration> known, int64_t now_ms);

}  // namespace drover::store
