// Consoles as the API shows them.
#pragma once

#include "base/describe.hpp"
#include "hardware/console/console_hub.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::api {

/// Bytes that are typed in one request, encoded, at most.
inline constexpr size_t kMostTyped = size_t{16} << 10;

struct ConsoleViewerView {
  static constexpr std::string_view kTypeName = "ConsoleViewer";
  std::string who;
  std::string origin;
  bool writes = false;
  WallTime since{};
  void describe(Visitor& v);
};

struct ConsoleView {
  static constexpr std::string_view kTypeName = "Console";
  std::string node;
  hardware::ConsoleState state = hardware::ConsoleState::idle;
  WallTime since{};
  std::string why;
  std::string next;
  std::string kind;
  std::string to;
  bool held = false;
  uint64_t bytes = 0;
  std::vector<ConsoleViewerView> viewers;
  void describe(Visitor& v);
};
ConsoleView console_view(const std::string& node, const hardware::ConsoleStatus& status,
                         const std::vector<hardware::ConsoleViewer>& viewers);

/// One line of GET /nodes/{name}/console.
struct ConsoleEvent {
  static constexpr std::string_view kTypeName = "ConsoleEvent";
  std::string session;
  std::optional<ConsoleView> console;
  std::string data;
  uint64_t end = 0;
  uint64_t lost = 0;
  std::string over;
  void describe(Visitor& v);
};

/// The body of POST /nodes/{name}/console/input.
struct ConsoleInput {
  static constexpr std::string_view kTypeName = "ConsoleInput";
  std::string session;
  uint64_t sequence = 0;
  std::string data;
  bool sends_break = false;
  void describe(Visitor& v);
};

/// One line of GET /nodes/{name}/console/recording.
struct ConsoleRecord {
  static constexpr std::string_view kTypeName = "ConsoleRecord";
  WallTime time{};
  std::string data;
  std::string note;
  bool end = false;
  void describe(Visitor& v);
};

}  // namespace drover::api
