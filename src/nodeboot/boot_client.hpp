// What a booting machine says to drover-boot: where it is, what its kernel writes, who it wants to
// be. One kept TLS connection, pinned to the cluster's CA.
#pragma once

#include "auth/boot_messages.hpp"
#include "auth/enrol_messages.hpp"
#include "net/http/http_session.hpp"
#include "nodeboot/command_line.hpp"

#include <map>
#include <memory>
#include <string>

namespace drover::nodeboot {

using Stage = auth::MachineStage;
using auth::StageReport;

/// Executor's thread only.
class BootClient {
 public:
  /// unreachable when the command's CA makes no security.
  static Result<std::unique_ptr<BootClient>> make(Executor& executor, net::Net& net,
                                                  const BootCommand& command);

  /// With keys of the caller's own: a node that has its certificate shows it, since the token ends.
  BootClient(Executor& executor, net::Net& net, const BootCommand& command,
             std::shared_ptr<net::Security> security);

  /// Tells a stage; an older one that still waits is told before. The uptime is put in, and a
  /// reason that is too long is cut. Failures are for `done`, which may be empty.
  void stage(StageReport report, Callback<void(Status)> done = {});
  /// Lines as in os/kernel_log.hpp, each with its end.
  void log(std::string lines, Callback<void(Status)> done);
  /// denied: the token is unknown, over or was used with another key. An answer names at least one
  /// aggregator, each as Endpoint::text().
  void enrol(const std::string& csr_pem, const std::string& boot_id,
             Callback<void(Result<auth::EnrolAnswer>)> done);
  /// The node's secrets by name, once in a boot: denied afterwards.
  void secrets(Callback<void(Result<std::map<std::string, std::string>>)> done);

 private:
  void post(std::string_view what, std::string body, std::string_view type,
            Callback<void(Result<net::HttpResponse>)> done);

  Executor& executor_;
  std::string authorization_;
  net::HttpSession session_;
};

}  // namespace drover::nodeboot
