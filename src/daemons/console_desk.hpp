// The consoles of a master: it holds them, opens them by what the model and the store say, keeps
// what they say and tells the audit who was there.
#pragma once

#include "api/console_source.hpp"
#include "api/console_targets.hpp"
#include "auth/audit.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/seams.hpp"
#include "hardware/console/console_hub.hpp"
#include "hardware/console/console_programs.hpp"
#include "hardware/console/console_record.hpp"
#include "hardware/console/program_line.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>

namespace drover::daemons {

/// One executor's thread.
class ConsoleDesk final : public api::ConsoleSource, private hardware::ConsoleDialler {
 public:
  /// References and pointers outlive the desk.
  struct Parts {
    Seams seams;
    api::PowerServices power;             ///< the model, the store, and what gets into BMCs
    hardware::ConsolePrograms* programs;  ///< null: only sockets are reached
    std::string dir;                      ///< where the logs are, and the SSH keys that were seen
    std::string daemon;                   ///< "master/m1", for the audit
    Callback<void(const auth::AuditRecord&)> audit;  ///< may be empty
  };
  explicit ConsoleDesk(Parts parts);
  ~ConsoleDesk() override;

  /// Opens those that are to be held.
  Status start();
  /// The master's model has taken these.
  void follow(std::span<const store::Change> changes);
  void node_changed(const cluster::Model::NodeEvent& event);

  hardware::ConsoleHub& hub() override { return hub_; }
  void read(const std::string& node, WallTime since, Found found) override;
  uint64_t listen(Listener listener) override;
  void unlisten(uint64_t id) override { listeners_.erase(id); }

 private:
  class Way;
  std::unique_ptr<hardware::ConsoleLine> dial(const std::string& node,
                                              hardware::ConsoleLineEvents events) override;
  void look_soon();
  void look();
  void keep(const std::string& node, std::string_view bytes);
  void keep(const std::string& node, const hardware::ConsoleCutter::Piece& piece);
  void keep_rests(WallTime until);
  void note(const std::string& node, std::string_view text);
  void met(const std::string& node, const hardware::ConsoleViewer& viewer, bool came);

  Parts parts_;
  Log log_;
  NodeLogs logs_;
  std::map<std::string, hardware::ConsoleCutter> cutters_;
  Timer cut_;
  bool cutting_ = false;
  Timer look_;
  bool looking_ = false;
  std::map<std::string, api::ConsoleTarget> targets_;  ///< by which each was opened last
  std::map<std::string, int> ciphers_;  ///< by "ADDRESS:PORT", that its BMC took; else the newest
  std::map<uint64_t, Listener> listeners_;
  uint64_t last_listener_ = 0;
  hardware::ConsoleHub hub_;
};

}  // namespace drover::daemons
