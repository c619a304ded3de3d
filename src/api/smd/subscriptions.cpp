#include "api/smd/subscriptions.hpp"

#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "api/webhooks.hpp"
#include "api/whole_number.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/bmc/smd_state.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ScnSubscription;
using Texts = std::vector<std::string>;

constexpr std::string_view kAll = "/hsm/v2/Subscriptions/SCN";
constexpr size_t kMostSubscriptions = 256;
constexpr size_t kMostText = 1024;

struct SubscriptionForm {
  static constexpr std::string_view kTypeName = "SmdSubscription";
  std::optional<uint64_t> id;
  std::optional<std::string> op, subscriber, url;
  std::optional<bool> enabled;
  std::optional<Texts> roles, sub_roles, software_status, states;
  void describe(Visitor& v) {
    constexpr auto kMay = Presence::patch;
    v.field("ID", id, "Its number.", kMay);
    v.field("Op", op, "Of PATCH: add, remove or replace.", kMay);
    v.field("Subscriber", subscriber, "Who is told.", kMay);
    v.field("Enabled", enabled, "Whether of enabling and disabling.", kMay);
    v.field("Roles", roles, "Of these roles.", kMay);
    v.field("SubRoles", sub_roles, "Of these finer roles.", kMay);
    v.field("SoftwareStatus", software_status, "Of these software states.", kMay);
    v.field("States", states, "Of these states.", kMay);
    v.field("Url", url, "Where notifications are posted: http:// or https://.", kMay);
  }
};
struct SubscriptionList {
  static constexpr std::string_view kTypeName = "SmdSubscriptions";
  std::vector<SubscriptionForm> subscriptions;
  void describe(Visitor& v) { v.field("SubscriptionList", subscriptions, "The subscriptions."); }
};

struct ListMember {
  std::string_view name;
  Texts ScnSubscription::* list;
};
constexpr std::array kLists{ListMember{"Roles", &ScnSubscription::roles},
                            ListMember{"SubRoles", &ScnSubscription::sub_roles},
                            ListMember{"SoftwareStatus", &ScnSubscription::software_status},
                            ListMember{"States", &ScnSubscription::states}};

void append_json(std::string& out, const ScnSubscription& one) {
  out += fmt::format(R"({{"ID":{},"Subscriber":)", one.id);
  append_quoted(out, one.subscriber);
  if (one.enabled) out += R"(,"Enabled":true)";
  for (const ListMember& member : kLists) {
    const Texts& list = one.*member.list;
    if (list.empty()) continue;
    out += fmt::format(",\"{}\":[", member.name);
    for (const std::string& text : list) {
      if (out.back() != '[') out += ',';
      append_quoted(out, text);
    }
    out += ']';
  }
  out += R"(,"Url":)";
  append_quoted(out, one.url);
  out += '}';
}

/// A list's texts as SMD writes them.
Result<Texts> words_of(const ListMember& member, const Texts& given) {
  Texts out;
  for (const std::string& text : given) {
    std::optional<std::string_view> word = std::string_view(text);
    if (member.name == "Roles") word = word_of(roles(), text);
    if (member.name == "SubRoles") word = word_of(sub_roles(), text);
    if (member.name == "States") word = word_of(enum_names(cluster::SmdState{}), text);
    const bool fits =
        word && !word->empty() && word->size() <= kMostText && printable(*word) == *word;
    if (!fits) {
      return bad(fmt::format("{}: '{}' is not valid", member.name,
                             printable(std::string_view(text).substr(0, 80))));
    }
    if (std::ranges::find(out, *word) == out.end()) out.emplace_back(*word);
  }
  return out;
}

