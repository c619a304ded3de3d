// SMD's /locks: locks by administrators, and reservations by these and by services such as power
// control.
#include "api/smd/component_filter.hpp"
#include "api/smd/lock_book.hpp"
#include "api/smd/lock_forms.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

struct Failure {
  std::string xname;
  Reason reason;
};
/// What became of a request, component by component.
struct Outcomes {
  std::vector<std::string> done;
  std::vector<Reservation> reserved;
  std::vector<Failure> failed;
  bool rigid = true;

  void note(const std::string& xname, Reason reason) {
    if (reason == nullptr) {
      done.push_back(xname);
    } else {
      failed.push_back({xname, reason});
    }
  }
  /// All or nothing: an error undoes the mutation.
  [[nodiscard]] Status settle() const {
    if (!rigid || failed.empty()) return {};
    std::string text;
    constexpr size_t kMostShown = 8;
    for (size_t i = 0; i < std::min(failed.size(), kMostShown); ++i) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", failed[i].xname, failed[i].reason);
    }
    return bad(fmt::format("nothing was changed ({} of {} failed): {}", failed.size(),
                           failed.size() + done.size(), text));
  }
};

void append_failures(std::string& out, const std::vector<Failure>& failures) {
  out += '[';
  for (const Failure& failure : failures) {
    if (out.back() != '[') out += ',';
    out += R"({"ID":)";
    append_quoted(out, failure.xname);
    out += fmt::format(R"(,"Reason":"{}"}})", failure.reason);
  }
  out += ']';
}

std::string counted_text(const Outcomes& outcomes) {
  const size_t total = outcomes.done.size() + outcomes.failed.size();
  std::string out = fmt::format(R"({{"Counts":{{"Total":{},"Success":{},"Failure":{}}},)", total,
                                outcomes.done.size(), outcomes.failed.size());
  out += R"("Success":{"ComponentIDs":[)";
  for (const std::string& xname : outcomes.done) {
    if (out.back() != '[') out += ',';
    append_quoted(out, xname);
  }
  out += R"(]},"Failure":)";
  append_failures(out, outcomes.failed);
  return out + "}";
}

void append_times(std::string& out, const Reservation& reservation) {
  out += R"(,"CreationTime":)";
  append_quoted(out, to_rfc3339(reservation.created));
  if (reservation.expires == WallTime{}) return;
  out += R"(,"ExpirationTime":)";
  append_quoted(out, to_rfc3339(reservation.expires));
}

std::string reserved_text(const Outcomes& outcomes, bool with_key) {
  std::string out = R"({"Success":[)";
  for (const Reservation& reservation : outcomes.reserved) {
    if (out.back() != '[') out += ',';
    out += R"({"ID":)";
    append_quoted(out, reservation.xname);
    out += R"(,"DeputyKey":)";
    append_quoted(out, reservation.deputy_key);
    if (with_key) {
      out += R"(,"ReservationKey":)";
      append_quoted(out, reservation.key);
    }
    append_times(out, reservation);
    out += '}';
  }
  out += R"(],"Failure":)";
  append_failures(out, outcomes.failed);
  return out + "}";
}

/// What a body asks for.
struct Asked {
  std::vector<Lockable> components;
  std::vector<std::pair<std::string, std::string>> keys;  ///< xname and key
  int64_t minutes = 0;
  bool rigid = true;
};

constexpr std::array kFilters{
    "id",        "type",    "state",          "flag",      "enabled", "role",
    "subrole",   "subtype", "arch",           "class",     "nid",     "group",
    "partition", "locked",  "softwarestatus", "nid_start", "nid_end", "reservation_disabled"};

