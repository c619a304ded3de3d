// POST /changes/{sequence}/revert: undoes changes of the log by new ones.
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/problem.hpp"
#include "api/whole_number.hpp"
#include "cluster/history/undo.hpp"
#include "cluster/settings.hpp"
#include "store/reason.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kMostAtOnce = 1'000;
/// Entries of the log within which the two halves of a rename stand: parts move between them.
constexpr uint64_t kRenameSpan = 5'000;
constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

struct RevertRequest {
  static constexpr std::string_view kTypeName = "RevertRequest";
  std::string why;
  bool force = false;
  std::vector<uint64_t> also;
  void describe(Visitor& v) {
    v.field("why", why, "Reason, for the change log.", Presence::optional);
    v.field("force", force, "Undo it even though the same was changed again since.",
            Presence::optional);
    v.field("also", also, "More changes to undo in the same step.", Presence::optional);
  }
};

struct RevertResult {
  static constexpr std::string_view kTypeName = "RevertResult";
  std::vector<cluster::Undone> reverted;
  bool dry_run = false;
  void describe(Visitor& v) {
    v.field("reverted", reverted, "What was undone, newest change first.");
    v.field("dry_run", dry_run, "Whether it was only tried.");
  }
};

/// One request: its changes are read one after the other, then undone together.
struct Reverting {
  RequestPtr request;
  RevertRequest wanted;
  std::vector<uint64_t> sequences;  ///< newest first
  std::vector<cluster::UndoRequest> undo;
  std::vector<std::string> contested;
  size_t failed = 0;  ///< of `undo`
};
using RevertingPtr = std::shared_ptr<Reverting>;

std::string name_of_id(const cluster::Model& model, const std::string& id) {
  for (const auto& [name, entry] : model.nodes()) {
    if (!id.empty() && entry.node().id == id) return name;
  }
  return {};
}

bool is_of_setting(const cluster::UndoRequest& undo) {
  return undo.change.kind == cluster::kSettingKind;
}

/// Settings are for administrators, whichever way they are changed.
Status may_undo(const RequestPtr& request, const cluster::UndoRequest& undo) {
  const auth::Access needed = auth::needed_access(auth::Privilege::administer);
  if (!is_of_setting(undo) || request->standing().access >= needed) return {};
  return fail(Code::denied,
              fmt::format("change {} is of the setting {}: undoing it needs role {}, and the role "
                          "here is {}",
                          undo.change.sequence, printable(undo.change.key), enum_name(needed),
                          enum_name(request->standing().access)));
}

void read_next(Services& services, const RevertingPtr& work);

/// The change again with who did it: tells what a conflict is about.
void explain_conflict(Services& services, const RevertingPtr& work, Error error) {
  const cluster::UndoRequest& undo = work->undo[work->failed];
  store::ChangeQuery query;
  query.kind = undo.change.kind;
  (undo.change.id.empty() ? query.key : query.id) =
      undo.change.id.empty() ? undo.change.key : undo.change.id;
  query.newest_first = true;
  query.since = undo.change.sequence;
  services.store.changes(std::move(query), [work, error = std::move(error)](
                                               const Result<store::ChangePage>& page) mutable {
    if (!page) return work->request->fail(error);
    for (const store::Change& later : page->changes) {
      const auto fields = cluster::differences(later.before, later.after);
      const bool touches =
          fields && std::ranges::any_of(*fields, [&](const cluster::FieldChange& field) {
            return work->contested.empty() ||
                   std::ranges::find(work->contested, field.field) != work->contested.end();
          });
      if (!touches) continue;
      error.message += fmt::format(": change {} by {} at {}{}", later.sequence, later.actor,
                                   to_rfc3339(from_unix_ms(later.time_ms)),
                                   later.why.empty() ? "" : fmt::format(" ({})", later.why));
      break;
    }
    work->request->fail(error);
  });
}

Result<Reply> revert_all(store::Transaction& tx, const RevertingPtr& work) {
  cluster::DefinitionWriter writer(tx, cluster::DefinitionWriter::Mode::together);
  RevertResult result;
  result.dry_run = is_dry_run(work->request);
  for (size_t i = 0; i < work->undo.size(); ++i) {
    const cluster::UndoRequest& one = work->undo[i];
    tx.explain(
        store::with_reason(fmt::format("undoes change {}", one.change.sequence), work->wanted.why));
    work->contested.clear();
    work->failed = i;
    DROVER_TRY(auto undone, cluster::undo(tx, writer, one, work->contested));
    result.reverted.push_back(std::move(undone));
  }
  DROVER_CHECK_OK(writer.finish());
  if (std::ranges::any_of(work->undo, is_of_setting)) {
    DROVER_TRY(const cluster::Settings settings, cluster::read_settings(tx));
    DROVER_CHECK_OK(cluster::check_together(settings));
  }
  work->contested.clear();
  return Reply{200, encode(result), {}};
}

void write_all(Services& services, const RevertingPtr& work) {
  change(services, work->request,
         [work](store::Transaction& tx) -> Result<Reply> { return revert_all(tx, work); });
}

