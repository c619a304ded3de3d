// One command from its arguments to its exit code.
#include "base/text.hpp"
#include "cli/complete.hpp"
#include "cli/context.hpp"
#include "cli/live.hpp"
#include "cli/parse.hpp"
#include "cli/surroundings.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

int report(Surroundings& surroundings, const Error& error) {
  std::string text = fmt::format("drover: {}\n", printable(error.text(), true));
  if (!error.next.empty()) text += fmt::format("next: {}\n", printable(error.next, true));
  surroundings.err(text);
  return info(error.code).exit_code;
}

}  // namespace

int run(Surroundings& surroundings) {
  if (!surroundings.arguments.empty() && surroundings.arguments.front() == "__complete") {
    return run_complete(surroundings);
  }
  const Invocation invocation = parse(surroundings.arguments);
  if (invocation.command == nullptr) {
    (invocation.exit_code == 0 ? surroundings.out : surroundings.err)(invocation.text);
    return invocation.exit_code;
  }
  if (invocation.globals.has("watch")) {
    const auto code = run_live(invocation, surroundings);
    return code ? *code : report(surroundings, code.error());
  }
  auto context = Context::make(invocation.globals, surroundings);
  if (!context) return report(surroundings, context.error());
  const auto code = invocation.command->handler(**context, invocation.given);
  (*context)->report_degraded();
  return code ? *code : report(surroundings, code.error());
}

}  // namespace drover::cli