/// All of a subscription; what is not said is empty.
Result<ScnSubscription> read(Members& from) {
  ScnSubscription out;
  out.subscriber = from.text("Subscriber").value_or("");
  out.url = from.text("Url").value_or("");
  out.enabled = from.truth("Enabled").value_or(false);
  for (const ListMember& member : kLists) {
    const auto given = from.texts(member.name);
    if (!given) continue;
    DROVER_TRY(out.*member.list, words_of(member, *given));
  }
  if (!from.wrong().empty()) return bad(from.wrong());
  const bool named = !out.subscriber.empty() && out.subscriber.size() <= kMostText &&
                     printable(out.subscriber) == out.subscriber;
  if (!named) return bad("Missing required field 'Subscriber'");
  if (out.url.empty() || out.url.size() > kMostText) return bad("Missing required field 'Url'");
  if (const auto fits = parse_webhook_url(out.url); !fits) {
    return bad(fmt::format("Url: {}", fits.error().message));
  }
  const bool empty = !out.enabled && std::ranges::all_of(kLists, [&](const ListMember& member) {
    return (out.*member.list).empty();
  });
  if (empty)
    return bad("Nothing to be told of: Enabled, Roles, SubRoles, SoftwareStatus or States");
  return out;
}

const ScnSubscription* find(const Services& services, const RequestPtr& request) {
  const auto& all = services.model.hardware().subscriptions();
  const auto found = all.find(request->path("id"));
  return found == all.end() ? nullptr : &found->second;
}

Error no_such() {
  return missing("no such subscription");
}

void list(Services& services, const RequestPtr& request) {
  std::string out = R"({"SubscriptionList":[)";
  for (const auto& [id, one] : services.model.hardware().subscriptions()) {
    if (out.back() != '[') out += ',';
    append_json(out, one);
  }
  request->json(200, out + "]}");
}

void show(Services& services, const RequestPtr& request) {
  const ScnSubscription* one = find(services, request);
  if (one == nullptr) return request->fail(no_such());
  std::string out;
  append_json(out, *one);
  request->json(200, std::move(out));
}

/// One subscriber has each URL once.
Status check_apart(store::Transaction& tx, const ScnSubscription& wanted) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(cluster::kSubscriptionKind)}));
  if (objects.size() >= kMostSubscriptions && wanted.id == 0) {
    return fail(Code::conflict, "there are too many subscriptions");
  }
  for (const store::Object& object : objects) {
    DROVER_TRY(const auto other, decode_text<ScnSubscription>(object.body, Unknown::ignore));
    const bool same = other.url == wanted.url && other.subscriber == wanted.subscriber;
    if (!same || other.id == wanted.id) continue;
    return fail(
        Code::conflict,
        fmt::format("operation would conflict with the existing subscription {}", other.id));
  }
  return {};
}

void post(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  DROVER_OR_FAIL(request, const ScnSubscription given, read(from));
  mutate(services, request, [given](store::Transaction& tx) -> Result<Reply> {
    ScnSubscription made = given;
    DROVER_CHECK_OK(check_apart(tx, made));
    DROVER_TRY(made.id, tx.next_number("scn-subscription"));
    DROVER_CHECK_OK(tx.put(cluster::kSubscriptionKind, std::to_string(made.id), encode(made)));
    std::string out;
    append_json(out, made);
    return Reply{200, out, ""};
  });
}

void put(Services& services, const RequestPtr& request) {
  const ScnSubscription* known = find(services, request);
  if (known == nullptr) return request->fail(no_such());
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  DROVER_OR_FAIL(request, ScnSubscription given, read(from));
  given.id = known->id;
  mutate(services, request, [given](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(check_apart(tx, given));
    DROVER_CHECK_OK(tx.put(cluster::kSubscriptionKind, std::to_string(given.id), encode(given)));
    return Reply{204, "", ""};
  });
}