/// Tries it without keeping it, so that a conflict can say who came between.
void check_first(Services& services, const RevertingPtr& work) {
  const auto outcome = std::make_shared<Status>();
  services.store.write(
      work->request->author(),
      [work, outcome](store::Transaction& tx) -> Status {
        const auto tried = revert_all(tx, work);
        *outcome = tried ? Status() : tl::unexpected<Error>(tried.error());
        return fail(Code::cancelled, "only tried");
      },
      [&services, work, outcome](const Result<store::Committed>& done) {
        if (*outcome) {
          if (!done && done.error().code != Code::cancelled)
            return work->request->fail(done.error());
          return write_all(services, work);
        }
        const bool contested = !work->contested.empty() && !work->wanted.force;
        if (contested && outcome->error().code == Code::conflict) {
          return explain_conflict(services, work, outcome->error());
        }
        work->request->fail(outcome->error());
      });
}

/// A node that disappears under one name and appears under another in the same step was renamed.
void find_rename(Services& services, const RevertingPtr& work) {
  const store::Change& change = work->undo.back().change;
  store::ChangeQuery query;
  query.kind = change.kind;
  query.id = change.id;
  query.newest_first = true;
  query.before = change.sequence + kRenameSpan;
  services.store.changes(
      std::move(query), [&services, work](const Result<store::ChangePage>& page) {
        if (!page) return work->request->fail(page.error());
        cluster::UndoRequest& undo = work->undo.back();
        const store::Change& one = undo.change;
        for (const store::Change& other : page->changes) {
          const bool half = other.key != one.key && other.actor == one.actor &&
                            other.time_ms == one.time_ms &&
                            other.after.has_value() != one.after.has_value() &&
                            other.before.has_value() != one.before.has_value();
          if (half) undo.renamed_from = one.after ? other.key : one.key;
        }
        // Of the two halves one is enough.
        const bool twice = std::ranges::any_of(
            work->undo.begin(), work->undo.end() - 1, [&](const cluster::UndoRequest& earlier) {
              return !undo.renamed_from.empty() && earlier.renamed_from == undo.renamed_from &&
                     earlier.change.time_ms == one.time_ms && earlier.change.id == one.id;
            });
        if (twice) work->undo.pop_back();
        read_next(services, work);
      });
}

void take(Services& services, const RevertingPtr& work, const store::Change& change) {
  cluster::UndoRequest undo;
  undo.change = change;
  undo.force = work->wanted.force;
  const bool of_node = change.kind == cluster::kNodeKind;
  if (const Status may = may_undo(work->request, undo); !may) {
    return work->request->fail(may.error());
  }
  if (of_node) undo.name_now = name_of_id(services.model, change.id);
  work->undo.push_back(std::move(undo));
  const bool whole = !change.before || !change.after;
  if (of_node && whole && !change.id.empty()) return find_rename(services, work);
  read_next(services, work);
}

void read_next(Services& services, const RevertingPtr& work) {
  if (work->sequences.empty()) return check_first(services, work);
  const uint64_t sequence = work->sequences.front();
  work->sequences.erase(work->sequences.begin());
  store::ChangeQuery query;
  query.since = sequence - 1;
  query.limit = 1;
  services.store.changes(std::move(query), [&services, work,
                                            sequence](const Result<store::ChangePage>& page) {
    const bool there = page && !page->changes.empty() && page->changes.front().sequence == sequence;
    if (!there) {
      const bool old =
          !page && page.error().code == Code::too_old && sequence <= services.store.head();
      return work->request->fail({Code::not_found,
                                  old ? fmt::format("change {} is no longer kept", sequence)
                                      : fmt::format("there is no change {}", sequence),
                                  {},
                                  old ? "it is in the archive; make the change again by hand"
                                      : "drover history shows all changes"});
    }
    take(services, work, page->changes.front());
  });
}

Result<uint64_t> sequence_of(const RequestPtr& request) {
  const auto number = whole_number<uint64_t>(request->path("sequence"));
  if (!number || *number == 0 || *number > kMostSequence) {
    return fail(Code::invalid_argument, "the path: expected the number of a change");
  }
  return *number;
}

void revert(Services& services, const RequestPtr& request) {
  auto work = std::make_shared<Reverting>();
  work->request = request;
  DROVER_OR_FAIL(request, const uint64_t sequence, sequence_of(request));
  DROVER_OR_FAIL(request, work->wanted, change_body<RevertRequest>(request));
  work->sequences = work->wanted.also;
  work->sequences.push_back(sequence);
  std::ranges::sort(work->sequences, std::greater());
  const auto twice = std::ranges::unique(work->sequences);
  work->sequences.erase(twice.begin(), twice.end());
  if (work->sequences.back() == 0 || work->sequences.size() > kMostAtOnce) {
    return request->fail(
        {Code::invalid_argument,
         fmt::format("also: at most {} changes at once, counted from 1", kMostAtOnce),
         {},
         {}});
  }
  read_next(services, work);
}

}  // namespace

void add_revert(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/changes/{sequence}/revert",
              .privilege = auth::Privilege::operate,
              .summary = "Undo a change by a new one. What was only seen of a node is not undone.",
              .query = {dry_run_parameter()},
              .takes = body_of<RevertRequest>(),
              .gives = body_of<RevertResult>(),
              .errors = {Code::conflict},
              .handler = [&services](const RequestPtr& r) { revert(services, r); }});
}

}  // namespace drover::api
