// Structured logging: a component, a severity, a text and key=value fields. The sink is a seam too,
// so that simulated daemons write with virtual time into the run's trace.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace drover {

enum class Severity { debug, info, notice, warning, error };
std::string_view name(Severity severity);

/// One line for the operator. Fields keep their order. Secrets never go in.
struct LogRecord {
  Severity severity = Severity::info;
  std::string_view component;
  std::string_view text;
  std::initializer_list<std::pair<std::string_view, std::string>> fields;
};

/// Where records go. Implementations: StderrSink (text, journald priorities), a simulated one.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  virtual void write(const LogRecord& record) = 0;
};

/// A component's handle on the sink; cheap to copy. The sink must outlive it.
class Log {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;
  Log(LogSink& sink, std::string_view component) : sink_(&sink), component_(component) {}
  [[nodiscard]] Log with(std::string_view component) const { return {*sink_, component}; }

  void debug(std::string_view text, Fields fields = {}) const {
    sink_->write({Severity::debug, component_, text, fields});
  }
  void info(std::string_view text, Fields fields = {}) const {
    sink_->write({Severity::info, component_, text, fields});
  }
  void notice(std::string_view text, Fields fields = {}) const {
    sink_->write({Severity::notice, component_, text, fields});
  }
  void warning(std::string_view text, Fields fields = {}) const {
    sink_->write({Severity::warning, component_, text, fields});
  }
  void error(std::string_view text, Fields fields = {}) const {
    sink_->write({Severity::error, component_, text, fields});
  }

 private:
  LogSink* sink_;
  std::string_view component_;
};

/// Text of one record without time: `component: text key=value key="two words"`. Control bytes are
/// escaped, so a hostile name cannot forge a line or steer a terminal.
std::string format(const LogRecord& record);

/// The form of a line.
enum class LogForm {
  text,      ///< RFC 3339 time, severity, component: text key=value
  journald,  ///< "<n>component: text key=value": syslog's number for the severity (sd-daemon(3))
  json,      ///< one object: time, severity, component, message, fields
};

/// One line of a form, with its newline. `time` is as RFC 3339.
std::string format_line(const LogRecord& record, LogForm form, std::string_view time);

class LogLevels;

/// Lines on standard error of what the levels let pass. Thread-safe; `levels` outlive it.
class StderrSink final : public LogSink {
 public:
  StderrSink(LogLevels& levels, LogForm form) : levels_(levels), form_(form) {}
  void write(const LogRecord& record) override;

 private:
  LogLevels& levels_;
  LogForm form_;
};

}  // namespace drover
