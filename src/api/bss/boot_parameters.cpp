// BSS's /bootparameters: what machines boot, read and changed.
#include "api/bss/bss.hpp"
#include "api/bss/entries.hpp"
#include "api/bss/forms.hpp"
#include "api/smd/manners.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace drover::api::bss {
namespace {

using smd::Members;
using smd::Query;

constexpr std::string_view kPath = "/boot/v1/bootparameters";
constexpr std::string_view kTokenHeader = "BSS-Referral-Token";
/// No client of BSS's names more machines in one request.
constexpr size_t kMostKeys = 200'000;

/// What a body says.
struct Asked {
  std::vector<Key> keys;
  std::optional<std::string> params, kernel, initrd;
};

/// Whether something is said in there: clients send the member empty.
bool says_something(const json::value& value) {
  if (const auto* object = value.if_object()) {
    return std::ranges::any_of(*object,
                               [](const auto& member) { return says_something(member.value()); });
  }
  if (const auto* list = value.if_array()) return !list->empty();
  if (const auto* text = value.if_string()) return !text->empty();
  return value.is_number();
}

Status add_nids(const json::value& list, std::vector<Key>& to) {
  if (list.if_array() == nullptr) return smd::bad("Bad Request: nids: expected a list of numbers");
  for (const json::value& each : list.get_array()) {
    const int64_t* const number = each.if_int64();
    if (number == nullptr || *number <= 0) {
      return smd::bad("Bad Request: nids: expected numbers above 0");
    }
    to.push_back({KeyKind::nid, std::to_string(*number)});
  }
  return {};
}

/// Whatever the Content-Type says; malformed ones are 400, as in BSS.
Result<Asked> read_body(const std::string& text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) {
    return smd::bad(fmt::format("Bad Request: {}",
                                value ? "expected an object" : printable(value.error().text())));
  }
  Members members(*value);
  Asked out;
  for (std::string& host : members.texts("hosts").value_or(std::vector<std::string>())) {
    out.keys.push_back({KeyKind::host, std::move(host)});
  }
  for (std::string& mac : members.texts("macs").value_or(std::vector<std::string>())) {
    out.keys.push_back({KeyKind::mac, std::move(mac)});
  }
  if (const json::value* nids = members.find("nids")) DROVER_CHECK_OK(add_nids(*nids, out.keys));
  out.params = members.text("params");
  out.kernel = members.text("kernel");
  out.initrd = members.text("initrd");
  if (!members.wrong().empty()) return smd::bad("Bad Request: " + members.wrong());
  if (out.keys.size() > kMostKeys) return smd::bad("Bad Request: too many hosts, macs and nids");
  const json::value* const cloud_init = members.find("cloud-init");
  if (cloud_init != nullptr && says_something(*cloud_init)) {
    return fail(Code::invalid_argument, "cloud-init: it is not said with boot parameters here",
                "PUT /cloud-init/admin/groups/NAME or /cloud-init/admin/instance-info/ID");
  }
  return out;
}

