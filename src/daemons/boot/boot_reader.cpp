#include "daemons/boot/boot_reader.hpp"

#include "api/line_answer.hpp"
#include "api/problem.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/names.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

/// What one reader has not taken yet, above which it waits; a listener that far behind is cut.
constexpr size_t kHighWater = size_t{256} << 10;
constexpr size_t kTooFarBehind = size_t{8} << 20;

/// Names come from the model of the master; as file names they are checked again.
Result<std::vector<std::string>> names_of(const std::string& folded) {
  DROVER_TRY(auto names, expand_names(folded));
  for (const std::string& name : names) DROVER_CHECK_OK(cluster::check_node_name(name));
  return names;
}

/// What client_key() made, for people: a MAC, or the identifier's bytes.
std::string client_text(std::string_view key) {
  constexpr size_t kKindAndType = 2;
  const bool hardware = key.starts_with('h') && key.size() > kKindAndType;
  if (!hardware && key.size() <= 1) return "";
  std::string out = hardware ? "" : "id:";
  const std::string_view bytes = key.substr(hardware ? kKindAndType : 1);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (hardware && i > 0) out += ':';
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return out;
}

}  // namespace

/// One answer in lines, which says now and then that it lives.
class BootReader::Stream {
 public:
  Stream(BootReader& reader, ExchangePtr exchange)
      : reader_(reader), exchange_(std::move(exchange)) {
    exchange_->on_gone([this] { leave(); });
    exchange_->on_drained([this] { drained(); });
    exchange_->begin(200, {{"Content-Type", std::string(api::kJsonLines)}});
    pulse();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() {
    exchange_->on_gone({});
    exchange_->on_drained({});
  }
  virtual void begin() = 0;
  virtual void on_boot(const BootProgress&, bool) {}
  virtual void on_line(const std::string&, const NodeLogLine&) {}

 protected:
  virtual void drained() {}
  void write(const std::string& line) {
    exchange_->write(line + "\n");
    // It hears of everything again when it asks again.
    if (exchange_->unsent() > kTooFarBehind) leave();
  }
  [[nodiscard]] bool full() const { return exchange_->unsent() > kHighWater; }
  void end() {
    exchange_->end();
    leave();
  }
  void leave() { reader_.drop(this); }
  [[nodiscard]] const Parts& parts() const { return reader_.parts_; }

 private:
  void pulse() {
    pulse_.after(reader_.parts_.executor, api::kBootPulse, [this] {
      exchange_->write("{}\n");
      pulse();
    });
  }

  BootReader& reader_;
  ExchangePtr exchange_;
  Timer pulse_;
};

class BootReader::Progress final : public Stream {
 public:
  Progress(BootReader& reader, ExchangePtr exchange, const api::BootProgressQuery& query,
           const std::vector<std::string>& nodes)
      : Stream(reader, std::move(exchange)), all_(!query.nodes), follow_(query.follow) {
    nodes_.insert(nodes.begin(), nodes.end());
  }
  void begin() override {
    for (const BootProgress& boot : parts().stages.under_way()) on_boot(boot, false);
    api::BootProgressEvent event;
    event.caught_up = true;
    write(encode(event));
    if (!follow_) end();
  }
  void on_boot(const BootProgress& boot, bool ended) override {
    if (!all_ && !nodes_.contains(boot.node)) return;
    api::BootProgressEvent event;
    if (ended) {
      event.ended = boot.node;
    } else {
      event.boot =
          api::BootProgressView{boot.node, boot.stage, boot.since,    boot.why,    boot.item,
                                boot.done, boot.total, boot.deadline, parts().name};
    }
    write(encode(event));
  }

 private:
  bool all_;
  bool follow_;
  std::unordered_set<std::string> nodes_;
};

/// Node after node from the disk; from each one's reading on its new lines wait for their turn, so
/// that none is told twice or not at all.
class BootReader::Logs final : public Stream {
 public:
  Logs(BootReader& reader, ExchangePtr exchange, NodeLogs::Wanted wanted, bool follow,
       std::vector<std::string> nodes)
      : Stream(reader, std::move(exchange)),
        wanted_(std::move(wanted)),
        follow_(follow),
        nodes_(std::move(nodes)) {}

  void begin() override { next(); }

  void on_line(const std::string& node, const NodeLogLine& line) override {
    if (!follow_ || !read_.contains(node) || !NodeLogs::is_wanted(wanted_, line)) return;
    if (caught_up_) return tell(node, line);
    if (held_.size() < kMostHeld) held_.emplace_back(node, line);
  }

 private:
  static constexpr size_t kMostHeld = 100'000;  ///< lines that come while a long log is read

  void drained() override {
    if (waiting_) next();
  }
  void next() {
    waiting_ = false;
    if (at_ == nodes_.size()) return finish();
    const std::string& node = nodes_[at_++];
    read_.insert(node);
    parts().logs.read(node, wanted_,
                      [this, alive = std::weak_ptr<bool>(alive_),
                       node](const Result<std::vector<NodeLogLine>>& lines) {
                        if (!alive.expired()) take(node, lines);
                      });
  }
  void take(const std::string& node, const Result<std::vector<NodeLogLine>>& lines) {
    const std::weak_ptr<bool> alive = alive_;
    if (!lines) {
      api::BootLogEvent event;
      event.problem = api::BootDaemonProblem{parts().name, lines.error().text()};
      write(encode(event));
    } else {
      for (const NodeLogLine& line : *lines) tell(node, line);
    }
    if (alive.expired()) return;
    waiting_ = full();
    if (!waiting_) next();
  }
  void finish() {
    if (caught_up_) return;
    api::BootLogEvent event;
    event.caught_up = true;
    write(encode(event));
    if (!follow_) return end();
    caught_up_ = true;
    for (const auto& [node, line] : held_) tell(node, line);
    held_.clear();
  }
  void tell(const std::string& node, const NodeLogLine& line) {
    api::BootLogEvent event;
    event.line = api::BootLogLine{line.time, node, line.source, line.text, parts().name};
    write(encode(event));
  }

