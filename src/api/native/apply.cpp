// POST /apply: a declarative document, planned or carried out as a whole. GET /export: its inverse.
#include "cluster/declare/apply.hpp"

#include "api/apply_view.hpp"
#include "api/native/changing.hpp"
#include "api/native/native.hpp"
#include "api/native/node_changes.hpp"
#include "api/node_selection.hpp"
#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cluster/declare/export.hpp"
#include "cluster/declare/object_form.hpp"
#include "cluster/field_rules.hpp"

#include <set>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// A document of 20,000 nodes written one by one.
constexpr size_t kDocumentLimit = size_t{8} << 20;
/// Planning is quick; the disk may be slow.
constexpr Duration kApplyTime = std::chrono::minutes(2);
constexpr size_t kMostProblems = 100;
constexpr size_t kMostAuthors = 20;

bool flag(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  return text && *text == "true";
}

Result<cluster::Document> read_part(const std::string& text, std::string_view what,
                                    std::vector<cluster::Mistake>& problems) {
  auto value = parse_json(text);
  if (!value) return fail_in(what, value.error());
  return cluster::read_document(*value, problems);
}

/// One request on its way: read and planned on the store's worker, then explained, then written.
class ApplyJob final : public std::enable_shared_from_this<ApplyJob> {
 public:
  ApplyJob(Services& services, RequestPtr request, ApplyBody body)
      : services_(services), request_(std::move(request)), body_(std::move(body)) {}

  void start() {
    dry_run_ = flag(*request_, "dry_run");
    apply_.options = {flag(*request_, "prune"), flag(*request_, "force")};
    if (const auto name = request_->query("name"); name && !name->empty()) apply_.name = *name;
    if (const Status good = cluster::check_set_name("name", apply_.name); !good) {
      return request_->fail(good.error());
    }
    request_->allow(kApplyTime);
    const auto self = shared_from_this();
    if (!dry_run_) return write();
    services_.store.read([self](store::Transaction& tx) { return self->plan(tx); },
                         [self](const Status& done) {
                           if (!done) return self->request_->fail(done.error());
                           self->planned();
                         });
  }

 private:
  /// On the store's worker.
  Status plan(store::Transaction& tx) {
    std::vector<cluster::Mistake> problems;
    DROVER_TRY(apply_.document, read_part(body_.document.text, "document", problems));
    if (problems.empty() && body_.base.text != "null") {
      std::vector<cluster::Mistake> of_base;
      DROVER_TRY(apply_.base, read_part(body_.base.text, "base", of_base));
      if (!of_base.empty()) {
        return drover::fail(
            Code::invalid_argument,
            fmt::format("base: {}: {}", of_base.front().pointer, of_base.front().message));
      }
    }
    if (!problems.empty()) {
      for (auto& each : problems) {
        view_.problems.push_back({std::move(each.pointer), std::move(each.message)});
      }
      return {};
    }
    DROVER_TRY(cluster::Prepared prepared, cluster::prepare(tx, apply_));
    view_ = view_of(prepared.plan);
    view_.remembers = prepared.remembers;
    for (const auto& each : prepared.plan.conflicts) disputed_.push_back(each);
    for (const auto& each : prepared.plan.kept) disputed_.push_back(each);
    for (const auto& each : prepared.plan.objects) {
      const bool removed = each.action == cluster::PlanAction::remove;
      if (removed && each.object.section == cluster::Section::nodes) {
        removed_.push_back(each.object.name);
      }
    }
    prepared_ = std::move(prepared);
    return {};
  }

  static bool is_up(const cluster::NodeEntry& entry) {
    return entry.confirmed && entry.node().phase.state == cluster::PhaseState::up;
  }

  /// Nodes whose agents are up are not cut off in passing.
  void note_up(const std::string& name) {
    if (apply_.options.force) return;
    view_.problems.push_back(
        {"/nodes/" + pointer_token(name),
         fmt::format("node {} is up; removed, its agent is cut off and must join again: say so "
                     "with --force",
                     name)});
  }

  void planned() {
    if (dry_run_) {
      for (const std::string& name : removed_) {
        const cluster::NodeEntry* entry = services_.model.find(name);
        if (entry != nullptr && is_up(*entry)) note_up(name);
      }
    }
    if (view_.problems.size() > kMostProblems) {
      const size_t more = view_.problems.size() - kMostProblems;
      view_.problems.resize(kMostProblems);
      view_.problems.push_back({"", fmt::format("and {} more", more)});
    }
    find_author(0);
  }

  /// Asks the change log who last changed the n-th disputed field, then the next one.
  void find_author(size_t index) {
    if (index >= disputed_.size() || index >= kMostAuthors) return explained();
    read_changes(index, {});
  }