/// Those of ?name=, ?mac= and ?nid=, repeated or joined by commas.
std::vector<Key> keys_of(const Query& query) {
  std::vector<Key> out;
  for (const auto& [name, kind] :
       {std::pair{"name", KeyKind::host}, {"mac", KeyKind::mac}, {"nid", KeyKind::nid}}) {
    const auto found = query.find(name);
    if (found == query.end()) continue;
    for (std::string_view rest : found->second) {
      while (!rest.empty()) {
        const size_t end = std::min(rest.find(','), rest.size());
        if (end > 0) out.push_back({kind, std::string(rest.substr(0, end))});
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
  }
  return out;
}

/// Each owner once, with the first key that names it.
Result<std::vector<Owner>> owners_of(const Services& services, const std::vector<Key>& keys) {
  Owners owners(services.model);
  std::vector<Owner> out;
  std::set<std::pair<cluster::AttributeSource, std::string>> seen;
  for (const Key& key : keys) {
    DROVER_TRY(Owner owner, owners.of(key));
    if (seen.emplace(owner.source, owner.name).second) out.push_back(std::move(owner));
  }
  return out;
}

std::string_view kind_word(KeyKind kind) {
  return kind == KeyKind::host ? "Hosts" : kind == KeyKind::mac ? "MACs" : "NIDs";
}

void show(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, smd::query_of(*request));
  std::vector<Key> keys = keys_of(query);
  Asked asked;
  if (!request->http().body.empty()) {
    auto body = read_body(request->http().body);
    if (!body && keys.empty()) return request->fail(body.error());
    if (body) asked = *std::move(body);
  }
  keys.insert(keys.end(), asked.keys.begin(), asked.keys.end());
  if (keys.empty() && !asked.kernel && !asked.initrd) {
    const std::vector<Entry> all = all_entries(services.model);
    const bool null = all.empty() && smd::is_strict(services);
    return request->json(200, null ? "null" : entries_text(all));
  }
  std::vector<Entry> found;
  Owners owners(services.model);
  for (const Key& key : keys) {
    if (key.kind == KeyKind::nid) {
      DROVER_OR_FAIL(request, [[maybe_unused]] const Owner number, owners.of(key));
    }
    const auto owner = owners.of(key);
    if (!owner) continue;
    BootWords words = words_of(services.model, *owner);
    if (words.any()) found.push_back({owner->key, std::move(words)});
  }
  if (asked.kernel || asked.initrd) {
    for (Entry& entry : all_entries(services.model)) {
      const bool same = entry.words.kernel == asked.kernel.value_or(entry.words.kernel) &&
                        entry.words.initrd == asked.initrd.value_or(entry.words.initrd);
      if (same) found.push_back(std::move(entry));
    }
  }
  if (!found.empty()) return request->json(200, entries_text(found));
  request->fail(
      smd::missing(fmt::format("Cannot find boot parameters for requested {}",
                               keys.empty() ? "kernel or initrd" : kind_word(keys.front().kind))));
}

/// What one change is about.
struct Change {
  std::vector<Owner> owners;
  Asked asked;
};

Result<Change> change_of(const Services& services, const RequestPtr& request) {
  Change out;
  DROVER_TRY(out.asked, read_body(request->http().body));
  if (out.asked.keys.empty()) {
    return smd::bad("Bad Request: expected hosts, macs or nids: nothing says whose they are");
  }
  DROVER_TRY(out.owners, owners_of(services, out.asked.keys));
  std::vector<std::string> nodes;
  bool beyond = false;
  for (const Owner& owner : out.owners) {
    const bool node = owner.source == cluster::AttributeSource::node;
    if (node) nodes.push_back(owner.name);
    beyond = beyond || !node;
  }
  DROVER_CHECK_OK(smd::authorize(request, nodes, beyond));
  return out;
}

BootWords words_said(const Asked& asked) {
  return {asked.params.value_or(""), asked.kernel.value_or(""), asked.initrd.value_or("")};
}

/// Changes all of them or none, and answers with an empty body, as BSS does.
void write_all(Services& services, const RequestPtr& request, Change change, int status,
               Callback<Result<BootWords>(const BootWords& before, const Owner& owner)> next) {
  services.store.write(
      request->author(),
      [change = std::move(change),
       next = std::move(next)](store::Transaction& tx) mutable -> Status {
        for (const Owner& owner : change.owners) {
          DROVER_TRY(const BootWords before, read_words(tx, owner));
          DROVER_TRY(const BootWords words, next(before, owner));
          DROVER_CHECK_OK(check_boot_words(words));
          if (!(words == before) || !owner.before.empty()) {
            DROVER_CHECK_OK(write_words(tx, owner, words));
          }
        }
        return {};
      },
      [request, status, &services](const Result<store::Committed>& committed) {
        if (!committed) return request->fail(committed.error());
        net::HttpResponse response;
        response.status = status;
        constexpr size_t kTokenBytes = 16;
        const bool refers = request->http().method == "POST" || request->http().method == "PUT";
        if (refers) {
          response.headers.add(std::string(kTokenHeader), services.random.hex(kTokenBytes));
        }
        request->respond(std::move(response));
      });
}

Error no_entry(const Owner& owner) {
  return smd::missing(fmt::format("Not Found: no boot parameters of {}", owner.key.text));
}

void post(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, Change change, change_of(services, request));
  const BootWords words = words_said(change.asked);
  if (!words.any()) return request->fail({Code::invalid_argument, "Bad Request: no data", {}, {}});
  write_all(services, request, std::move(change), 201,
            [words](const BootWords& before, const Owner& owner) -> Result<BootWords> {
              if (!before.any()) return words;
              return smd::bad(
                  fmt::format("Bad Request: there are boot parameters of {}", owner.key.text));
            });
}

void put(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, Change change, change_of(services, request));
  const BootWords words = words_said(change.asked);
  if (!words.any()) return request->fail({Code::invalid_argument, "Bad Request: no data", {}, {}});
  write_all(services, request, std::move(change), 200,
            [words](const BootWords&, const Owner&) -> Result<BootWords> { return words; });
}

void patch(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, Change change, change_of(services, request));
  const Asked asked = change.asked;
  write_all(services, request, std::move(change), 200,
            [asked](const BootWords& before, const Owner& owner) -> Result<BootWords> {
              if (!before.any()) return tl::unexpected<Error>(no_entry(owner));
              // An empty text is what clients send for what they do not say.
              const auto said = [](const std::optional<std::string>& now, const std::string& was) {
                return now && !now->empty() ? *now : was;
              };
              return BootWords{said(asked.params, before.params), said(asked.kernel, before.kernel),
                               said(asked.initrd, before.initrd)};
            });
}

void remove(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, Change change, change_of(services, request));
  write_all(services, request, std::move(change), 200,
            [](const BootWords& before, const Owner& owner) -> Result<BootWords> {
              if (!before.any()) return smd::bad(no_entry(owner).text());
              return BootWords{};
            });
}

}  // namespace

void add_boot_parameters(Router& router, Services& services) {
  const auto of = [&services](std::string_view method, std::string_view summary,
                              void (*handler)(Services&, const RequestPtr&)) {
    Route out;
    out.method = method;
    out.path = kPath;
    out.privilege = method == "GET" ? auth::Privilege::view : auth::Privilege::operate;
    out.summary = summary;
    out.on_nodes = method != "GET";
    out.body_limit = smd::kListLimit;
    out.dialect = Dialect::smd;
    out.handler = [&services, handler](const RequestPtr& request) { handler(services, request); };
    if (method != "GET") out.takes = body_of<BootParameters>();
    if (method != "GET") out.status = method == "POST" ? 201 : 200;
    return out;
  };
  Route get = of("GET", "BSS: what machines boot.", &show);
  get.query = {{.name = "name", .doc = "Only of these hosts."},
               {.name = "mac", .doc = "Only of these MACs."},
               {.name = "nid", .doc = "Only of these numbers."}};
  get.gives = array_of<BootParameters>();
  get.errors = {Code::invalid_argument, Code::not_found};
  router.add(std::move(get));
  router.add(of("POST", "BSS: say what machines boot of which nothing is said.", &post));
  router.add(of("PUT", "BSS: say what machines boot, in place of what was said.", &put));
  Route change = of("PATCH", "BSS: change some of what machines boot.", &patch);
  change.errors = {Code::not_found};
  router.add(std::move(change));
  router.add(of("DELETE", "BSS: take back what machines boot.", &remove));
}

}  // namespace drover::api::bss
