// GET /consoles: all of them. GET /nodes/{name}/console: being at one, as a stream. POST .. /input:
// what is typed there, by the session that the stream began with.
#include "api/native/consoles.hpp"

#include "api/console_source.hpp"
#include "api/console_targets.hpp"
#include "api/console_view.hpp"
#include "api/line_answer.hpp"
#include "api/list_writer.hpp"
#include "api/node_selection.hpp"
#include "base/base64.hpp"

#include <map>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// Who is at a console through this API.
struct Session {
  hardware::ConsoleHub::ViewerId viewer = 0;
  std::string node;
  std::string who;    ///< Principal::text(); nobody else types by it
  uint64_t last = 0;  ///< sequence of the input that was taken last
};
using Sessions = std::map<std::string, Session, std::less<>>;

/// One client's stream. Holds itself until its client leaves.
class ConsoleStream final : public hardware::ConsoleSink,
                            public std::enable_shared_from_this<ConsoleStream> {
 public:
  ConsoleStream(Services& services, ConsoleSource& source, std::shared_ptr<Sessions> sessions,
                std::string node)
      : services_(services),
        hub_(source.hub()),
        life_(hub_.life()),
        sessions_(std::move(sessions)),
        node_(std::move(node)),
        answer_(services.executor,
                {[this] { leave(); }, [this] { hub_.drained(viewer_); }, [this] { pulse(); }}) {}
  ConsoleStream(const ConsoleStream&) = delete;
  ConsoleStream& operator=(const ConsoleStream&) = delete;
  ~ConsoleStream() override { forget(); }

  Status start(Request& request, hardware::ConsoleHub::Coming coming) {
    who_ = request.principal();
    DROVER_TRY(viewer_, hub_.attach(node_, std::move(coming), *this));
    constexpr size_t kSessionBytes = 16;
    session_ = services_.random.hex(kSessionBytes);
    (*sessions_)[session_] = {viewer_, node_, who_.text(), 0};
    self_ = shared_from_this();
    if (!answer_.begin(request)) {
      leave();
      return {};
    }
    ConsoleEvent event;
    event.session = session_;
    write(event);
    return {};
  }

  [[nodiscard]] bool full() const override { return answer_.full(); }
  void on_bytes(uint64_t end, std::string_view bytes) override {
    ConsoleEvent event;
    event.data = to_base64url(bytes);
    event.end = end;
    event.lost = std::exchange(lost_, 0);
    write(event);
  }
  void on_lost(uint64_t bytes) override { lost_ += bytes; }
  void on_status(const hardware::ConsoleStatus& status) override {
    status_ = status;
    tell();
  }
  void on_viewers(const std::vector<hardware::ConsoleViewer>& viewers) override {
    viewers_ = viewers;
    tell();
  }
  void on_end(const Error& why) override { finish(why); }

 private:
  void tell() {
    if (!status_) return;
    ConsoleEvent event;
    event.console = console_view(node_, *status_, viewers_);
    write(event);
  }
  void write(const ConsoleEvent& event) { answer_.write(encode(event)); }
  /// Now and then: it lives, and its client may still be there.
  void pulse() {
    const Status may = services_.access.still_reads(who_, "GET /api/v1/nodes/{name}/console");
    if (!may) return finish(may.error());
    write({});
  }
  void finish(const Error& why) {
    ConsoleEvent event;
    event.over = why.text();
    write(event);
    answer_.end();
    leave();
  }
  void forget() {
    sessions_->erase(session_);
    if (viewer_ != 0 && !life_.expired()) hub_.detach(std::exchange(viewer_, 0));
  }
  /// Not in an event of its own parts, nor in one of the hub's.
  void leave() {
    services_.executor.post([held = std::move(self_)] {});
  }

  Services& services_;
  hardware::ConsoleHub& hub_;
  std::weak_ptr<bool> life_;  ///< the hub's, which may go first when the master ends
  std::shared_ptr<Sessions> sessions_;
  std::string node_;
  auth::Principal who_;
  std::string session_;
  hardware::ConsoleHub::ViewerId viewer_ = 0;
  std::optional<hardware::ConsoleStatus> status_;
  std::vector<hardware::ConsoleViewer> viewers_;
  uint64_t lost_ = 0;
  std::shared_ptr<ConsoleStream> self_;
  LineAnswer answer_;
};

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ConsoleSource* const source, consoles_of(services));
  const hardware::ConsoleHub& hub = source->hub();
  ListWriter out;
  for (const std::string& node : hub.nodes()) {
    out.add(console_view(node, *hub.status(node), hub.viewers(node)));
  }
  request->json(200, out.finish());
}

/// Whether the caller may type: as for everything that changes a machine from outside.
Status may_write(Request& request, const std::string& node) {
  if (request.standing().access < auth::Access::user) {
    return fail(Code::denied,
                fmt::format("{} is {} and may look at consoles, not write to them",
                            request.principal().text(), auth::name(request.standing().access)),
                fmt::format("drover console {} --spy", node));
  }
  return request.authorize_node(node);
}

