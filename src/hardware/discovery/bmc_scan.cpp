#include "hardware/discovery/bmc_scan.hpp"

#include "hardware/discovery/rmcp.hpp"
#include "hardware/power/power_waves.hpp"
#include "hardware/redfish/redfish_document.hpp"
#include "net/datagram.hpp"
#include "net/http/http_client.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

namespace drover::hardware {
namespace {

using cluster::FoundBmc;
using cluster::ScanRequest;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// What is said of an address without a BMC; the later ones tell more.
constexpr std::array<std::string_view, 5> kWhyNone{
    "no answer", "no route to it", "its network cannot be reached", "the connection is refused",
    "something else answers"};

/// The place in kWhyNone of how one question ended; nothing where it could not be asked.
std::optional<size_t> why_none(const Result<net::HttpResponse>& answer) {
  constexpr size_t kNoAnswer = 0;
  constexpr size_t kSomething = kWhyNone.size() - 1;
  if (answer) return kSomething;
  const Error& error = answer.error();
  if (error.code == Code::timed_out) return kNoAnswer;
  const bool ours = error.code == Code::exhausted || error.code == Code::io ||
                    error.code == Code::denied || error.code == Code::internal;
  if (ours) return std::nullopt;
  // Words of errno alone; what a peer has a part in is not repeated.
  const std::string text = lower(error.message);
  if (text.ends_with("no route to host")) return 1;
  if (text.ends_with("network is unreachable")) return 2;
  return text.ends_with("connection refused") ? 3 : kSomething;
}

/// A datagram socket for one family, and who hears it.
class IpmiEar final : private net::DatagramHandler {
 public:
  using Heard = Callback<void(const net::InetAddress& from, const RmcpAnswer& answer)>;

  static Result<std::unique_ptr<IpmiEar>> open(net::Net& net, bool v6, Heard heard) {
    auto ear = std::unique_ptr<IpmiEar>(new IpmiEar(std::move(heard)));
    net::DatagramOptions options;
    options.at = v6 ? net::InetAddress::v6({}) : net::InetAddress::v4(0);
    DROVER_TRY(ear->socket_, net.open_datagrams(options, *ear));
    return ear;
  }
  /// What does not go out now is asked again with the second round, like what is lost.
  void ask(const net::InetAddress& to) {
    const std::string ping = rmcp_ping(0);
    const std::string capabilities = rmcp_capabilities(1);
    const std::array<net::OutgoingDatagram, 2> both{
        net::OutgoingDatagram{.head = ping, .to = to},
        net::OutgoingDatagram{.head = capabilities, .to = to}};
    socket_->send(both);
  }

 private:
  explicit IpmiEar(Heard heard) : heard_(std::move(heard)) {}
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& datagram : batch) {
      const auto answer = parse_rmcp(datagram.bytes);
      if (answer) heard_(datagram.from, *answer);
    }
  }
  Heard heard_;
  std::unique_ptr<net::DatagramSocket> socket_;
};

}  // namespace

std::optional<FoundBmc> read_service_root(std::string_view body) {
  const auto document = RedfishDocument::parse(body);
  if (!document) return std::nullopt;
  const RedfishNode root = document->root();
  FoundBmc bmc;
  bmc.redfish_version = root.text("RedfishVersion");
  const bool typed = root.text("@odata.type").starts_with("#ServiceRoot.");
  const bool looks_like_one =
      !root.link("Systems").empty() || !root.link("Chassis").empty() || typed;
  if (!looks_like_one || (!typed && bmc.redfish_version.empty())) return std::nullopt;
  bmc.vendor = root.text("Vendor");
  bmc.product = root.text("Product");
  bmc.uuid = lower(root.text("UUID"));
  return bmc;
}

class BmcScan::Course : public std::enable_shared_from_this<Course> {
 public:
  Course(BmcGround& ground, const ScanRequest& request, std::vector<std::string> addresses,
         Answered answered)
      : ground_(ground),
        request_(request),
        addresses_(std::move(addresses)),
        answered_(std::move(answered)),
        http_(ground.executor(), ground.net()),
        waves_(PowerLimits{request.at_a_time, request.per_second}) {}

