#include "daemons/console_desk.hpp"

#include "cluster/group.hpp"
#include "cluster/profile.hpp"
#include "cluster/settings.hpp"
#include "hardware/console/socket_line.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr int kModernCipher = 17;  // IPMI 2.0 table 22-20: HMAC-SHA256
constexpr int kOldCipher = 3;      // HMAC-SHA1, all that BMCs of before 2015 know
constexpr uint32_t kDirMode = 0700;
constexpr uint32_t kProgramMode = 0700;
/// Silence that ends a piece: a line of 115200 baud that has more to say says it sooner.
constexpr Duration kSilence = std::chrono::milliseconds(100);
/// Changes are gathered so long before it is looked which consoles they touch.
constexpr Duration kGather = std::chrono::seconds(1);

// ssh(1) runs it for a password, which it has from the environment that ssh was given.
constexpr std::string_view kAskpass = "#!/bin/sh\nprintf '%s\\n' \"$DROVER_CONSOLE_PASSWORD\"\n";

}  // namespace

/// From a node's name to its line: looks up what opens it first.
class ConsoleDesk::Way final : public hardware::ConsoleLine {
 public:
  Way(ConsoleDesk& desk, std::string node, hardware::ConsoleLineEvents events)
      : desk_(desk),
        node_(std::move(node)),
        events_(std::make_shared<hardware::ConsoleLineEvents>(std::move(events))) {
    later_.after(desk_.parts_.seams.executor, {}, [this] { begin(); });
  }

  void write(std::string_view bytes) override { line_->write(bytes); }
  [[nodiscard]] size_t unsent() const override { return line_->unsent(); }
  Status send_break() override { return line_->send_break(); }
  void pause(bool paused) override {
    if (line_) line_->pause(paused);
  }

 private:
  void begin() {
    const api::PowerServices& power = desk_.parts_.power;
    auto target = api::console_target(power.model, node_);
    if (!target) return tell_closed(target.error());
    target_ = *std::move(target);
    desk_.targets_[node_] = target_;
    if (target_.kind == api::ConsoleKind::socket) {
      line_ = hardware::dial_socket(desk_.parts_.seams.net, target_.socket, passed_on());
      return;
    }
    const auto keys = std::make_shared<api::BmcKeys>();
    power.store.read(
        [keys, target = target_.bmc](store::Transaction& tx) -> Status {
          DROVER_TRY(*keys, api::read_bmc_keys(tx, {target}));
          return {};
        },
        [this, alive = std::weak_ptr<bool>(alive_), keys](const Status& read) {
          if (alive.expired()) return;
          if (!read) return tell_closed(read.error());
          enter(*keys);
        });
  }

  void enter(const api::BmcKeys& keys) {
    auto login = api::bmc_login(desk_.parts_.power, target_.bmc, keys);
    if (!login) return tell_closed(login.error());
    if (desk_.parts_.programs == nullptr) {
      return tell_closed({Code::unsupported, "this master runs no programs", {}, {}});
    }
    line_ = hardware::run_console_program(desk_.parts_.seams.executor, *desk_.parts_.programs,
                                          plan(*login), passed_on());
  }

  hardware::ProgramPlan plan(const api::BmcLogin& login) {
    const net::Endpoint& at = target_.bmc.at;
    if (target_.kind == api::ConsoleKind::ssh) {
      hardware::SshAccess access{at.host,         at.port, login.user, login.password,
                                 target_.command, {},      {}};
      access.known_hosts = desk_.parts_.dir + "/known_hosts";
      access.askpass = desk_.parts_.dir + "/askpass";
      return hardware::ssh_plan(access);
    }
    const auto known = desk_.ciphers_.find(at.text());
    return hardware::sol_plan({at.host, at.port, login.user, login.password},
                              known == desk_.ciphers_.end() ? kModernCipher : known->second);
  }

  /// The line's events as this one's own.
  hardware::ConsoleLineEvents passed_on() {
    hardware::ConsoleLineEvents out;
    out.on_open = [events = events_](const hardware::ConsoleWay& way) { events->on_open(way); };
    out.on_bytes = [events = events_](std::string_view bytes) { events->on_bytes(bytes); };
    out.on_closed = [this](const Error& why) { closed(why); };
    return out;
  }

  void closed(const Error& why) {
    const std::string at = target_.bmc.at.text();
    const bool wrong_cipher = target_.kind == api::ConsoleKind::ipmi &&
                              why.message.find("cipher suite") != std::string::npos &&
                              !desk_.ciphers_.contains(at);
    if (!wrong_cipher) return tell_closed(why);
    desk_.ciphers_[at] = kOldCipher;
    later_.after(desk_.parts_.seams.executor, {}, [this] {
      line_.reset();
      begin();
    });
  }
  void tell_closed(const Error& why) {
    const auto events = events_;  // outlives this, which may be destroyed in there
    const Error told = why;
    events->on_closed(told);
  }