void attend(Services& services, const std::shared_ptr<Sessions>& sessions,
            const RequestPtr& request) {
  DROVER_OR_FAIL(request, ConsoleSource* const source, consoles_of(services));
  DROVER_OR_FAIL(request, const auto* entry, find_node(services.model, request->path("name")));
  const std::string node = entry->node().name;
  const bool writes = request->query("mode") == "write";
  if (writes) {
    if (const Status may = may_write(*request, node); !may) return request->fail(may.error());
  }
  DROVER_OR_FAIL(request, [[maybe_unused]] const auto target, console_target(services.model, node));
  hardware::ConsoleHub::Coming coming;
  const store::Author author = request->author();
  coming.viewer = {author.actor, author.via, writes, {}};
  if (request->query("seen")) {
    DROVER_OR_FAIL(request, coming.seen, request->query_number("seen", 0, 0, UINT64_MAX));
  }
  const auto stream = std::make_shared<ConsoleStream>(services, *source, sessions, node);
  if (const Status begun = stream->start(*request, std::move(coming)); !begun) {
    request->fail(begun.error());
  }
}

Status take_input(hardware::ConsoleHub& hub, Session& session, const ConsoleInput& input) {
  DROVER_TRY(const std::string bytes, from_base64url(input.data));
  if (input.sequence == 0) return fail(Code::invalid_argument, "sequence: expected 1 or more");
  if (input.sequence <= session.last) return {};  // an answer was lost on its way
  if (input.sequence != session.last + 1) {
    return fail(Code::conflict,
                fmt::format("sequence: expected {}, got {}", session.last + 1, input.sequence));
  }
  if (!bytes.empty()) DROVER_CHECK_OK(hub.type(session.viewer, bytes));
  session.last = input.sequence;
  if (input.sends_break) return hub.send_break(session.viewer);
  return {};
}

void type(Services& services, Sessions& sessions, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ConsoleSource* const source, consoles_of(services));
  DROVER_OR_FAIL(request, const auto* entry, find_node(services.model, request->path("name")));
  const std::string node = entry->node().name;
  if (const Status may = may_write(*request, node); !may) return request->fail(may.error());
  DROVER_OR_FAIL(request, const auto input, request->body<ConsoleInput>());
  const auto found = sessions.find(input.session);
  const bool own = found != sessions.end() && found->second.node == node &&
                   found->second.who == request->principal().text();
  if (!own) {
    return request->fail({Code::not_found,
                          fmt::format("the session is no stream of the console of {}", node),
                          {},
                          fmt::format("GET /api/v1/nodes/{}/console begins one", node)});
  }
  if (const Status taken = take_input(source->hub(), found->second, input); !taken) {
    return request->fail(taken.error());
  }
  net::HttpResponse done;
  done.status = 204;
  request->respond(std::move(done));
}

}  // namespace

Result<ConsoleSource*> consoles_of(Services& services) {
  if (services.consoles != nullptr) return services.consoles;
  return fail(Code::unsupported, "this master holds no consoles");
}

void add_consoles(Router& router, Services& services) {
  const auto sessions = std::make_shared<Sessions>();
  router.add({.method = "GET",
              .path = "/api/v1/consoles",
              .privilege = auth::Privilege::view,
              .summary = "List the consoles that this master holds or held, and who is at them.",
              .gives = list_of<ConsoleView>(),
              .handler = [&services](const RequestPtr& r) { list(services, r); }});
  router.add(
      {.method = "GET",
       .path = "/api/v1/nodes/{name}/console",
       .privilege = auth::Privilege::view,
       .summary = "Be at a node's serial console: what it says and who else is there, as lines of "
                  "JSON.",
       .query = {{.name = "mode",
                  .doc = "spy (where nothing is said) looks on; write may also send input, which "
                         "takes the role user and leave to change the node.",
                  .choices = {"spy", "write"}},
                 {.name = "seen",
                  .doc = "Go on behind this many bytes, the `end` that was seen last; without it "
                         "from the last screen on.",
                  .number = true}},
       .gives = body_of<ConsoleEvent>(),
       .content_type = kJsonLines,
       .errors = {Code::conflict},
       .handler = [&services, sessions](const RequestPtr& r) { attend(services, sessions, r); }});
  constexpr size_t kBody = 2 * kMostTyped;  // base64 and the frame
  router.add(
      {.method = "POST",
       .path = "/api/v1/nodes/{name}/console/input",
       .privilege = auth::Privilege::use,
       .summary = "Type on a node's console, or send a break.",
       .takes = body_of<ConsoleInput>(),
       .on_nodes = true,
       .errors = {Code::conflict},
       .body_limit = kBody,
       .takes_key = false,  // a sequence of its own does that
       .handler = [&services, sessions](const RequestPtr& r) { type(services, *sessions, r); },
       .recorded = false});
}

}  // namespace drover::api