/// The components that xnames and filters name together.
Result<std::vector<Lockable>> components_in(Services& services, const json::value& body,
                                            const std::optional<std::vector<std::string>>& ids) {
  DROVER_TRY(Query query, ComponentFilter::query_of_body(body));
  for (const char* other : {"processingmodel", "reservationduration", "reservationkeys"}) {
    query.erase(other);
  }
  DROVER_TRY(ComponentFilter filter, ComponentFilter::of(query));
  filter.look_at(services.model);
  ComponentRows rows(services.model);
  std::vector<Lockable> out;
  const auto add = [&](const ComponentRow& row) {
    out.push_back({row.id, row.node == nullptr ? "" : row.node->node().name, true, {}});
  };
  if (ids && !ids->empty()) {
    for (const std::string& id : *ids) {
      const auto xname = cluster::parse_xname(id);
      if (!xname) return bad("invalid xname ID");
      const auto row = rows.find(xname->text);
      if (!row) {
        out.push_back({xname->text, {}, false, {}});
      } else if (filter.accepts(*row)) {
        add(*row);
      }
    }
    return out;
  }
  // What is not known is ignored, and must not stand for everything.
  const bool narrows =
      std::ranges::any_of(kFilters, [&](const char* name) { return query.contains(name); });
  if (!narrows) return bad("Missing ComponentIDs");
  for (const ComponentRow& row : rows.all()) {
    if (filter.accepts(row)) add(row);
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> keys_in(const json::value& body,
                                                                 const char* member) {
  const json::value* list = Members(body).find(member);
  const auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr || array->empty()) return bad(fmt::format("Missing {}", member));
  std::vector<std::pair<std::string, std::string>> out;
  for (const json::value& each : *array) {
    Members from(each);
    const auto xname = cluster::parse_xname(from.text("ID").value_or(""));
    auto key = from.text("Key");
    if (!xname) return bad("invalid xname ID");
    if (!key || key->empty()) return bad("Missing Key");
    out.emplace_back(xname->text, *std::move(key));
  }
  return out;
}

struct Needs {
  const char* keys = nullptr;  ///< a list of keys in place of components
  bool minutes = false;
};

/// False: it has been answered.
bool read(Services& services, const RequestPtr& request, const Needs& needs, Asked& out) {
  const auto body = body_of_request(services, request);
  if (!body) return false;
  Members from(*body);
  const auto ids = from.texts("ComponentIDs");
  const auto model = from.text("ProcessingModel");
  const auto minutes = from.number("ReservationDuration");
  if (!from.wrong().empty()) {
    refuse_malformed(services, request, from.wrong());
    return false;
  }
  const auto refuse = [&](std::string text) {
    request->fail({Code::invalid_argument, std::move(text), {}, {}});
    return false;
  };
  const std::string word = lower(model.value_or("rigid"));
  if (word != "rigid" && word != "flexible") return refuse("Invalid Processing Model");
  out.rigid = word == "rigid";
  if (needs.minutes) {
    out.minutes = minutes.value_or(0);
    if (out.minutes < 1 || out.minutes > kMostMinutes) {
      return refuse("Invalid ReservationDuration: expected 1 to 15 minutes");
    }
  }
  if (needs.keys != nullptr) {
    auto keys = keys_in(*body, needs.keys);
    if (!keys) return refuse(keys.error().message);
    out.keys = *std::move(keys);
    return true;
  }
  auto components = components_in(services, *body, ids);
  if (!components) return refuse(components.error().message);
  out.components = *std::move(components);
  return true;
}

/// Whether the caller may change these.
bool may(Services& services, const RequestPtr& request, const Asked& asked) {
  std::vector<std::string> nodes;
  bool beyond = false;
  cluster::XnameIndex index(services.model);
  for (const Lockable& one : asked.components) {
    if (!one.node.empty()) nodes.push_back(one.node);
    beyond = beyond || one.node.empty();
  }
  for (const auto& [xname, key] : asked.keys) {
    const cluster::NodeEntry* entry = index.find(xname);
    if (entry != nullptr) nodes.push_back(entry->node().name);
    beyond = beyond || entry == nullptr;
  }
  const Status allowed = authorize(request, nodes, beyond);
  if (!allowed) request->fail(allowed.error());
  return allowed.has_value();
}

using Work = Callback<Status(LockBook&, Outcomes&)>;

/// Answers with keys, which must not be kept for an Idempotency-Key: so it is no mutate().
void run(Services& services, const RequestPtr& request, bool rigid, Work work,
         std::string (*text)(const Outcomes&)) {
  const auto outcomes = std::make_shared<Outcomes>();
  services.store.write(
      request->author(),
      [outcomes, rigid, work = std::move(work)](store::Transaction& tx) mutable -> Status {
        *outcomes = {};
        outcomes->rigid = rigid;
        LockBook book(tx);
        DROVER_CHECK_OK(work(book, *outcomes));
        return outcomes->settle();
      },
      [request, outcomes, text](const Result<store::Committed>& committed) {
        if (!committed) return request->fail(committed.error());
        request->json(200, text(*outcomes));
      });
}

std::string whole_text(const Outcomes& outcomes) {
  return reserved_text(outcomes, true);
}
std::string deputy_text(const Outcomes& outcomes) {
  return reserved_text(outcomes, false);
}

void act(Services& services, const RequestPtr& request, LockAct what) {
  Asked asked;
  if (!read(services, request, {}, asked) || !may(services, request, asked)) return;
  run(
      services, request, asked.rigid,
      [components = std::move(asked.components), what](LockBook& book, Outcomes& out) -> Status {
        for (const Lockable& one : components) {
          DROVER_TRY(const Reason reason, book.act(one, what));
          out.note(one.xname, reason);
        }
        return {};
      },
      &counted_text);
}

void reserve(Services& services, const RequestPtr& request, bool service) {
  Asked asked;
  if (!read(services, request, {nullptr, service}, asked) || !may(services, request, asked)) return;
  constexpr size_t kKeyBytes = 32;
  for (Lockable& one : asked.components) one.random = services.random.hex(kKeyBytes);
  run(
      services, request, asked.rigid,
      [components = std::move(asked.components), minutes = asked.minutes](LockBook& book,
                                                                          Outcomes& out) -> Status {
        for (const Lockable& one : components) {
          Reservation made;
          DROVER_TRY(const Reason reason, book.reserve(one, minutes, made));
          out.note(one.xname, reason);
          if (reason == nullptr) out.reserved.push_back(std::move(made));
        }
        return {};
      },
      &whole_text);
}

enum class KeyAct : uint8_t { release, renew, check };

void with_keys(Services& services, const RequestPtr& request, KeyAct what) {
  Asked asked;
  const Needs needs{what == KeyAct::check ? "DeputyKeys" : "ReservationKeys",
                    what == KeyAct::renew};
  if (!read(services, request, needs, asked)) return;
  if (what == KeyAct::check) {
    (void)request->authorize_nodes({}, auth::NodeUse::run);  // it changes none
  } else if (!may(services, request, asked)) {
    return;
  }
  run(
      services, request, asked.rigid && what != KeyAct::check,
      [keys = std::move(asked.keys), minutes = asked.minutes, what](LockBook& book,
                                                                    Outcomes& out) -> Status {
        for (const auto& [xname, key] : keys) {
          Reason reason = nullptr;
          if (what == KeyAct::release) {
            DROVER_TRY(reason, book.release(xname, key));
          } else if (what == KeyAct::renew) {
            DROVER_TRY(reason, book.renew(xname, key, minutes));
          } else {
            Reservation found;
            DROVER_TRY(reason, book.check(xname, key, found));
            if (reason == nullptr) out.reserved.push_back(std::move(found));
          }
          out.note(xname, reason);
        }
        return {};
      },
      what == KeyAct::check ? &deputy_text : &counted_text);
}

/// An administrator takes reservations away without their keys.
void remove(Services& services, const RequestPtr& request) {
  Asked asked;
  if (!read(services, request, {}, asked) || !may(services, request, asked)) return;
  run(
      services, request, asked.rigid,
      [components = std::move(asked.components)](LockBook& book, Outcomes& out) -> Status {
        for (const Lockable& one : components) {
          DROVER_TRY(const Reason reason, book.release(one.xname, ""));
          out.note(one.xname, reason);
        }
        return {};
      },
      &counted_text);
}

// --- status ---

void answer_status(Services& services, const RequestPtr& request,
                   std::vector<Lockable> components) {
  const auto text = std::make_shared<std::string>();
  services.store.read(
      [components = std::move(components), text](store::Transaction& tx) -> Status {
        LockBook book(tx);
        std::string found = R"({"Components":[)";
        std::string missing_ones;
        for (const Lockable& one : components) {
          if (!one.known) {
            missing_ones += missing_ones.empty() ? "" : ",";
            append_quoted(missing_ones, one.xname);
            continue;
          }
          DROVER_TRY(const LockBook::State state, book.state(one));
          DROVER_TRY(const auto held, book.reservation(one.xname));
          if (found.back() != '[') found += ',';
          found += R"({"ID":)";
          append_quoted(found, one.xname);
          found += fmt::format(R"(,"Locked":{},"Reserved":{})", state.locked, held.has_value());
          if (held) append_times(found, *held);
          found += fmt::format(R"(,"ReservationDisabled":{}}})", state.disabled);
        }
        *text = found + "]";
        if (!missing_ones.empty()) *text += R"(,"NotFound":[)" + missing_ones + "]";
        *text += '}';
        return {};
      },
      [request, text](const Status& read) {
        if (!read) return request->fail(read.error());
        request->json(200, std::move(*text));
      });
}

void post_status(Services& services, const RequestPtr& request) {
  (void)request->authorize_nodes({}, auth::NodeUse::run);  // it changes none
  Asked asked;
  if (!read(services, request, {}, asked)) return;
  answer_status(services, request, std::move(asked.components));
}

void get_status(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  filter.look_at(services.model);
  std::vector<Lockable> components;
  for (const ComponentRow& row : ComponentRows(services.model).all()) {
    if (!filter.accepts(row)) continue;
    components.push_back({row.id, row.node == nullptr ? "" : row.node->node().name, true, {}});
  }
  answer_status(services, request, std::move(components));
}

template <typename T>
void add_post(Router& router, Services& services, std::string_view path, std::string_view summary,
              Callback<void(Services&, const RequestPtr&)> handler,
              auth::Privilege privilege = auth::Privilege::operate) {
  Route route;
  route.method = "POST";
  route.path = path;
  route.summary = summary;
  route.privilege = privilege;
  route.on_nodes = true;
  route.takes = body_of<LockRequest>();
  route.gives = body_of<T>();
  route.body_limit = kListLimit;
  route.dialect = Dialect::smd;
  route.handler = [&services, handler = std::move(handler)](const RequestPtr& r) mutable {
    handler(services, r);
  };
  router.add(std::move(route));
}

}  // namespace

