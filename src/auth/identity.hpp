// What a daemon proves itself with: its key, its certificate and the CA, kept together in one file
// so that no crash can leave a key beside another key's certificate.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"
#include "net/net.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::auth {

/// PEM texts (in the simulator: whatever its IdentityTool makes).
struct Identity {
  std::string key_pem;  ///< secret
  std::string certificate_pem;
  std::string ca_pem;
  bool operator==(const Identity&) const = default;
};

struct IdentityFacts {
  std::string uri;  ///< drover://cluster/role/name
  std::string key_sha256;
  WallTime not_before{};
  WallTime not_after{};
};

/// Makes keys and reads identities. Real form: OpensslIdentityTool; the simulator has its own.
/// Any thread.
class IdentityTool {
 public:
  IdentityTool() = default;
  IdentityTool(const IdentityTool&) = delete;
  IdentityTool& operator=(const IdentityTool&) = delete;
  virtual ~IdentityTool() = default;
  [[nodiscard]] virtual Result<std::string> make_key() = 0;
  [[nodiscard]] virtual Result<std::string> make_csr(const std::string& key_pem,
                                                     std::string_view name) = 0;
  /// What the identity says, once key, certificate and CA were found to belong together; validity
  /// in time is left to the caller. invalid_argument when they do not.
  [[nodiscard]] virtual Result<IdentityFacts> check(const Identity& identity) = 0;
};

class OpensslIdentityTool final : public IdentityTool {
 public:
  [[nodiscard]] Result<std::string> make_key() override;
  [[nodiscard]] Result<std::string> make_csr(const std::string& key_pem,
                                             std::string_view name) override;
  [[nodiscard]] Result<IdentityFacts> check(const Identity& identity) override;
};

/// The texts behind the lines "# key", "# certificate", "# ca"; openssl(1) reads it as PEM.
std::string to_bundle(const Identity& identity);
/// The inverse; corrupt when a part is missing, empty or cut off.
Result<Identity> parse_bundle(std::string_view text);

/// The files of a daemon's identity below one folder.
class IdentityFiles {
 public:
  /// `disk` outlives this; `dir` is made 0700 when first written to.
  IdentityFiles(Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}

  /// What save() wrote; nothing before the first.
  [[nodiscard]] Result<std::optional<Identity>> load() const;
  /// Replaces identity.pem (0600) as one step and forgets the pending key.
  [[nodiscard]] Status save(const Identity& identity) const;
  /// The key that this host is joining with, kept on disk until save(): a join that is tried again
  /// after a crash or a lost answer must show the same key, or its token is spent for nothing.
  [[nodiscard]] Result<std::string> pending_key(IdentityTool& tool) const;
  [[nodiscard]] std::string path() const { return dir_ + "/identity.pem"; }

 private:
  [[nodiscard]] std::string pending_path() const { return dir_ + "/pending.key"; }

  Disk& disk_;
  std::string dir_;
};

/// For links with other daemons: own certificate, peers must show one of the same CA.
net::SecurityConfig security_config(const Identity& identity);

}  // namespace drover::auth