  void read_changes(size_t index, std::optional<uint64_t> since) {
    const cluster::Disputed& disputed = disputed_[index];
    store::ChangeQuery query;
    query.since = since;
    query.kind = kind_of(disputed.object.section);
    query.key = disputed.object.name;
    const auto self = shared_from_this();
    services_.store.changes(query, [self, index, since](const Result<store::ChangePage>& page) {
      // Who it was is a courtesy: without the log the dispute stands.
      if (!page) return self->find_author(index + 1);
      for (const store::Change& change : page->changes) self->look_at(index, change);
      const bool end = page->changes.empty() || page->scanned_to >= self->services_.store.head() ||
                       (since && page->scanned_to <= *since);
      if (end) return self->find_author(index + 1);
      self->read_changes(index, page->scanned_to);
    });
  }

  void look_at(size_t index, const store::Change& change) {
    const cluster::Disputed& disputed = disputed_[index];
    const auto field_in = [&](const std::optional<std::string>& body) -> std::string {
      if (!body) return {};
      const auto value = parse_json(*body);
      if (!value) return {};
      const auto set = disputed.object.section == cluster::Section::nodes
                           ? cluster::fields_of_node(*value)
                           : cluster::fields_of_object(disputed.object.section, *value);
      const auto it = set.fields.find(disputed.difference.field);
      return it == set.fields.end() ? std::string() : it->second;
    };
    if (field_in(change.before) == field_in(change.after)) return;
    const size_t conflicts = view_.conflicts.size();
    ApplyDispute& dispute =
        index < conflicts ? view_.conflicts[index] : view_.kept[index - conflicts];
    dispute.who = change.actor;
    dispute.when = from_unix_ms(change.time_ms);
    dispute.why = change.why;
  }

  void explained() {
    view_.conflicts = fold_disputes(std::move(view_.conflicts));
    view_.kept = fold_disputes(std::move(view_.kept));
    if (dry_run_ || view_.applied) return answer();
    if (!view_.problems.empty()) return refuse_problems();
    if (!view_.conflicts.empty()) return refuse_conflicts();
    answer();
  }

  /// Plans and writes in one mutation, so that nobody comes between.
  void write() {
    // Ids count up from a random number.
    constexpr size_t kHalf = 8;
    auto count = std::make_shared<uint64_t>(0);
    services_.random.fill({reinterpret_cast<unsigned char*>(count.get()), kHalf});
    cluster::FreshIds ids = [head = services_.random.hex(kHalf), count] {
      return fmt::format("{}{:016x}", head, (*count)++);
    };
    // What the loop knows of agents, for the worker.
    std::set<std::string> up;
    for (const auto& [name, entry] : services_.model.nodes()) {
      if (is_up(entry)) up.insert(name);
    }
    const auto self = shared_from_this();
    services_.store.write(
        request_->actor(),
        [self, ids = std::move(ids), up = std::move(up)](store::Transaction& tx) mutable -> Status {
          self->forget();
          DROVER_CHECK_OK(self->plan(tx));
          for (const std::string& name : self->removed_) {
            if (up.contains(name)) self->note_up(name);
          }
          const bool refused = !self->view_.problems.empty() || !self->view_.conflicts.empty();
          const bool nothing = self->view_.changes.empty() && !self->view_.remembers;
          if (refused || nothing) return {};
          cluster::RemoveNode remove = [](store::Transaction& in, cluster::DefinitionWriter& writer,
                                          const std::string& name) {
            return remove_node(in, writer, name, false, true);
          };
          DROVER_CHECK_OK(cluster::carry_out(tx, self->apply_, self->prepared_, std::move(ids),
                                             remove, self->body_.why));
          self->view_.applied = true;
          return {};
        },
        [self](const Result<store::Committed>& done) {
          if (!done) return self->request_->fail(done.error());
          self->view_.first = done->first;
          self->view_.last = done->last;
          self->planned();
        });
  }

  /// A mutation may be tried again.
  void forget() {
    view_ = {};
    disputed_.clear();
    removed_.clear();
  }

  void answer() { request_->json(200, encode(view_)); }

  void refuse_problems() {
    std::string text = fmt::format("the document breaks {} {}", view_.problems.size(),
                                   view_.problems.size() == 1 ? "rule" : "rules");
    for (const ApplyProblem& each : view_.problems) {
      text += fmt::format("\n{}: {}", each.pointer, each.message);
    }
    request_->fail({Code::invalid_argument, text, "", "drover apply --dry-run shows all of them"});
  }

  void refuse_conflicts() {
    std::string text = fmt::format("{} {} changed by others too", view_.conflicts.size(),
                                   view_.conflicts.size() == 1 ? "field was" : "fields were");
    for (const ApplyDispute& each : view_.conflicts) {
      text += "\n" + dispute_text(each, apply_.base.has_value());
    }
    request_->fail(
        {Code::conflict, text, "", "take their value into the document, or apply with --force"});
  }

  Services& services_;
  RequestPtr request_;
  ApplyBody body_;
  bool dry_run_ = false;
  cluster::ApplyRequest apply_;
  cluster::Prepared prepared_;
  ApplyPlan view_;
  std::vector<cluster::Disputed> disputed_;  ///< conflicts, then kept
  std::vector<std::string> removed_;         ///< nodes
};

void apply(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ApplyBody body, change_body<ApplyBody>(request));
  std::make_shared<ApplyJob>(services, request, std::move(body))->start();
}