void add_locks(Router& router, Services& services) {
  const auto acts = [](LockAct what) {
    return [what](Services& s, const RequestPtr& r) { act(s, r, what); };
  };
  const auto keys = [](KeyAct what) {
    return [what](Services& s, const RequestPtr& r) { with_keys(s, r, what); };
  };
  const auto reserves = [](bool service) {
    return [service](Services& s, const RequestPtr& r) { reserve(s, r, service); };
  };
  add_post<LockResult>(router, services, "/hsm/v2/locks/lock", "SMD: lock components.",
                       acts(LockAct::lock));
  add_post<LockResult>(router, services, "/hsm/v2/locks/unlock", "SMD: unlock components.",
                       acts(LockAct::unlock));
  add_post<LockResult>(router, services, "/hsm/v2/locks/disable",
                       "SMD: let components be reserved by nobody.", acts(LockAct::disable));
  add_post<LockResult>(router, services, "/hsm/v2/locks/repair",
                       "SMD: let components be reserved again.", acts(LockAct::repair));
  add_post<ReservationResult>(router, services, "/hsm/v2/locks/reservations",
                              "SMD: reserve locked components until they are released.",
                              reserves(false));
  add_post<LockResult>(router, services, "/hsm/v2/locks/reservations/release",
                       "SMD: release reservations by their keys.", keys(KeyAct::release));
  add_post<LockResult>(router, services, "/hsm/v2/locks/reservations/remove",
                       "SMD: take reservations away.", &remove);
  add_post<ReservationResult>(router, services, "/hsm/v2/locks/service/reservations",
                              "SMD: reserve components that are not locked, for 1 to 15 minutes.",
                              reserves(true));
  add_post<LockResult>(router, services, "/hsm/v2/locks/service/reservations/release",
                       "SMD: release a service's reservations.", keys(KeyAct::release));
  add_post<LockResult>(router, services, "/hsm/v2/locks/service/reservations/renew",
                       "SMD: keep a service's reservations for longer.", keys(KeyAct::renew));
  add_post<ReservationResult>(router, services, "/hsm/v2/locks/service/reservations/check",
                              "SMD: whether deputy keys are in force.", keys(KeyAct::check),
                              auth::Privilege::view);
  add_post<LockStatusList>(router, services, "/hsm/v2/locks/status",
                           "SMD: locks and reservations of components.", &post_status,
                           auth::Privilege::view);
  router.add({.method = "GET",
              .path = "/hsm/v2/locks/status",
              .privilege = auth::Privilege::view,
              .summary = "SMD: locks and reservations; takes the filters of components.",
              .query = {{.name = "type", .doc = "Only these types."},
                        {.name = "locked", .doc = "Only what is locked, or is not."}},
              .gives = body_of<LockStatusList>(),
              .errors = {Code::invalid_argument},
              .handler = [&services](const RequestPtr& r) { get_status(services, r); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::smd
