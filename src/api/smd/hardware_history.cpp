// SMD's /Inventory/Hardware/History and HardwareByFRU/History: read out of the change log, as far
// back as that is kept. Nobody erases it.
#include "api/smd/alternatives.hpp"
#include "api/smd/hardware.hpp"
#include "api/smd/hardware_forms.hpp"
#include "api/smd/hardware_replay.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/member_writer.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/words.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

/// Changes of one step: a look through a large machine has some 100 KiB, and is read on the
/// executor.
constexpr size_t kStep = 32;

/// Changes of hardware, all or those of one unit.
class HardwareChanges final : public store::ChangeFilter {
 public:
  [[nodiscard]] bool accepts(const store::Change& change) const override {
    const auto kind = std::ranges::find(kHardwareHistoryKinds, change.kind);
    if (kind == kHardwareHistoryKinds.end() || change.time_ms < from_ms) return false;
    if (unit.empty()) return true;
    if (change.kind != cluster::kPartKind) {
      return change.key == unit || bmc_of_place(change.key) == unit;
    }
    return nodes.contains(change.key.substr(0, change.key.find('/')));
  }
  int64_t from_ms = std::numeric_limits<int64_t>::min();
  std::string unit;             ///< empty: all
  std::set<std::string> nodes;  ///< names of the unit's nodes
};

/// What is wanted of the events.
struct HistoryFilter {
  Alternatives ids, frus, types;
  std::optional<WallTime> from, until;

  static Result<HistoryFilter> of(const Query& query) {
    HistoryFilter out;
    DROVER_CHECK_OK(out.ids.take(query, "id", as_xname, "Invalid xname"));
    DROVER_CHECK_OK(out.frus.take(query, "fruid", as_any));
    const auto type = [](std::string_view text) -> std::optional<std::string> {
      const auto word = word_of(enum_names(HardwareEventType{}), text);
      return word ? std::optional(std::string(*word)) : std::nullopt;
    };
    DROVER_CHECK_OK(out.types.take(query, "eventtype", type, "Invalid HWInvHist event type"));
    for (const auto& [key, into] : {std::pair{"starttime", &out.from}, {"endtime", &out.until}}) {
      const auto found = query.find(key);
      if (found == query.end()) continue;
      *into = from_rfc3339(found->second.front());
      if (!*into) return bad(fmt::format("bad query param: {} is no time (RFC 3339)", key));
    }
    return out;
  }
  [[nodiscard]] bool accepts(const HardwareEvent& event) const {
    const WallTime time = from_unix_ms(event.time_ms);
    if ((from && time < *from) || (until && time > *until)) return false;
    return ids.fits(event.id) && frus.fits(event.fru_id) && types.fits(enum_name(event.type));
  }
};

/// One walk back through the log, over as many reads of it as it takes.
class HistoryWalk : public std::enable_shared_from_this<HistoryWalk> {
 public:
  using Done = Callback<void(std::vector<HardwareEvent>)>;
  HistoryWalk(Services& services, RequestPtr request, const cluster::KnownHardwareMap& said,
              Done done)
      : services_(services),
        request_(std::move(request)),
        done_(std::move(done)),
        replay_(services.model, said) {}

  void start(const std::optional<WallTime>& from, const std::string& xname) {
    auto filter = std::make_shared<HardwareChanges>();
    if (from) filter->from_ms = query_.oldest_ms = to_unix_ms(*from);
    if (!xname.empty()) {
      filter->unit = replay_.unit_of(cluster::kKnownHardwareKind, xname);
      filter->nodes = replay_.nodes_of(filter->unit);
    }
    query_.filter = std::move(filter);
    query_.newest_first = true;
    query_.before = services_.store.head() + 1;
    query_.limit = kStep;
    feed_ = services_.store.subscribe([this](std::span<const store::Change> changes) {
      for (const store::Change& change : changes) replay_.came(change);
    });
    read_on();
  }

 private:
  void read_on() {
    services_.store.changes(query_,
                            [self = shared_from_this()](const Result<store::ChangePage>& page) {
                              if (!page) return self->request_->fail(page.error());
                              for (const store::Change& change : page->changes)
                                self->replay_.undo(change);
                              self->query_.before = page->scanned_to;
                              if (page->more) return self->read_on();
                              self->done_(self->replay_.finish());
                            });
  }

  Services& services_;
  RequestPtr request_;
  Done done_;
  HardwareReplay replay_;
  store::ChangeQuery query_;
  store::Subscription feed_;
};

void append_event(std::string& out, const HardwareEvent& event) {
  MemberWriter(out)
      .text("ID", event.id)
      .text("FRUID", event.fru_id)
      .time("Timestamp", from_unix_ms(event.time_ms))
      .text("EventType", enum_name(event.type))
      .close();
}