  ConsoleDesk& desk_;
  std::string node_;
  std::shared_ptr<hardware::ConsoleLineEvents> events_;
  api::ConsoleTarget target_;
  Timer later_;
  std::unique_ptr<hardware::ConsoleLine> line_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

ConsoleDesk::ConsoleDesk(Parts parts)
    : parts_(std::move(parts)),
      log_(parts_.seams.log, "console"),
      logs_(parts_.seams.executor, parts_.seams.disk, log_, parts_.dir, {}),
      hub_(parts_.seams.executor, parts_.seams.random, *this, {},
           {[this](const std::string& node, std::string_view bytes) { keep(node, bytes); },
            [this](const std::string& node, std::string_view text) { note(node, text); },
            [this](const std::string& node, const hardware::ConsoleViewer& viewer, bool came) {
              met(node, viewer, came);
            }}) {
  logs_.on_line([this](const std::string& node, const NodeLogLine& line) {
    if (listeners_.empty()) return;
    const bool is_note = line.source == name(LogSource::note);
    const api::ConsolePiece piece{line.time, is_note,
                                  is_note ? line.text : hardware::unescape_console(line.text)};
    for (auto& [id, listener] : listeners_) listener(node, piece);
  });
}

ConsoleDesk::~ConsoleDesk() = default;

Status ConsoleDesk::start() {
  DROVER_CHECK_OK(parts_.seams.disk.make_dirs(parts_.dir, kDirMode));
  DROVER_CHECK_OK(parts_.seams.disk.write_atomic(parts_.dir + "/askpass", kAskpass, kProgramMode));
  look();
  return {};
}

// --- which are held -----------------------------------------------------------------------------

void ConsoleDesk::follow(std::span<const store::Change> changes) {
  const bool touched = std::ranges::any_of(changes, [](const store::Change& change) {
    return change.kind == cluster::kGroupKind || change.kind == cluster::kProfileKind ||
           change.kind == cluster::kSettingKind;
  });
  if (touched) look_soon();
}

void ConsoleDesk::node_changed(const cluster::Model::NodeEvent& event) {
  if (event.after == nullptr) {
    hub_.remove(event.name);
    targets_.erase(event.name);
    cutters_.erase(event.name);
    return;
  }
  if (event.before == nullptr || !(event.before->spec == event.after->spec)) return look_soon();
  const bool happened = event.before->power.state != event.after->power.state ||
                        event.before->phase.state != event.after->phase.state;
  if (happened) hub_.hurry(event.name);
}

void ConsoleDesk::look_soon() {
  if (std::exchange(looking_, true)) return;
  look_.after(parts_.seams.executor, kGather, [this] {
    looking_ = false;
    look();
  });
}

void ConsoleDesk::look() {
  hub_.hold(api::held_consoles(parts_.power.model));
  for (const std::string& node : hub_.nodes()) {
    const auto used = targets_.find(node);
    if (used == targets_.end()) continue;
    const auto target = api::console_target(parts_.power.model, node);
    if (target && *target == used->second) continue;
    targets_.erase(used);
    hub_.redial(node);
  }
}

std::unique_ptr<hardware::ConsoleLine> ConsoleDesk::dial(const std::string& node,
                                                         hardware::ConsoleLineEvents events) {
  return std::make_unique<Way>(*this, node, std::move(events));
}

// --- what they say ------------------------------------------------------------------------------

void ConsoleDesk::keep(const std::string& node, std::string_view bytes) {
  const WallTime now = parts_.seams.executor.wall();
  std::vector<hardware::ConsoleCutter::Piece> pieces;
  cutters_[node].add(now, bytes, pieces);
  for (const auto& piece : pieces) keep(node, piece);
  if (std::exchange(cutting_, true)) return;
  cut_.after(parts_.seams.executor, kSilence, [this] {
    cutting_ = false;
    keep_rests(parts_.seams.executor.wall());
  });
}

void ConsoleDesk::keep(const std::string& node, const hardware::ConsoleCutter::Piece& piece) {
  logs_.add_at(node, LogSource::console, piece.time, hardware::escape_console(piece.bytes));
}

void ConsoleDesk::keep_rests(WallTime until) {
  for (auto& [node, cutter] : cutters_) {
    if (const auto piece = cutter.take_before(until)) keep(node, *piece);
  }
}

void ConsoleDesk::note(const std::string& node, std::string_view text) {
  if (const auto piece = cutters_[node].take_before(WallTime::max())) keep(node, *piece);
  logs_.add(node, LogSource::note, text);
}

void ConsoleDesk::met(const std::string& node, const hardware::ConsoleViewer& viewer, bool came) {
  const std::string how = viewer.writes ? "writing" : "looking on";
  const std::string words = came ? fmt::format("came, {}", how) : "left";
  note(node, fmt::format("{} {}", viewer.who, words));
  if (!parts_.audit) return;
  auth::AuditRecord record;
  record.time = parts_.seams.executor.wall();
  record.principal = viewer.who;
  const size_t blank = viewer.origin.find(' ');
  record.daemon = viewer.origin.substr(0, blank);
  if (blank != std::string::npos) record.address = viewer.origin.substr(blank + 1);
  record.method = "GET";
  record.target =
      fmt::format("/api/v1/nodes/{}/console{}", node, viewer.writes ? "?mode=write" : "");
  record.outcome = "done";
  record.status = 200;
  record.why = words;
  parts_.audit(record);
}

void ConsoleDesk::read(const std::string& node, WallTime since, Found found) {
  if (const auto cutter = cutters_.find(node); cutter != cutters_.end()) {
    if (const auto piece = cutter->second.take_before(WallTime::max())) keep(node, *piece);
  }
  logs_.read(node, {.grep = nullptr, .since = since, .lines = 0},
             [found = std::move(found)](Result<std::vector<NodeLogLine>> lines) mutable {
               if (!lines) return found(tl::unexpected<Error>(lines.error()));
               std::vector<api::ConsolePiece> pieces;
               pieces.reserve(lines->size());
               for (NodeLogLine& line : *lines) {
                 const bool is_note = line.source == name(LogSource::note);
                 pieces.push_back(
                     {line.time, is_note,
                      is_note ? std::move(line.text) : hardware::unescape_console(line.text)});
               }
               found(std::move(pieces));
             });
}

uint64_t ConsoleDesk::listen(Listener listener) {
  listeners_[++last_listener_] = std::move(listener);
  return last_listener_;
}

}  // namespace drover::daemons
