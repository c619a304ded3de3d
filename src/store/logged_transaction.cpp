// Every write looks at the row first, so that equal values cost nothing and the log has the old
// one.
#include "store/logged_transaction.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/core.h>

namespace drover::store {
namespace {

const Author kNobody{""};

Status check_name(std::string_view what, std::string_view name) {
  if (name.size() > kMaxName) {
    return fail(Code::too_large,
                fmt::format("{} of {} bytes; at most {} are allowed", what, name.size(), kMaxName));
  }
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    return fail(Code::invalid_argument, fmt::format("the {} is empty or holds a NUL byte", what));
  }
  return {};
}

Status check_names(std::string_view kind, std::string_view key) {
  DROVER_CHECK_OK(check_name("kind", kind));
  return check_name("key", key);
}

/// The text of a body's own "id", or nothing: see ChangeQuery::id.
std::string_view id_in(std::string_view body) {
  constexpr size_t kLookedAt = 256;
  constexpr std::string_view kMember = "\"id\":\"";
  const std::string_view start = body.substr(0, kLookedAt);
  const size_t at = start.find(kMember);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = start.substr(at + kMember.size());
  const size_t end = rest.find('"');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

tl::unexpected<Error> mixed(std::string_view kind, std::string_view key, bool stored_quiet) {
  return fail(Code::conflict,
              fmt::format("{} \"{}\" is {}", kind, key,
                          stored_quiet ? "bookkeeping and never in the change log"
                                       : "in the change log and cannot be bookkeeping"));
}

}  // namespace

LoggedTransaction::LoggedTransaction(Engine& engine, Readings& readings, const Author& author,
                                     int64_t time_ms, uint64_t& head, std::vector<Change>& changes)
    : engine_(engine),
      readings_(readings),
      author_(author),
      time_ms_(time_ms),
      head_(&head),
      changes_(&changes),
      first_(changes.size()) {}

LoggedTransaction::LoggedTransaction(Engine& engine, Readings& readings)
    : engine_(engine), readings_(readings), author_(kNobody) {}

template <typename T>
T LoggedTransaction::noted(T result) {
  if (result) return result;
  if (broken_) broken_ = tl::unexpected<Error>(result.error());
  readings_.clear();  // what the engine has left is not known
  seen_.reset();
  return result;
}

Result<std::optional<LoggedTransaction::Row>> LoggedTransaction::look(std::string_view kind,
                                                                      std::string_view key) {
  const Readings::Known* const known = readings_.find(kind, key);
  if (known == nullptr || known->row == 0) return look_in_database(kind, key);
#ifndef NDEBUG
  DROVER_TRY(const auto there, noted(engine_.find(kind, key)));
  assert(there && there->id == known->row && there->revision == known->revision &&
         there->body == known->body);
#endif
  return Row{known->row, known->revision, known->body};
}

Result<std::optional<LoggedTransaction::Row>> LoggedTransaction::look_in_database(
    std::string_view kind, std::string_view key) {
  if (!seen_ || seen_->kind != kind || seen_->key != key) {
    seen_.reset();
    DROVER_TRY(auto found, noted(engine_.find(kind, key)));
    if (found) readings_.note_row(kind, key, found->id, found->revision);
    seen_ = {std::string(kind), std::string(key), std::move(found)};
  }
  if (!seen_->found) return std::nullopt;
  return Row{seen_->found->id, seen_->found->revision, seen_->found->body};
}

Result<std::optional<Object>> LoggedTransaction::get(std::string_view kind, std::string_view key) {
  DROVER_CHECK_OK(check_names(kind, key));
  DROVER_TRY(const auto row, look(kind, key));
  if (!row) return std::nullopt;
  return Object{std::string(kind),
                std::string(key),
                std::string(row->body),
                row->revision,
                {readings_.reading(kind, key)}};
}

Result<std::shared_ptr<const Reading>> LoggedTransaction::reading(std::string_view kind,
                                                                  std::string_view key) {
  DROVER_CHECK_OK(check_names(kind, key));
  return readings_.reading(kind, key);
}

Result<std::vector<Object>> LoggedTransaction::list(const ListQuery& query) {
  DROVER_CHECK_OK(check_name("kind", query.kind));
  return noted(engine_.list(query));
}

Status LoggedTransaction::prepare_write(std::string_view kind, std::string_view key,
                                        std::string_view body) {
  if (changes_ == nullptr) return fail(Code::invalid_argument, "a read cannot write");
  DROVER_CHECK_OK(broken_);
  DROVER_CHECK_OK(check_names(kind, key));
  if (body.size() > kMaxBody) {
    return fail(Code::too_large, fmt::format("{} \"{}\" has {} bytes; at most {} are allowed", kind,
                                             key, body.size(), kMaxBody));
  }
  if (savepoint_) return {};
  DROVER_CHECK_OK(noted(engine_.set_savepoint()));
  savepoint_ = true;
  return {};
}

Status LoggedTransaction::log(std::string_view kind, std::string_view key, uint64_t previous,
                              std::optional<std::string> before, std::optional<std::string> after,
                              ReadingPointer reading) {
  Change change;
  change.reading = std::move(reading);
  change.sequence = *head_ + 1;
  change.time_ms = time_ms_;
  change.actor = author_.actor;
  change.via = author_.via;
  change.kind = kind;
  change.key = key;
  change.operation = after ? Operation::put : Operation::erase;
  change.before = std::move(before);
  change.after = std::move(after);
  change.why = why_;
  change.id = id_in(change.after ? *change.after : *change.before);
  DROVER_CHECK_OK(noted(engine_.append(change, previous)));
  changes_->push_back(std::move(change));
  ++*head_;
  return {};
}

Result<uint64_t> LoggedTransaction::put(std::string_view kind, std::string_view key,
                                        std::string_view body, ReadingPointer reading) {
  DROVER_CHECK_OK(prepare_write(kind, key, body));
  DROVER_TRY(const auto row, look(kind, key));
  if (row && row->revision == 0) return mixed(kind, key, true);
  if (row && row->body == body) return row->revision;
  const uint64_t revision = *head_ + 1;
  std::optional<std::string> before;
  int64_t id = 0;
  uint64_t previous = 0;
  if (row) {
    id = row->id;
    previous = row->revision;
    before = std::string(row->body);
    DROVER_CHECK_OK(noted(engine_.update(id, body, revision)));
  } else {
    DROVER_TRY(id, noted(engine_.insert(kind, key, body, revision)));
  }
  seen_.reset();
  const auto kept = reading.pointer;
  DROVER_CHECK_OK(
      log(kind, key, previous, std::move(before), std::string(body), std::move(reading)));
  readings_.keep(kind, key, id, revision, body, kept);
  return revision;
}

Result<bool> LoggedTransaction::erase(std::string_view kind, std::string_view key) {
  DROVER_CHECK_OK(prepare_write(kind, key, {}));
  DROVER_TRY(const auto row, look(kind, key));
  if (!row) return false;
  if (row->revision == 0) return mixed(kind, key, true);
  std::string before(row->body);
  const uint64_t previous = row->revision;
  DROVER_CHECK_OK(noted(engine_.remove(row->id)));
  seen_.reset();
  readings_.forget(kind, key);
  DROVER_CHECK_OK(log(kind, key, previous, std::move(before), std::nullopt, {}));
  return true;
}

Status LoggedTransaction::put_quiet(std::string_view kind, std::string_view key,
                                    std::string_view body) {
  DROVER_CHECK_OK(prepare_write(kind, key, body));
  DROVER_TRY(const auto row, look(kind, key));
  if (row && row->revision != 0) return mixed(kind, key, false);
  if (row && row->body == body) return {};
  const int64_t id = row ? row->id : 0;
  const bool there = row.has_value();
  seen_.reset();
  if (there) return noted(engine_.update(id, body, 0));
  DROVER_TRY([[maybe_unused]] const int64_t made, noted(engine_.insert(kind, key, body, 0)));
  return {};
}

Result<bool> LoggedTransaction::erase_quiet(std::string_view kind, std::string_view key) {
  DROVER_CHECK_OK(prepare_write(kind, key, {}));
  DROVER_TRY(const auto row, look(kind, key));
  if (!row) return false;
  if (row->revision != 0) return mixed(kind, key, false);
  DROVER_CHECK_OK(noted(engine_.remove(row->id)));
  seen_.reset();
  return true;
}

Status LoggedTransaction::expect_revision(std::string_view kind, std::string_view key,
                                          uint64_t revision) {
  DROVER_CHECK_OK(check_names(kind, key));
  DROVER_TRY(const auto found, look(kind, key));
  const uint64_t now = found ? found->revision : 0;
  if (now == revision && (!found || revision != 0)) return {};
  DROVER_TRY(const auto last, noted(engine_.last_change(kind, key)));
  std::string text = fmt::format("{} \"{}\" ", kind, key);
  if (last) {
    text += fmt::format("was {} by {} at {}", last->after ? "changed" : "erased", last->actor,
                        to_rfc3339(from_unix_ms(last->time_ms)));
  } else {
    text += found ? "exists" : "does not exist";
  }
  if (now != 0) text += fmt::format(" and is at revision {}, not {}", now, revision);
  return fail(Code::stale, std::move(text), "read it again, then decide again");
}

Result<uint64_t> LoggedTransaction::next_number(std::string_view counter) {
  DROVER_CHECK_OK(prepare_write("counter", counter, {}));
  return noted(engine_.next_number(counter));
}

void LoggedTransaction::explain(std::string_view why) {
  size_t end = std::min(why.size(), kMaxName);
  const auto continues = [&] { return (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80U; };
  while (end > 0 && end < why.size() && continues()) --end;  // not inside a UTF-8 character
  why_ = why.substr(0, end);
}

Status LoggedTransaction::finish(Status outcome) {
  if (outcome && !broken_) outcome = broken_;
  if (outcome && savepoint_) outcome = engine_.release_savepoint();
  if (outcome) return outcome;
  for (size_t i = first_; i < changes_->size(); ++i) {
    readings_.forget((*changes_)[i].kind, (*changes_)[i].key);
  }
  *head_ -= changes_->size() - first_;
  changes_->resize(first_);
  // When undoing fails too, the whole batch goes.
  if (savepoint_ && engine_.in_transaction() && !engine_.roll_back_to_savepoint()) {
    engine_.roll_back();
  }
  return outcome;
}

}  // namespace drover::store
