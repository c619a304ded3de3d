// Requests to one BMC: a queue, few at a time, signed in once, with bounds on everything that comes
// back.
#pragma once

#include "hardware/redfish/bmc_ground.hpp"
#include "hardware/redfish/redfish_document.hpp"
#include "hardware/redfish/redfish_quirks.hpp"
#include "net/http/http_session.hpp"

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::hardware {

/// Where a BMC is and as whom it is spoken to.
struct BmcAccess {
  net::Endpoint at;
  std::shared_ptr<net::Security> security;  ///< null: plain HTTP
  /// SHA-256 of the public key that its certificate must have, 64 hex digits; empty: whatever
  /// `security` admits. Checked before anything is sent.
  std::string pinned_key;
  std::string user;
  std::string password;
};

struct BmcClientOptions {
  size_t in_flight = 2;  ///< requests at a time; BMCs are small machines
  Duration request_time = std::chrono::seconds(15);
  size_t body_limit = size_t{1} << 20;               ///< bytes of one answer; more ends the request
  uint32_t retries = 2;                              ///< of what may be repeated
  Duration longest_wait = std::chrono::seconds(30);  ///< what Retry-After may ask for
  /// Requests in a row without any answer after which all that wait fail at once.
  uint32_t gives_up_after = 4;
  size_t queue_limit = 8192;
  bool sessions = true;  ///< false: basic authentication alone
};

struct BmcRequest {
  std::string method = "GET";
  std::string target;
  std::string body = {};
  std::string if_match = {};
  bool open = false;  ///< needs no sign-in: the service root
};

/// What came back; the status may be an error's.
struct BmcAnswer {
  int status = 0;
  std::string etag;
  std::string location;  ///< a checked path (redfish_path); empty: none
  std::optional<Duration> retry_after;
  std::string body;

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

/// The error that an answer stands for: not_found, denied, conflict, unsupported or, for what only
/// the BMC can mend, io. Names the status and what the BMC said, made printable.
Error bmc_error(const BmcAnswer& answer);

/// Executor's thread only. Destroying it ends everything; no callback follows.
class BmcClient {
 public:
  using Done = Callback<void(Result<BmcAnswer>)>;
  /// `ground` outlives it.
  BmcClient(BmcGround& ground, BmcAccess access, BmcClientOptions options = {});
  BmcClient(const BmcClient&) = delete;
  BmcClient& operator=(const BmcClient&) = delete;
  ~BmcClient();

  /// `done` runs exactly once, never in here. Errors are those of the transport (unreachable,
  /// timed_out, too_large, corrupt), unauthenticated for a refused password or a certificate with
  /// another key, and exhausted. GETs are repeated with back-off; what changes things is repeated
  /// only when the BMC said that it was too busy to begin.
  void send(BmcRequest request, Done done);
  /// Learns from the root of the service (DSP0268, ServiceRoot) what make it is and where sessions
  /// are opened. Without this, the first sign-in reads the root first.
  void learn(const RedfishNode& root);
  [[nodiscard]] const RedfishQuirks& quirks() const { return quirks_; }
  /// Ends the session on the BMC, if there is one, and calls `done`, when what is under way has
  /// ended. Best effort.
  void sign_out(Callback<void()> done);

  [[nodiscard]] const net::Endpoint& at() const { return access_.at; }
  /// The key that the BMC's certificate had; empty before the first connection and without TLS.
  [[nodiscard]] const std::string& seen_key() const { return seen_key_; }
  /// Requests sent so far, sign-ins among them.
  [[nodiscard]] uint64_t sent() const { return sent_; }

 private:
  enum class Door { closed, opening, open, refused };
  enum class Way { session, basic };
  struct Job {
    BmcRequest request;
    Done done;
    uint32_t tries = 0;
    uint32_t sign_ins = 0;
    Timer delay = {};
  };
  using JobPtr = std::unique_ptr<Job>;
  struct Lane {
    std::unique_ptr<net::HttpSession> session;
    bool busy = false;
  };

  void pump();
  [[nodiscard]] size_t limit() const;
  bool take_place();
  void start(JobPtr job);
  void sign_in();
  void ask_root();
  void signed_in(Result<net::HttpResponse> answer);
  void sign_in_failed(Result<net::HttpResponse> why);
  void refuse();
  Lane& free_lane();
  void dispatch(net::HttpRequest request, Callback<void(Result<net::HttpResponse>)> done);
  void finished(JobPtr job, Result<net::HttpResponse> answer);
  void later(JobPtr job, Duration wait);
  void answer(JobPtr job, Result<BmcAnswer> result);
  void fail_all(const Error& why);
  [[nodiscard]] net::HttpRequest request_of(const BmcRequest& request) const;
  Status check_peer(const net::Peer& peer);

  BmcGround& ground_;
  BmcAccess access_;
  BmcClientOptions options_;
  RedfishQuirks quirks_;
  std::deque<JobPtr> queue_;
  std::list<JobPtr> delayed_;
  std::vector<Lane> lanes_;
  size_t running_ = 0;
  bool has_place_ = false;  ///< a place of the ground's that is not in use yet
  BmcGround::Waiter waiter_;
  bool waits_ = false;
  Door door_ = Door::closed;
  Way way_ = Way::session;
  bool learned_ = false;
  std::string sessions_;  ///< path of the collection; empty: there is none
  std::string token_;
  std::string session_path_;
  std::string seen_key_;
  uint32_t silent_ = 0;  ///< requests in a row without an answer
  uint64_t sent_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::hardware
