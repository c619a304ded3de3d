#include "base/log.hpp"

#include "base/clock.hpp"
#include "base/log_levels.hpp"
#include "base/text.hpp"

#include <cstdio>
#include <ctime>

#include <fmt/core.h>

namespace drover {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out.push_back(c);
    }
  }
}

int syslog_priority(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return 7;
    case Severity::info:
      return 6;
    case Severity::notice:
      return 5;
    case Severity::warning:
      return 4;
    case Severity::error:
      return 3;
  }
  return 6;
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return "debug";
    case Severity::info:
      return "info";
    case Severity::notice:
      return "notice";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "info";
}

std::string format(const LogRecord& record) {
  std::string out;
  append_escaped(out, record.component);
  out += ": ";
  append_escaped(out, record.text);
  for (const auto& [key, value] : record.fields) {
    out.push_back(' ');
    append_escaped(out, key);
    out.push_back('=');
    const bool quote = value.empty() || value.find_first_of(" \"=\t\n") != std::string::npos;
    if (quote) out.push_back('"');
    for (const char c : value) {
      if (c == '"') out.push_back('\\');
      append_escaped(out, {&c, 1});
    }
    if (quote) out.push_back('"');
  }
  return out;
}

namespace {

/// `text` in quotes, valid JSON whatever bytes it holds.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace

std::string format_line(const LogRecord& record, LogForm form, std::string_view time) {
  switch (form) {
    case LogForm::journald:
      return fmt::format("<{}>{}\n", syslog_priority(record.severity), format(record));
    case LogForm::text:
      return fmt::format("{} {:<7} {}\n", time, name(record.severity), format(record));
    case LogForm::json:
      break;
  }
  std::string fields;
  for (const auto& [key, value] : record.fields) {
    fields += fmt::format("{}{}:{}", fields.empty() ? "" : ",", quoted(key), quoted(value));
  }
  return fmt::format(R"({{"time":{},"severity":{},"component":{},"message":{},"fields":{{{}}}}})"
                     "\n",
                     quoted(time), quoted(name(record.severity)), quoted(record.component),
                     quoted(record.text), fields);
}

void StderrSink::write(const LogRecord& record) {
  if (!levels_.passes(record.severity, record.component)) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const WallTime wall{std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)};
  const std::string line = format_line(record, form_, to_rfc3339(wall));
  // One write per line keeps lines whole across threads and processes.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace drover