  void start() {
    net::SecurityConfig config;
    config.any_certificate = true;  // nothing secret is said: whose it is matters later
    config.allow_tls12 = true;
    auto security = ground_.net().make_security(config);
    if (security) security_ = *std::move(security);
    for (size_t i = 0; i < addresses_.size(); ++i) waves_.add(i, {});
    ground_.executor().post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pump();
    });
  }
  void stop() {
    stopped_ = true;
    pumping_.cancel();
    visits_.clear();
    listening_.clear();
    // One of them may be in the middle of a batch.
    ground_.executor().post([ear4 = std::move(ear4_), ear6 = std::move(ear6_)] {});
  }

 private:
  /// One address that is being asked.
  struct Visit {
    size_t index = 0;
    std::vector<std::unique_ptr<net::HttpCall>> calls;  ///< by place in ports(); null: ended
    std::vector<std::optional<FoundBmc>> roots;
    size_t waits = 0;            ///< questions by TCP without an outcome
    size_t why = 0;              ///< in kWhyNone
    std::optional<Error> fault;  ///< why a question could not be asked
    bool listens = false;        ///< IPMI has not answered yet
    net::InetAddress ipmi_at;
    FoundBmc ipmi;
    MonoTime began;
    Timer again;
    Timer limit;
  };
  using VisitPtr = std::shared_ptr<Visit>;

  void pump() {
    while (const auto index = waves_.next(ground_.executor().now())) begin(*index);
    const auto wait = waves_.wait(ground_.executor().now());
    if (!wait) return;
    pumping_.after(ground_.executor(), *wait, [this] { pump(); });
  }

  void begin(size_t index) {
    const auto visit = std::make_shared<Visit>();
    visits_[index] = visit;
    visit->index = index;
    visit->began = ground_.executor().now();
    const Duration patience = std::chrono::milliseconds(request_.patience_ms);
    visit->limit.after(ground_.executor(), patience, [this, index] { end(index); });
    ask_redfish(*visit, patience);
    if (request_.ipmi) ask_ipmi(*visit, patience);
    if (visit->waits == 0 && !visit->listens) {
      // Nothing to wait for: its end comes by the timer, from a fresh stack.
      visit->limit.after(ground_.executor(), Duration::zero(), [this, index] { end(index); });
    }
  }

  void ask_redfish(Visit& visit, Duration patience) {
    const size_t count = request_.ports.size() + request_.plain_ports.size();
    visit.calls.resize(count);
    visit.roots.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const bool plain = i >= request_.ports.size();
      if (!plain && security_ == nullptr) continue;
      const uint16_t port =
          plain ? request_.plain_ports.at(i - request_.ports.size()) : request_.ports.at(i);
      net::HttpRequest request;
      request.target = "/redfish/v1/";
      request.headers = {{"Accept", "application/json"}, {"OData-Version", "4.0"}};
      ++visit.waits;
      visit.calls.at(i) = http_.request(
          {addresses_.at(visit.index), port, ""}, plain ? nullptr : security_, std::move(request),
          patience,
          [weak = weak_from_this(), index = visit.index, i, port,
           plain](Result<net::HttpResponse> answer) {
            const auto self = weak.lock();
            if (self != nullptr) self->redfish_answered(index, i, port, plain, std::move(answer));
          },
          kLongestRoot);
    }
  }

  void redfish_answered(size_t index, size_t place, uint16_t port, bool plain,
                        Result<net::HttpResponse> answer) {
    const auto found = visits_.find(index);
    if (found == visits_.end()) return;
    Visit& visit = *found->second;
    --visit.waits;
    if (const auto why = why_none(answer)) {
      visit.why = std::max(visit.why, *why);
    } else {
      visit.fault = answer.error();
    }
    if (answer && answer->status == 200) {
      auto root = read_service_root(answer->body);
      if (root) {
        root->port = port;
        root->plain = plain;
        visit.roots.at(place) = std::move(root);
      }
    }
    if (visit.waits > 0) return;
    if (!visit.listens) return end(index);
    hurry(visit);
  }

  /// A machine that has answered everything else has IPMI answer as soon, or has none: it is asked
  /// again at once and waited for a little.
  void hurry(Visit& visit) {
    const Duration patience = std::chrono::milliseconds(request_.patience_ms);
    const Duration left = patience - (ground_.executor().now() - visit.began);
    if (visit.why == 0 || left <= patience / 4) return;
    if (IpmiEar* const socket = ear(visit.ipmi_at.is_v6())) socket->ask(visit.ipmi_at);
    visit.again.cancel();
    visit.limit.after(ground_.executor(), patience / 4,
                      [this, index = visit.index] { end(index); });
  }

  IpmiEar* ear(bool v6) {
    auto& ear = v6 ? ear6_ : ear4_;
    if (ear != nullptr) return ear.get();
    auto opened = IpmiEar::open(
        ground_.net(), v6,
        [weak = weak_from_this()](const net::InetAddress& from, const RmcpAnswer& answer) {
          if (const auto self = weak.lock()) self->ipmi_answered(from, answer);
        });
    if (!opened) {
      fault_ = opened.error();
      return nullptr;
    }
    ear = *std::move(opened);
    return ear.get();
  }

  void ask_ipmi(Visit& visit, Duration patience) {
    const auto to = net::InetAddress::parse(addresses_.at(visit.index));
    if (!to) return;
    IpmiEar* const socket = ear(to->is_v6());
    if (socket == nullptr) {
      visit.fault = fault_;
      return;
    }
    visit.ipmi_at = to->with_port(request_.ipmi_port);
    visit.listens = true;
    listening_[visit.ipmi_at] = visit.index;
    socket->ask(visit.ipmi_at);
    // Datagrams are lost: once more when half of the time is over.
    visit.again.after(ground_.executor(), patience / 2,
                      [socket, to = visit.ipmi_at] { socket->ask(to); });
  }

  void ipmi_answered(const net::InetAddress& from, const RmcpAnswer& answer) {
    const auto listening = listening_.find(from);
    if (listening == listening_.end() || !answer.ipmi) return;
    const size_t index = listening->second;
    const auto found = visits_.find(index);
    if (found == visits_.end()) return;
    Visit& visit = *found->second;
    visit.ipmi.ipmi_port = from.port;
    if (answer.version2 || answer.version1) {
      visit.ipmi.ipmi_version = answer.version2 ? "2.0" : "1.5";
      visit.listens = false;  // a pong alone tells no version: that answer is still to come
      listening_.erase(listening);
      if (visit.waits == 0) end(index);
    }
  }

  void end(size_t index) {
    const auto found = visits_.find(index);
    if (found == visits_.end()) return;
    const VisitPtr visit = std::move(found->second);
    visits_.erase(found);
    if (visit->listens) listening_.erase(visit->ipmi_at);
    waves_.ended(index);
    std::optional<FoundBmc> bmc;
    for (auto& root : visit->roots) {
      if (!root) continue;
      bmc = std::move(root);  // the first port in the order that was asked for
      break;
    }
    if (visit->ipmi.ipmi_port != 0) {
      if (!bmc) bmc.emplace();
      bmc->ipmi_port = visit->ipmi.ipmi_port;
      bmc->ipmi_version = visit->ipmi.ipmi_version;
    }
    Result<FoundBmc> found_here = fail(Code::not_found, std::string(kWhyNone.at(visit->why)));
    if (bmc) {
      found_here = *std::move(bmc);
      found_here->address = addresses_.at(index);
    } else if (visit->fault) {
      found_here = tl::unexpected(*visit->fault);
    }
    // Its calls end from a fresh stack: this may run inside one of their callbacks.
    ground_.executor().post([visit] {});
    const auto self = shared_from_this();  // the callback may destroy the scan
    answered_(addresses_.at(index), std::move(found_here));
    if (!stopped_) pump();
  }

  BmcGround& ground_;
  ScanRequest request_;
  std::vector<std::string> addresses_;
  Answered answered_;
  net::HttpClient http_;
  PowerWaves waves_;
  std::shared_ptr<net::Security> security_;
  std::unique_ptr<IpmiEar> ear4_;
  std::unique_ptr<IpmiEar> ear6_;
  std::map<size_t, VisitPtr> visits_;
  std::map<net::InetAddress, size_t> listening_;
  Error fault_;  ///< of the sockets for IPMI
  bool stopped_ = false;
  Timer pumping_;
};

BmcScan::BmcScan(BmcGround& ground, const ScanRequest& request, std::vector<std::string> addresses,
                 Answered answered)
    : course_(
          std::make_shared<Course>(ground, request, std::move(addresses), std::move(answered))) {
  course_->start();
}

BmcScan::~BmcScan() {
  course_->stop();
}

}  // namespace drover::hardware
