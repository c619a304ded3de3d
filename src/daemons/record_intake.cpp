#include "daemons/record_intake.hpp"

#include "auth/enrolment_records.hpp"
#include "cluster/boot_report.hpp"
#include "cluster/inventory.hpp"
#include "cluster/unknown_machine.hpp"
#include "proto/records.pb.h"
#include "tree/record_window.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr std::string_view kWindowKind = "record-window";

struct Applied {
  bool answer = true;  ///< false: say nothing, the origin sends it again in order
  bool refused = false;
  Error why;
};

/// Kinds whose newest record says everything.
std::string_view snapshot_kind(const proto::Record& record) {
  return record.kind() == "inventory" ? std::string_view(record.kind()) : std::string_view();
}

/// Whether the same record may be taken later. Whatever is wrong with the record itself never
/// heals: sent again for ever it would only fill the spools.
bool may_heal(Code code) {
  switch (code) {
    case Code::unreachable:
    case Code::timed_out:
    case Code::cancelled:
    case Code::exhausted:
    case Code::corrupt:  // of what is stored here, which a restored database mends
    case Code::io:
    case Code::internal:
      return true;
    default:
      return false;
  }
}

/// What a boot daemon saw of a node.
Status apply_boot(store::Transaction& tx, const proto::Record& record) {
  if (record.role() != "boot") {
    return fail(Code::denied, fmt::format("a {} says nothing of boots", record.role()));
  }
  DROVER_TRY(const auto report, cluster::parse_boot_report(record.payload()));
  DROVER_TRY([[maybe_unused]] const bool moved,
             cluster::apply_boot_report(tx, report, "boot/" + record.origin()));
  return {};
}

/// What a boot daemon saw of a machine that is no node's.
Status apply_seen(store::Transaction& tx, const proto::Record& record,
                  const std::string& fresh_id) {
  if (record.role() != "boot") {
    return fail(Code::denied, fmt::format("a {} sees no machines", record.role()));
  }
  DROVER_TRY(const auto sighting, cluster::parse_sighting(record.payload()));
  return cluster::apply_sighting(tx, sighting, record.origin(), fresh_id);
}

Status apply_effect(store::Transaction& tx, const proto::Record& record,
                    const std::string& fresh_id) {
  if (record.kind().empty()) return {};  // superseded at its origin
  if (record.kind() == cluster::kBootRecord) return apply_boot(tx, record);
  if (record.kind() == cluster::kNodeUpRecord) {
    DROVER_TRY(const auto report, cluster::parse_node_up_report(record.payload()));
    return cluster::apply_node_up_report(tx, record.origin(), report);
  }
  if (record.kind() == cluster::kSightingRecord) return apply_seen(tx, record, fresh_id);
  if (record.kind() != "inventory") {
    return fail(Code::unsupported, "records of kind " + record.kind() + " are not known here");
  }
  DROVER_TRY(const auto report, cluster::parse_inventory(record.payload()));
  const auto role = enum_from_name<cluster::NodeRole>(record.role());
  if (!role) return fail(Code::invalid_argument, "a " + record.role() + " has no inventory");
  // A removed node's agent may speak until its links end; it must not bring its node back.
  DROVER_TRY(const auto node, tx.get(cluster::kNodeKind, record.origin()));
  if (!node) {
    DROVER_TRY(const auto held,
               tx.get(auth::kCredentialKind, auth::credential_key(record.role(), record.origin())));
    const auto credential =
        held ? decode_text<auth::Credential>(held->body, Unknown::ignore) : auth::Credential();
    if (credential && credential->revoked) {
      return fail(Code::conflict, fmt::format("{} was removed", record.origin()));
    }
  }
  tx.explain("inventory of " + record.origin());
  DROVER_TRY([[maybe_unused]] auto outcome,
             cluster::apply_inventory(tx, record.origin(), *role, report, fresh_id));
  return {};
}