using Member = std::string HardwareEvent::*;

/// {"ID":..,"History":[..]} of those that `wanted` accepts.
std::string history_json(std::string_view id, const std::vector<const HardwareEvent*>& events) {
  std::string out;
  MemberWriter writer(out);
  writer.text("ID", id).begin("History");
  out += '[';
  for (const HardwareEvent* event : events) {
    if (out.back() != '[') out += ',';
    append_event(out, *event);
  }
  out += ']';
  writer.close();
  return out;
}

/// All, by place or by piece.
void list(Services& services, const RequestPtr& request, Member by,
          const cluster::KnownHardwareMap& said) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, HistoryFilter filter, HistoryFilter::of(query));
  const auto from = filter.from;
  const auto& ids = filter.ids.words();
  const std::string place = ids.size() == 1 && !ids.front().negated ? ids.front().text : "";
  auto walk = std::make_shared<HistoryWalk>(
      services, request, said,
      [request, by, filter = std::move(filter)](const std::vector<HardwareEvent>& events) {
        std::map<std::string_view, std::vector<const HardwareEvent*>, NaturalLess> sorted;
        for (const HardwareEvent& event : events) {
          if (filter.accepts(event)) sorted[event.*by].push_back(&event);
        }
        std::string out = R"({"Components":[)";
        for (const auto& [id, of_it] : sorted) {
          if (out.back() != '[') out += ',';
          out += history_json(id, of_it);
        }
        request->json(200, out + "]}");
      });
  walk->start(from, place);
}

/// Of one place or one piece.
void show(Services& services, const RequestPtr& request, Member by,
          const cluster::KnownHardwareMap& said) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, HistoryFilter filter, HistoryFilter::of(query));
  const bool by_place = by == &HardwareEvent::id;
  std::string wanted = request->path(by_place ? "xname" : "fruid");
  const auto xname = cluster::parse_xname(wanted);
  if (by_place && !xname) return request->fail(bad("Invalid xname").value());
  if (by_place) wanted = xname->text;
  const auto from = filter.from;
  auto walk = std::make_shared<HistoryWalk>(
      services, request, said,
      [request, by, wanted, filter = std::move(filter)](const std::vector<HardwareEvent>& events) {
        std::vector<const HardwareEvent*> of_it;
        for (const HardwareEvent& event : events) {
          if (event.*by == wanted && filter.accepts(event)) of_it.push_back(&event);
        }
        request->json(200, history_json(wanted, of_it));
      });
  walk->start(from, by_place ? wanted : std::string());
}

std::vector<QueryParameter> filters(bool all) {
  std::vector<QueryParameter> out{
      {.name = "eventtype", .doc = "Only Added, Removed or Detected.", .example = "Added"},
      {.name = "starttime", .doc = "Only from this time (RFC 3339)."},
      {.name = "endtime", .doc = "Only up to this time."}};
  if (!all) return out;
  out.push_back({.name = "id", .doc = "Only at these places."});
  out.push_back({.name = "fruid", .doc = "Only of these pieces."});
  return out;
}

}  // namespace

void add_hardware_history(Router& router, Services& services) {
  struct Kind {
    std::string_view all, one, what_all, what_one;
    Member by;
  };
  static const std::array kKinds{
      Kind{"/hsm/v2/Inventory/Hardware/History", "/hsm/v2/Inventory/Hardware/History/{xname}",
           "SMD: what came into places and went, by place.",
           "SMD: what came into one place and went.", &HardwareEvent::id},
      Kind{"/hsm/v2/Inventory/HardwareByFRU/History",
           "/hsm/v2/Inventory/HardwareByFRU/History/{fruid}",
           "SMD: where pieces of hardware were, by piece.", "SMD: where one piece of hardware was.",
           &HardwareEvent::fru_id}};
  for (const Kind& kind : kKinds) {
    const auto with = [&services, by = kind.by](auto act) {
      return [&services, by, act](const RequestPtr& r) {
        with_known_hardware(
            services, r, [&services, r, by, act](const auto& said) { act(services, r, by, said); });
      };
    };
    Route all = smd_route("GET", kind.all, kind.what_all, with(&list));
    all.query = filters(true);
    all.gives = body_of<HardwareHistories>();
    all.errors = {Code::invalid_argument};
    router.add(std::move(all));
    Route one = smd_route("GET", kind.one, kind.what_one, with(&show));
    one.query = filters(false);
    one.gives = body_of<HardwareHistoryForm>();
    one.errors = {Code::invalid_argument};
    router.add(std::move(one));
  }
}

}  // namespace drover::api::smd
