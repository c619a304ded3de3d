// One question to every boot daemon, and their answers line by line.
#pragma once

#include "api/services.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Asks the daemons that are linked when it is made. Destroying it, which an event may do, leaves
/// them. One executor's thread.
class BootFan {
 public:
  struct Events {
    Callback<void(size_t daemon, std::string_view line)> on_line;
    /// Once each: an error when its answer was refused or cut off.
    Callback<void(size_t daemon, const Status& end)> on_end;
  };

  /// `body` goes to `target` of each.
  BootFan(BootDaemons& daemons, std::string_view target, const std::string& body, Events events);
  BootFan(const BootFan&) = delete;
  BootFan& operator=(const BootFan&) = delete;
  ~BootFan();

  /// Those that were asked, in natural order of names.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Pushes back on one that is ahead of the others or of the reader.
  void pause(size_t daemon, bool paused);

 private:
  struct Way;
  void take(Way& way, std::string_view chunk);
  void end(Way& way, Status status);

  Events events_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Way>> ways_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api
