// Keeps a daemon's certificate fresh without a restart: when to renew, how to retry, when to raise
// the alarm. A new key with every certificate.
#pragma once

#include "auth/identity.hpp"
#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace drover::auth {

/// When to renew a certificate: after two thirds of its life, less a share of up to a twelfth of
/// it, so that the daemons of a cluster that was installed at once do not come at once. `lot` is
/// drawn once per certificate, uniform in [0, 1000].
WallTime renewal_time(WallTime not_before, WallTime not_after, uint64_t lot);

/// First and longest wait between tries: 30 s and 15 min, less for certificates of short life.
struct RetryTimes {
  Duration first;
  Duration longest;
};
RetryTimes retry_times(Duration lifetime);

/// How the rotation stands.
struct RotationState {
  WallTime not_after{};
  WallTime renew_at{};    ///< of the present certificate
  bool asking = false;    ///< a request is on its way
  uint32_t failures = 0;  ///< since the last success
  WallTime failing_since{};
  std::string why;  ///< of the last failure
};

/// What health says of it. Nothing while all is well or the first tries fail with much time left;
/// a warning after three failures; an error in the last eighth of the life, and when it is over.
struct RotationAlarm {
  bool error = false;
  std::string what;  ///< "the certificate expires in 2 h and renewal fails: ..."
  std::string next;
};
std::optional<RotationAlarm> rotation_alarm(const RotationState& state, WallTime not_before,
                                            WallTime now);

/// One daemon's rotation. Executor's thread only; files are written on `worker`.
class Rotation {
 public:
  /// A certificate for a CSR.
  struct Renewed {
    std::string certificate_pem;
    std::string ca_pem;
  };
  /// Carries a CSR to a master and the answer back; called again only after the answer or after
  /// `answer_limit`. A late answer is dropped.
  using Ask = Callback<void(const std::string& csr_pem, Callback<void(Result<Renewed>)> answer)>;
  using Changed = Callback<void(const Identity& identity, const IdentityFacts& facts)>;

  struct Options {
    std::string dir;   ///< of IdentityFiles
    std::string uri;   ///< the identity that this daemon must have, drover://cluster/role/name
    std::string name;  ///< for the CSR
    Duration answer_limit = std::chrono::seconds(60);
  };

  /// All of them outlive this.
  Rotation(Executor& executor, Worker& worker, Random& random, Disk& disk, IdentityTool& tool,
           Log log, Options options, Ask ask);
  Rotation(const Rotation&) = delete;
  Rotation& operator=(const Rotation&) = delete;
  ~Rotation() = default;

  /// Loads the identity and starts to watch it. not_found with a hint to join when there is none;
  /// corrupt or conflict when it is damaged or another daemon's. An expired one is loaded: it may
  /// be the clock that is wrong. Blocks for one small file.
  Status start();
  /// The same with an identity that the caller just got by joining: checks, saves (blocking),
  /// uses.
  Status start_with(const Identity& identity);

  /// Valid after a start.
  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] const IdentityFacts& facts() const { return facts_; }
  [[nodiscard]] net::SecurityConfig security() const { return security_config(identity_); }
  /// Called after each renewal, never inside another call.
  void on_change(Changed changed) { changed_ = std::move(changed); }
  /// Renews now, whatever the time; nothing while a request is on its way.
  void renew_now();

  [[nodiscard]] const RotationState& state() const { return state_; }
  [[nodiscard]] std::optional<RotationAlarm> alarm() const;

 private:
  Status use(const Identity& identity);
  void watch();
  void ask();
  void answered(uint64_t request, const std::string& key_pem, Result<Renewed> renewed);
  void store(Identity identity);
  void failed(const Error& why);

  Executor& executor_;
  Worker& worker_;
  Random& random_;
  IdentityTool& tool_;
  Log log_;
  Options options_;
  Ask ask_;
  std::shared_ptr<const IdentityFiles> files_;
  Changed changed_;
  Identity identity_;
  IdentityFacts facts_;
  RotationState state_;
  Backoff backoff_;
  uint64_t request_ = 0;
  MonoTime rest_until_;  ///< no renewal of our own before this
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::auth
