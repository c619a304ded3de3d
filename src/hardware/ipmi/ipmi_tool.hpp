// Commands to BMCs that speak IPMI alone, by ipmitool(1): what it says becomes answers and errors.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// IPMI over LAN (IPMI 2.0 section 13.1.2, RMCP's primary port).
inline constexpr uint16_t kIpmiPort = 623;

/// Where a BMC is and as whom it is spoken to.
struct IpmiAccess {
  std::string host;  ///< address or name, as the node's spec has it
  uint16_t port = kIpmiPort;
  std::string user;
  std::string password;
};

/// The seam: tests put a machine of their own behind it.
class IpmiTool {
 public:
  using Words = std::vector<std::string>;
  using Done = Callback<void(Result<std::string>)>;
  IpmiTool() = default;
  IpmiTool(const IpmiTool&) = delete;
  IpmiTool& operator=(const IpmiTool&) = delete;
  virtual ~IpmiTool() = default;
  /// One command, such as {"chassis", "power", "status"}; `done` gets what it printed, once, never
  /// in here. Errors: unauthenticated (refused user or password; asked once, so that nothing locks
  /// the account), unreachable, timed_out, unsupported, not_found without the program, or io.
  virtual void run(const IpmiAccess& access, Words words, Done done) = 0;
};

struct IpmiToolOptions {
  std::string program = "ipmitool";
  size_t at_a_time = 16;  ///< processes
  Duration limit = std::chrono::seconds(30);
};

/// ipmitool as processes of this host. Executor's thread only. Destroying it waits for the commands
/// under way; no callback follows.
class IpmiToolProcesses final : public IpmiTool {
 public:
  explicit IpmiToolProcesses(Executor& executor, IpmiToolOptions options = {});
  ~IpmiToolProcesses() override;
  void run(const IpmiAccess& access, Words words, Done done) override;

 private:
  struct Job {
    IpmiAccess access;
    Words words;
    Done done;
    int cipher = 0;
  };
  struct Lane {
    std::unique_ptr<Worker> worker;
    bool busy = false;
  };
  void pump();
  void start(Lane& lane, const std::shared_ptr<Job>& job);
  void ended(Lane& lane, const std::shared_ptr<Job>& job, Result<std::string> outcome);

  Executor& executor_;
  IpmiToolOptions options_;
  std::deque<std::shared_ptr<Job>> waiting_;
  std::map<std::string, int> ciphers_;  ///< by "host:port": what it took last
  std::vector<std::unique_ptr<Lane>> lanes_;
};

/// The error that ipmitool's words stand for when it ended badly.
Error ipmi_error(const IpmiAccess& access, std::string_view output);

/// Whether they say that the BMC does not speak the cipher suite that was asked for.
bool refuses_cipher(std::string_view output);

}  // namespace drover::hardware