  NodeLogs::Wanted wanted_;
  bool follow_;
  std::vector<std::string> nodes_;
  size_t at_ = 0;
  bool waiting_ = false;
  bool caught_up_ = false;
  std::unordered_set<std::string> read_;  ///< nodes whose log has been read, or is now
  std::deque<std::pair<std::string, NodeLogLine>> held_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The book as it was when it was asked.
class BootReader::Leases final : public Stream {
 public:
  Leases(BootReader& reader, ExchangePtr exchange, std::vector<boot::dhcp::Lease> leases)
      : Stream(reader, std::move(exchange)), leases_(std::move(leases)) {}

  void begin() override {
    while (at_ < leases_.size() && !full()) {
      const boot::dhcp::Lease& lease = leases_[at_++];
      api::BootLeaseEvent event;
      event.lease = api::BootLease{lease.address.text(),
                                   std::string(boot::dhcp::name(lease.state)),
                                   client_text(lease.client),
                                   printable(lease.name),
                                   lease.since,
                                   lease.until,
                                   parts().name};
      write(encode(event));
    }
    if (at_ < leases_.size()) return;
    api::BootLeaseEvent event;
    event.caught_up = true;
    write(encode(event));
    end();
  }

 private:
  void drained() override { begin(); }

  std::vector<boot::dhcp::Lease> leases_;
  size_t at_ = 0;
};

BootReader::BootReader(Parts parts, const Log& log)
    : parts_(std::move(parts)),
      server_(parts_.executor, parts_.channels, log.with("reader"),
              [this](const net::HttpRequest& request, const ExchangePtr& exchange) {
                serve(request, exchange);
              }) {}

BootReader::~BootReader() {
  stop();
}

Status BootReader::start() {
  DROVER_TRY([[maybe_unused]] auto bound, server_.listen(net::Endpoint{"tree", 0, {}}));
  // What is told to one may end it, so the list is not walked itself.
  parts_.stages.on_change([this](const BootProgress& boot, bool ended) {
    for (const auto& stream : std::vector(streams_.begin(), streams_.end())) {
      stream->on_boot(boot, ended);
    }
  });
  parts_.logs.on_line([this](const std::string& node, const NodeLogLine& line) {
    if (streams_.empty()) return;
    for (const auto& stream : std::vector(streams_.begin(), streams_.end())) {
      stream->on_line(node, line);
    }
  });
  return {};
}

void BootReader::stop() {
  parts_.stages.on_change({});
  parts_.logs.on_line({});
  server_.stop(Duration::zero(), [] {});
  streams_.clear();
}

void BootReader::serve(const net::HttpRequest& request, const ExchangePtr& exchange) {
  if (const Status opened = open(request, exchange); !opened) {
    exchange->respond(api::problem_response(opened.error()));
  }
}

Status BootReader::open(const net::HttpRequest& request, const ExchangePtr& exchange) {
  if (request.method != "POST") return fail(Code::unsupported, "only POST is served here");
  if (request.target == api::kBootProgressPath) {
    DROVER_TRY(const auto query,
               decode_text<api::BootProgressQuery>(request.body, Unknown::ignore));
    DROVER_TRY(const auto nodes, names_of(query.nodes.value_or("")));
    add(std::make_shared<Progress>(*this, exchange, query, nodes));
    return {};
  }
  if (request.target == api::kBootLogPath) {
    DROVER_TRY(const auto query, decode_text<api::BootLogQuery>(request.body, Unknown::ignore));
    DROVER_TRY(auto nodes, names_of(query.nodes));
    NodeLogs::Wanted wanted;
    wanted.since = query.since;
    wanted.lines = query.lines;
    if (!query.grep.empty()) {
      DROVER_TRY(auto pattern, TextPattern::compile(query.grep));
      wanted.grep = std::make_shared<const TextPattern>(std::move(pattern));
    }
    add(std::make_shared<Logs>(*this, exchange, std::move(wanted), query.follow, std::move(nodes)));
    return {};
  }
  if (request.target == api::kBootLeasesPath) {
    DROVER_TRY(const auto query, decode_text<api::BootLeaseQuery>(request.body, Unknown::ignore));
    auto leases = parts_.leases ? parts_.leases() : std::vector<boot::dhcp::Lease>();
    if (!query.all) {
      std::erase_if(leases,
                    [](const auto& lease) { return lease.state == boot::dhcp::LeaseState::free; });
    }
    add(std::make_shared<Leases>(*this, exchange, std::move(leases)));
    return {};
  }
  return fail(Code::not_found, "this boot daemon knows no " + request.target);
}

void BootReader::add(std::shared_ptr<Stream> stream) {
  streams_.push_back(stream);
  stream->begin();
}

/// Not in an event of its own.
void BootReader::drop(const Stream* stream) {
  const auto it =
      std::ranges::find_if(streams_, [stream](const auto& each) { return each.get() == stream; });
  if (it == streams_.end()) return;
  parts_.executor.post([held = std::move(*it)]() mutable { held.reset(); });
  streams_.erase(it);
}

}  // namespace drover::daemons
