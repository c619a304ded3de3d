// What aggregator, utility and compute programs share: identity that rotates by itself, the signer
// of callers, the local API.
#pragma once

#include "auth/assertion.hpp"
#include "auth/identity.hpp"
#include "auth/rotation.hpp"
#include "daemons/local_api.hpp"
#include "daemons/program.hpp"
#include "daemons/settings_board.hpp"
#include "tree/hello.hpp"
#include "tree/record_outbox.hpp"
#include "tree/uplink.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::daemons {

/// One link of this daemon as `drover local` shows it.
struct LocalLink {
  std::string peer;
  std::string role;  ///< uplink, primary, secondary
  tree::UplinkStatus status;
};

/// What the daemon tells about itself.
struct LocalFacts {
  std::vector<LocalLink> links;
  tree::RecordOutbox::Stats spool;
  /// The daemon above has no master although the link to it stands.
  std::optional<CutOff> cut_off;
};

/// Executor's thread only.
class MemberCore {
 public:
  MemberCore(Program& program, tree::Role role);
  ~MemberCore();

  /// Loads the identity; not_found says how to join.
  Status start();
  /// Opens the local socket. `up` gives the link to forward over; `refresh` makes new links after a
  /// rotation.
  Status serve(Callback<tree::Link*()> up, Callback<LocalFacts()> facts, Callback<void()> refresh);
  void stop();
  /// Log levels follow these settings from now on.
  void follow(SettingsBoard& settings);

  [[nodiscard]] const tree::Introduction& self() const { return self_; }
  /// The getter for listeners and diallers.
  [[nodiscard]] Callback<std::shared_ptr<net::Security>()> security();
  /// For listeners of those who have no certificate yet, and know the CA by its digest alone.
  [[nodiscard]] Callback<std::shared_ptr<net::Security>()> open_security();
  void renew_now() { rotation_->renew_now(); }
  /// Requests to a master in this daemon's own name; after serve().
  [[nodiscard]] LocalApi& api() { return *api_; }
  /// The cluster's CA as the identity has it, PEM.
  [[nodiscard]] const auth::Identity& identity() const { return rotation_->identity(); }

 private:
  Status use(const auth::Identity& identity);
  void on_rotated(const auth::Identity& identity);
  void ask(const std::string& csr_pem, Callback<void(Result<auth::Rotation::Renewed>)> answer);
  [[nodiscard]] std::string local_status();
  [[nodiscard]] std::pair<std::string, WallTime> down_why();

  Program& program_;
  Log log_;
  tree::Role role_;
  std::unique_ptr<Worker> worker_;
  auth::OpensslIdentityTool tool_;
  auth::CertificateSigner signer_;
  std::unique_ptr<auth::Rotation> rotation_;
  std::shared_ptr<net::Security> security_;
  std::shared_ptr<net::Security> open_security_;
  std::unique_ptr<LocalApi> api_;
  tree::Introduction self_;
  Callback<tree::Link*()> up_;
  Callback<LocalFacts()> facts_;
  Callback<void()> refresh_;
  WallTime started_{};
};

}  // namespace drover::daemons
