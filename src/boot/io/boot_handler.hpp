// What the HTTP boot service asks of the daemon that runs it: scripts, who a token is, and where
// stages, kernel messages and enrolments go.
#pragma once

#include "auth/boot_messages.hpp"
#include "auth/enrol_messages.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "net/http/http_body.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::boot {

using auth::BootSecrets;
using auth::MachineStage;
using auth::StageReport;

/// Who asks for a boot script. What stands in the query is what the machine says of itself and
/// proves nothing; empty where it says nothing.
struct ScriptQuery {
  std::string mac;
  std::string name;
  std::string nid;
  std::string xname;
  std::string arch;
  std::string retry;    ///< how often it has tried before, in digits
  std::string format;   ///< "grub"; "args" for the kernel's command line alone; else iPXE
  std::string source;   ///< its address as the network knows it, without the port
  std::string host;     ///< the Host field: the service as the machine reached it, "10.77.0.1:8080"
  bool secure = false;  ///< it asks over TLS
};

/// The script for a machine.
struct ServedScript {
  std::string text;
  std::string node;  ///< whose it is; empty for an unknown machine
};

/// What a boot token stands for.
struct BootClaim {
  std::string node;
  std::string mac;
};

/// Implemented by the daemon. All on the executor's thread; errors become answers by their Code,
/// with their text.
class BootHandler {
 public:
  BootHandler() = default;
  BootHandler(const BootHandler&) = delete;
  BootHandler& operator=(const BootHandler&) = delete;
  virtual ~BootHandler() = default;

  virtual Result<ServedScript> script(const ScriptQuery& query) = 0;
  /// Whose token that is, for a machine at that address: unauthenticated for one that is unknown,
  /// expired, or bound to another address.
  virtual Result<BootClaim> check(std::string_view token, const std::string& source) = 0;
  /// Whose certificate of the cluster that is: a node that runs outlives its token, and a restart
  /// of the boot daemon. `uri` is that of a certificate which the transport has verified.
  virtual Result<BootClaim> check_certificate(const std::string& uri) {
    return fail(Code::unauthenticated, "no certificate is taken here: " + uri);
  }
  /// Whether that blob may go to that address: anybody may have kernels and initrds, a root needs a
  /// token (empty: none was given); not_found for what no image names.
  virtual Status may_have(const std::string& sha256, std::string_view token,
                          const std::string& source) = 0;
  virtual Status stage(const BootClaim& claim, const StageReport& report) = 0;
  /// Lines as /dev/kmsg gives them, whole ones.
  virtual Status log(const BootClaim& claim, std::string_view lines) = 0;
  /// `reply` runs once, in here or later; the machine may be gone by then.
  virtual void enrol(const BootClaim& claim, std::string_view token, auth::EnrolRequest request,
                     Callback<void(Result<auth::EnrolAnswer>)> reply) = 0;
  /// The node's secrets by name, once for a token: denied afterwards. `reply` as above.
  virtual void secrets(const BootClaim& claim, std::string_view token, const std::string& source,
                       Callback<void(Result<BootSecrets>)> reply) {
    (void)token;
    (void)source;
    reply(fail(Code::unsupported, "no secrets are kept here for " + claim.node));
  }
};

/// Where blobs come from: the BlobStore of this host, or one that fetches what is missing.
class BlobSource {
 public:
  BlobSource() = default;
  BlobSource(const BlobSource&) = delete;
  BlobSource& operator=(const BlobSource&) = delete;
  virtual ~BlobSource() = default;
  using Found = Callback<void(Result<std::shared_ptr<const net::HttpBody>>)>;
  /// `sha256` is 64 lower-case hex digits. `found` runs once, in here or later.
  virtual void find(const std::string& sha256, Found found) = 0;
};

/// A boot loader in memory.
struct LoaderFile {
  std::shared_ptr<const std::string> bytes;
  std::string sha256;
};

/// Boot loaders by name, for TFTP and HTTP alike.
class LoaderSource {
 public:
  LoaderSource() = default;
  LoaderSource(const LoaderSource&) = delete;
  LoaderSource& operator=(const LoaderSource&) = delete;
  virtual ~LoaderSource() = default;
  /// Null when there is none of that name. Valid until the source is filled again.
  [[nodiscard]] virtual const LoaderFile* find(std::string_view name) const = 0;
};

}  // namespace drover::boot
