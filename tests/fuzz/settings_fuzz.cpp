// Settings from above: whatever comes, what is in force keeps the catalogue's rules, and what is
// passed on is the same for those below.
#include "daemons/log_control.hpp"
#include "daemons/settings_board.hpp"
#include "fuzz.hpp"

namespace {

class Silent final : public drover::LogSink {
 public:
  void write(const drover::LogRecord&) override {}
};

}  // namespace

DROVER_FUZZ_TARGET(input) {
  using namespace drover;
  Silent sink;
  daemons::SettingsBoard board(Log(sink, "fuzz"), {});
  if (!board.take(input, true)) return;
  for (const cluster::SettingRow& row : cluster::setting_catalogue()) {
    const std::string& value = board.in_force().text(row.option.key);
    const auto checked = cluster::check_setting(row.option.key, value);
    fuzz::require(checked.has_value() || value == row.option.standard,
                  "what is in force keeps the rules");
  }
  daemons::LogControl logs(board.in_force());
  (void)logs.view();
  daemons::SettingsBoard below(Log(sink, "fuzz"), {});
  fuzz::require(below.take(board.message(true), true), "what is passed on is taken");
  fuzz::require(below.in_force() == board.in_force(), "and is the same");
}
