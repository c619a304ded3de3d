// What can be asked of any running daemon on its own host: its log levels, and to read its file
// again. The structs of these requests, and the interface behind them.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

struct ComponentLevel {
  static constexpr std::string_view kTypeName = "ComponentLevel";
  std::string component;
  std::string level;
  std::string origin;
  void describe(Visitor& v);
};

struct LogLevelsView {
  static constexpr std::string_view kTypeName = "LogLevels";
  std::string level;
  std::string origin;
  std::vector<ComponentLevel> components;
  std::map<std::string, std::string> by_hand;
  void describe(Visitor& v);
};

struct LogLevelsRequest {
  static constexpr std::string_view kTypeName = "LogLevelsRequest";
  std::map<std::string, std::string> levels;
  void describe(Visitor& v);
};

/// An option whose value in the configuration is another than the one in use.
struct ReloadedOption {
  static constexpr std::string_view kTypeName = "ReloadedOption";
  std::string key;
  std::string before;
  std::string after;
  bool live = false;
  void describe(Visitor& v);
};

struct ReloadView {
  static constexpr std::string_view kTypeName = "Reload";
  std::string file;
  std::vector<ReloadedOption> options;
  void describe(Visitor& v);
};

/// Executor's thread only.
class DaemonControl {
 public:
  DaemonControl() = default;
  DaemonControl(const DaemonControl&) = delete;
  DaemonControl& operator=(const DaemonControl&) = delete;
  virtual ~DaemonControl() = default;
  [[nodiscard]] virtual LogLevelsView log_levels() = 0;
  /// All that is set by hand from now on; nothing: back to the settings.
  virtual Status set_log_levels(const LogLevelsRequest& request) = 0;
  /// Reads the configuration again; an error changes nothing.
  virtual Result<ReloadView> reload() = 0;
};

}  // namespace drover::api