/// What a GET /export asks for.
struct ExportChoice {
  std::optional<std::set<std::string>> nodes;
  std::optional<std::set<cluster::Section>> sections;
  std::string name;

  [[nodiscard]] bool takes(const cluster::ObjectName& object) const {
    if (sections && !sections->contains(object.section)) return false;
    if (!name.empty() && object.name != name) return false;
    return !nodes || object.section != cluster::Section::nodes || nodes->contains(object.name);
  }
};

Result<ExportChoice> export_choice(Services& services, const Request& request) {
  ExportChoice out;
  if (const auto range = request.query("nodes")) {
    DROVER_TRY(const auto names, evaluate(*range, cluster::ModelNames(services.model)));
    out.nodes.emplace(names.begin(), names.end());
  }
  if (const auto text = request.query("sections")) {
    out.sections.emplace();
    std::string_view rest = *text;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const auto section = enum_from_name<cluster::Section>(rest.substr(0, comma));
      if (!section) {
        return fail(
            Code::invalid_argument,
            fmt::format(
                "sections: '{}' is not valid: expected settings, networks, profiles, groups "
                "or nodes, joined by commas",
                rest.substr(0, comma)));
      }
      out.sections->insert(*section);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  if (const auto name = request.query("name")) out.name = *name;
  return out;
}

tl::unexpected<Error> nothing_called(const ExportChoice& choice) {
  if (!choice.sections || choice.sections->size() != 1) {
    return fail(Code::not_found, fmt::format("there is nothing called '{}'", choice.name));
  }
  const std::string_view kind = cluster::kind_of(*choice.sections->begin());
  return fail(Code::not_found, fmt::format("there is no {} '{}'", kind, choice.name),
              fmt::format("drover {} list shows all of them", kind));
}

void export_cluster(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ExportChoice choice, export_choice(services, *request));
  const auto text = std::make_shared<std::string>();
  services.store.read(
      [choice = std::move(choice), text](store::Transaction& tx) -> Status {
        DROVER_TRY(auto objects,
                   cluster::read_brief(tx, [&choice](const cluster::ObjectName& object) {
                     return choice.takes(object);
                   }));
        if (objects.empty() && !choice.name.empty()) return nothing_called(choice);
        *text = cluster::export_document(std::move(objects));
        return {};
      },
      [request, text](const Status& done) {
        if (!done) return request->fail(done.error());
        request->json(200, *text);
      });
}

/// Any document; its form is in docs/declarative.md.
struct ClusterDocument {
  static constexpr std::string_view kTypeName = "ClusterDocument";
  std::string kind{cluster::kDocumentKind};
  int64_t version = cluster::kDocumentVersion;
  RawJson settings;
  RawJson networks;
  RawJson profiles;
  RawJson groups;
  RawJson nodes;
  RawJson cloud_init;
  RawJson steps;
  RawJson overlays;
  void describe(Visitor& v) {
    v.field("kind", kind, "drover-cluster.");
    v.field("version", version, "1.");
    v.field("settings", settings, "Values by key.", Presence::optional);
    v.field("networks", networks, "Networks by name.", Presence::optional);
    v.field("profiles", profiles, "Profiles by name.", Presence::optional);
    v.field("groups", groups, "Groups by name.", Presence::optional);
    v.field("nodes", nodes, "Nodes by name or bracket range.", Presence::optional);
    v.field("cloud-init", cloud_init, "What cloud-init is told, by owner: group/rack1.",
            Presence::optional);
    v.field("steps", steps, "What nodes do before they are up, by owner.", Presence::optional);
    v.field("overlays", overlays, "Files of nodes, by owner.", Presence::optional);
  }
};

}  // namespace

void add_apply(Router& router, Services& services) {
  const std::vector<std::string_view> truth{"true", "false"};
  router.add(
      {.method = "POST",
       .path = "/api/v1/apply",
       .privilege = auth::Privilege::administer,
       .summary = "Make the cluster what a document says, all of it or nothing.",
       .query = {{.name = "dry_run", .doc = "true: only the plan.", .choices = truth},
                 {.name = "prune",
                  .doc = "true: remove what was applied before and is no longer in the document.",
                  .choices = truth},
                 {.name = "force",
                  .doc = "true: the document wins over what others changed.",
                  .choices = truth},
                 {.name = "name",
                  .doc = "The name under which the document is remembered [cluster]."}},
       .takes = body_of<ApplyBody>(),
       .gives = body_of<ApplyPlan>(),
       .errors = {Code::conflict},
       .body_limit = kDocumentLimit,
       .takes_key = false,
       .handler = [&services](const RequestPtr& r) { apply(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/export",
              .privilege = auth::Privilege::view,
              .summary = "The cluster as a document that can be applied.",
              .query = {{"nodes", "Noderange of the nodes to export; absent: all."},
                        {"sections", "Sections to export, joined by commas; absent: all."},
                        {"name", "Only the objects of this name."}},
              .gives = body_of<ClusterDocument>(),
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { export_cluster(services, r); }});
}

}  // namespace drover::api
