// Who may use this cluster's API, as one thing for the master: grants, credentials and trusted
// issuers.
#pragma once

#include "auth/bearer_credentials.hpp"
#include "auth/grants.hpp"
#include "auth/issuers.hpp"

#include <memory>
#include <string_view>

namespace drover::auth {

/// Executor's thread only.
class AccessControl {
 public:
  struct Parts {
    store::Store& store;
    const Authority& authority;
    SigningKeys keys;
    Clock& clock;
    Random& random;
    Log log;
    std::string cluster;
    FetchJwks fetch;
    Disk& disk;  ///< where the signing keys are; used on `worker` alone
    Worker& worker;
  };
  /// What `parts` refers to outlives this.
  explicit AccessControl(Parts parts);

  /// Before the store's first write.
  Status start();

  [[nodiscard]] const std::shared_ptr<const Policy>& policy() const { return grants_.policy(); }
  [[nodiscard]] Grants& grants() { return grants_; }
  [[nodiscard]] BearerCredentials& credentials() { return credentials_; }
  [[nodiscard]] Issuers& issuers() { return issuers_; }

  [[nodiscard]] const std::string& ca_pem() const { return authority_.ca_pem(); }

  /// A new key signs from now on; with `forget_old` every token so far ends. conflict while it is
  /// being done already.
  void rotate_keys(bool forget_old, Callback<void(Status)> done);

  /// Whether a caller that was let in before still may read: its token or certificate neither ended
  /// nor revoked, its issuer still trusted, its role at least viewer. Daemons are Enrolment's
  /// matter.
  [[nodiscard]] Status still_reads(const Principal& who, std::string_view what) const;

  /// Who shows this bearer token: of the cluster's own, or of a trusted issuer. unauthenticated
  /// with the reason. `done` runs once, at once or after an issuer's keys were fetched.
  void authenticate(std::string_view bearer, Callback<void(Result<Principal>)> done);

 private:
  const Authority& authority_;
  Clock& clock_;
  Disk& disk_;
  Worker& worker_;
  Log log_;
  bool rotating_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Grants grants_;
  BearerCredentials credentials_;
  Issuers issuers_;
};

}  // namespace drover::auth
