// What drover-boot answers machines: their scripts, what a token lets them have, and what becomes
// of what they report.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "boot/io/boot_handler.hpp"
#include "boot/io/http_boot_service.hpp"
#include "boot/site/site.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/boot/stage_book.hpp"
#include "daemons/boot/token_book.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::daemons {

/// One executor's thread.
class BootDesk final : public boot::BootHandler {
 public:
  /// Asks a master to let the node in with the key of this request.
  using Enrol = Callback<void(const std::string& node, const auth::EnrolRequest& request,
                              Callback<void(Result<auth::EnrolAnswer>)> answer)>;
  /// Asks a master for a node's secrets.
  using Secrets =
      Callback<void(const std::string& node, Callback<void(Result<boot::BootSecrets>)> answer)>;
  /// References outlive the desk.
  struct Parts {
    Executor& executor;
    Random& random;
    StageBook& stages;
    NodeLogs& logs;
    Enrol enrol;
    Secrets secrets;
  };

  explicit BootDesk(Parts parts);

  /// The cluster as it is from now on; both outlive their use here.
  void serve(boot::Site& site, const cluster::Model& model);
  /// Images have changed.
  void images_changed();
  /// What the HTTP service saw: loaders and kernels on their way are signs of a machine.
  void on_http(const boot::HttpBootEvent& event);
  /// The node that was last given a script at that address, else the one whose address it is;
  /// empty: none.
  [[nodiscard]] std::string node_at(const std::string& address) const;

  Result<boot::ServedScript> script(const boot::ScriptQuery& query) override;
  Result<boot::BootClaim> check(std::string_view token, const std::string& source) override;
  Result<boot::BootClaim> check_certificate(const std::string& uri) override;
  Status may_have(const std::string& sha256, std::string_view token,
                  const std::string& source) override;
  Status stage(const boot::BootClaim& claim, const boot::StageReport& report) override;
  Status log(const boot::BootClaim& claim, std::string_view lines) override;
  void enrol(const boot::BootClaim& claim, std::string_view token, auth::EnrolRequest request,
             Callback<void(Result<auth::EnrolAnswer>)> reply) override;
  void secrets(const boot::BootClaim& claim, std::string_view token, const std::string& source,
               Callback<void(Result<boot::BootSecrets>)> reply) override;
  /// The tokens that were given out.
  [[nodiscard]] TokenBook& tokens() { return tokens_; }

 private:
  void note_refusal(const boot::HttpBootEvent& event);
  [[nodiscard]] std::vector<std::string> addresses_of(const std::string& mac,
                                                      const std::string& source) const;
  enum class Part : uint8_t { kernel, initrd, root };

  Parts parts_;
  TokenBook tokens_;
  boot::Site* site_ = nullptr;
  const cluster::Model* model_ = nullptr;
  std::map<std::string, Part, std::less<>> blobs_;        ///< what the model names
  std::unordered_map<std::string, std::string> node_at_;  ///< by address; lookup only
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
