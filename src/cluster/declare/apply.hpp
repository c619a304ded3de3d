// Applying a document inside one store mutation: everything or nothing.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"
#include "cluster/declare/export.hpp"
#include "cluster/declare/plan.hpp"
#include "cluster/definition_writer.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of the bookkeeping objects that remember documents; key "<name>/<piece>".
inline constexpr std::string_view kAppliedKind = "applied";
/// The name under which a document is remembered when nobody gives one.
inline constexpr std::string_view kStandardDocument = "cluster";

/// What to apply, and how.
struct ApplyRequest {
  Document document;
  /// The document's name; the one applied last under it is the base of the merge.
  std::string name{kStandardDocument};
  /// A base given by the caller in place of the remembered one; then nothing is remembered.
  std::optional<Document> base = {};
  ApplyOptions options = {};
};

/// Every object that a document may define, with all its fields.
Result<InForce> read_in_force(store::Transaction& tx);

/// Those of them that `takes` says yes to, as a document says them; sections in order, in each by
/// the bytes of their names.
Result<std::vector<BriefObject>> read_brief(store::Transaction& tx,
                                            Callback<bool(const ObjectName&)> takes);

/// What was applied last under a name; nothing when nothing was.
Result<std::optional<Document>> read_applied(store::Transaction& tx, std::string_view name);

struct Prepared {
  Plan plan;
  bool remembers = false;  ///< what is remembered under the name would change
};
/// Plans against what is in force in this transaction, and checks the rules between objects (unique
/// names, numbers and addresses, profiles and members that exist) on what would be: they are
/// problems of the plan. Writes nothing.
Result<Prepared> prepare(store::Transaction& tx, const ApplyRequest& request);

/// Takes a node out of the cluster, with what other rooms keep of it.
using RemoveNode =
    Callback<Status(store::Transaction& tx, DefinitionWriter& writer, const std::string& name)>;

/// Gives a fresh id for a node that is made: 32 hexadecimal digits, each time another.
using FreshIds = Callback<std::string()>;

/// Writes a plan without conflicts and problems, prepared in this transaction, and remembers the
/// document.
Status carry_out(store::Transaction& tx, const ApplyRequest& request, const Prepared& prepared,
                 FreshIds fresh_ids, RemoveNode& remove_node, std::string_view why);

}  // namespace drover::cluster