// A record that cannot be applied is refused for good: it is marked, so that it is not tried again.
Result<Applied> apply_once(store::Transaction& tx, const proto::Record& record,
                           const std::string& fresh_id) {
  Applied out;
  const std::string key = "origin/" + record.origin();
  DROVER_TRY(const auto stored, tx.get(kWindowKind, key));
  DROVER_TRY(auto window, tree::RecordWindow::decode(stored ? stored->body : std::string()));
  bool apply = true;
  switch (window.check(record.incarnation(), record.sequence(), snapshot_kind(record))) {
    case tree::RecordWindow::Verdict::duplicate:
      return out;
    case tree::RecordWindow::Verdict::not_yet:
      out.answer = false;
      return out;
    case tree::RecordWindow::Verdict::stale:
      out.refused = true;
      out.why = Error{Code::conflict, "of an incarnation that is no longer remembered", {}, {}};
      return out;
    case tree::RecordWindow::Verdict::outdated:
      apply = false;
      break;
    case tree::RecordWindow::Verdict::fresh:
      break;
  }
  const Status effect = apply ? apply_effect(tx, record, fresh_id) : Status{};
  if (!effect) {
    if (may_heal(effect.error().code)) return tl::unexpected<Error>(effect.error());
    out.refused = true;
    out.why = effect.error();
  }
  window.mark(record.incarnation(), record.sequence(), snapshot_kind(record));
  DROVER_CHECK_OK(tx.put_quiet(kWindowKind, key, window.encode()));
  return out;
}

}  // namespace

struct RecordIntake::Answers {
  proto::RecordAcks message;
  bool posted = false;
};

RecordIntake::RecordIntake(Executor& executor, Random& random, const Log& log, store::Store& store,
                           tree::Peers& links)
    : executor_(executor), random_(random), log_(log), store_(store), links_(links) {}

void RecordIntake::take(const std::string& via, std::string_view payload,
                        const std::string& only_origin) {
  proto::Records message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("records that cannot be read were dropped", {{"from", via}});
    return;
  }
  for (const proto::Record& each : message.records()) {
    if (!only_origin.empty() && each.origin() != only_origin) {
      log_.warning("a record about another daemon was dropped",
                   {{"from", via}, {"about", each.origin()}});
      continue;
    }
    auto record = std::make_shared<const proto::Record>(each);
    auto applied = std::make_shared<Applied>();
    store_.write(
        "daemon:" + record->role() + "/" + record->origin(),
        [record, applied, fresh_id = random_.hex(16)](store::Transaction& tx) -> Status {
          DROVER_TRY(*applied, apply_once(tx, *record, fresh_id));
          return {};
        },
        [this, alive = std::weak_ptr<bool>(alive_), via, record,
         applied](const Result<store::Committed>& committed) {
          if (alive.expired()) return;
          if (!committed) {
            // Not acknowledged: its origin sends it again.
            log_.error("a record could not be stored",
                       {{"origin", record->origin()}, {"why", committed.error().text()}});
            return;
          }
          if (!applied->answer) return;
          if (!applied->refused) tell_node_up(*record);
          std::shared_ptr<Answers>& answers = answers_[via];
          if (!answers) answers = std::make_shared<Answers>();
          proto::RecordKey* key = nullptr;
          if (applied->refused) {
            log_.warning("a record was refused",
                         {{"origin", record->origin()}, {"why", applied->why.text()}});
            auto* refused = answers->message.add_refused();
            refused->set_code(std::string(info(applied->why.code).name));
            refused->set_message(applied->why.text());
            key = refused->mutable_key();
          } else {
            key = answers->message.add_committed();
          }
          key->set_origin(record->origin());
          key->set_incarnation(record->incarnation());
          key->set_sequence(record->sequence());
          if (std::exchange(answers->posted, true)) return;
          executor_.post([this, alive, via] {
            if (!alive.expired()) settle(via);
          });
        });
  }
}

void RecordIntake::tell_node_up(const proto::Record& record) {
  if (record.kind() != cluster::kNodeUpRecord || !on_node_up_) return;
  const auto report = cluster::parse_node_up_report(record.payload());
  if (report) on_node_up_(record.origin(), *report);
}

// One message for all that one commit has made durable.
void RecordIntake::settle(const std::string& via) {
  const auto it = answers_.find(via);
  if (it == answers_.end()) return;
  const std::shared_ptr<Answers> answers = std::move(it->second);
  answers_.erase(it);
  (void)links_.send(via, tree::MessageType::record_acks, answers->message.SerializeAsString());
}

}  // namespace drover::daemons