void patch(Services& services, const RequestPtr& request) {
  const ScnSubscription* known = find(services, request);
  if (known == nullptr) return request->fail(no_such());
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const std::string op = lower(from.text("Op").value_or(""));
  if (op != "add" && op != "remove" && op != "replace") {
    return request->fail({Code::invalid_argument, "Op: expected add, remove or replace", {}, {}});
  }
  ScnSubscription changed = *known;
  if (const auto enabled = from.truth("Enabled")) {
    changed.enabled = op == "remove" ? changed.enabled && !*enabled : *enabled;
  }
  for (const ListMember& member : kLists) {
    const auto given = from.texts(member.name);
    if (!given) continue;
    DROVER_OR_FAIL(request, const Texts words, words_of(member, *given));
    Texts& list = changed.*member.list;
    if (op == "replace") list = words;
    for (const std::string& word : words) {
      if (op == "remove") std::erase(list, word);
      if (op == "add" && std::ranges::find(list, word) == list.end()) list.push_back(word);
    }
  }
  if (!from.wrong().empty()) return refuse_malformed(services, request, from.wrong());
  mutate(services, request, [changed](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(
        tx.put(cluster::kSubscriptionKind, std::to_string(changed.id), encode(changed)));
    return Reply{204, "", ""};
  });
}

void remove(Services& services, const RequestPtr& request, bool all) {
  Texts keys;
  for (const auto& [key, one] : services.model.hardware().subscriptions()) {
    if (all || key == request->path("id")) keys.push_back(key);
  }
  if (keys.empty()) return request->fail(all ? missing("no entries to delete") : no_such());
  mutate(services, request, [keys](store::Transaction& tx) -> Result<Reply> {
    for (const std::string& key : keys) {
      DROVER_CHECK_OK(tx.erase(cluster::kSubscriptionKind, key));
    }
    return Reply{200, deleted_text(keys.size()), ""};
  });
}

}  // namespace

/// The master calls where a subscription says, so only administrators make them.
void add_subscriptions(Router& router, Services& services) {
  const std::string_view one = "/hsm/v2/Subscriptions/SCN/{id}";
  const auto route = [&](std::string_view method, std::string_view path, std::string_view summary,
                         Handler handler) {
    Route out;
    out.method = method;
    out.path = path;
    out.summary = summary;
    out.privilege = method == "GET" ? auth::Privilege::view : auth::Privilege::administer;
    out.dialect = Dialect::smd;
    out.handler = std::move(handler);
    return out;
  };
  Route all = route("GET", kAll, "SMD: who is told of changes of components.",
                    [&services](const RequestPtr& r) { list(services, r); });
  all.gives = body_of<SubscriptionList>();
  router.add(std::move(all));
  Route made = route("POST", kAll, "SMD: be told of changes of components.",
                     [&services](const RequestPtr& r) { post(services, r); });
  made.takes = made.gives = body_of<SubscriptionForm>();
  made.errors = {Code::conflict};
  router.add(std::move(made));
  Route item = route("GET", one, "SMD: one subscription.",
                     [&services](const RequestPtr& r) { show(services, r); });
  item.gives = body_of<SubscriptionForm>();
  item.errors = {Code::not_found};
  router.add(std::move(item));
  Route replaced = route("PUT", one, "SMD: replace a subscription.",
                         [&services](const RequestPtr& r) { put(services, r); });
  replaced.takes = body_of<SubscriptionForm>();
  replaced.errors = {Code::not_found, Code::conflict};
  router.add(std::move(replaced));
  Route changed = route("PATCH", one, "SMD: add to a subscription, or take from it.",
                        [&services](const RequestPtr& r) { patch(services, r); });
  changed.takes = body_of<SubscriptionForm>();
  changed.errors = {Code::not_found};
  router.add(std::move(changed));
  for (const bool every : {false, true}) {
    Route gone = route("DELETE", every ? kAll : one,
                       every ? "SMD: remove all subscriptions." : "SMD: remove a subscription.",
                       [&services, every](const RequestPtr& r) { remove(services, r, every); });
    gone.gives = body_of<Outcome>();
    gone.errors = {Code::not_found};
    router.add(std::move(gone));
  }
}

}  // namespace drover::api::smd
