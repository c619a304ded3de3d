// Errors are values: Result<T> holds a T or an Error that says what failed, in which context.
// One closed list of codes maps to HTTP status, problem type, exit code and log severity.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace drover {

/// What kind of failure, independent of where it happened. Closed: add one only together with its
/// row in result.cpp.
enum class Code {
  invalid_argument,  ///< the request itself is wrong; retrying cannot help
  not_found,
  too_old,  ///< was there once, but is no longer kept (a place in the change log)
  already_exists,
  conflict,  ///< the state does not allow it
  stale,     ///< somebody else changed it first: the revision that was named is not its own
  precondition_required,  ///< refused without a revision, because it would replace blindly
  unauthenticated,        ///< who is asking is not known
  denied,                 ///< known, but not allowed
  unreachable,            ///< no path to the peer now; may heal
  timed_out,              ///< the deadline passed; the outcome may be unknown
  cancelled,
  exhausted,    ///< a limit was hit (queue full, too many links)
  too_large,    ///< an input is over its size limit
  corrupt,      ///< stored or received bytes are not what they must be
  unsupported,  ///< the peer or this build cannot do that
  io,           ///< the operating system refused
  internal,     ///< a defect of ours
};

/// How one Code shows at each border.
struct CodeInfo {
  std::string_view name;  ///< stable, kebab-case; the tail of the problem type URI
  int http_status;        ///< RFC 9110
  int exit_code;  ///< of the `drover` command: 1 failed, 2 usage, 3 unreachable, 4 denied, 5
                  ///< conflict
  std::string_view title;
};

const CodeInfo& info(Code code);

/// The Code whose name is `name`, or Code::internal when there is none (a newer peer's code).
Code code_from_name(std::string_view name);

/// A failure with its story. `message` says what and why; `context` what was being done, outermost
/// first; `next` the command or step that mends it, where one is known.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::string context;
  std::string next;

  /// "context: message" in one line, for logs and terminals.
  [[nodiscard]] std::string text() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message,
                                                std::string next = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}, std::move(next)});
}

/// Passes an error on, adding what was being done: fail_in("opening the store", error).
[[nodiscard]] tl::unexpected<Error> fail_in(std::string_view doing, Error error);

/// An Error from errno, e.g. errno_error("open /x").
[[nodiscard]] Error errno_error(std::string_view doing, int err);

}  // namespace drover

// Statements, not an expression: DROVER_TRY(auto x, f()) leaves x bound to the value or returns the
// error.
#define DROVER_CONCAT_(a, b) a##b
#define DROVER_CONCAT(a, b) DROVER_CONCAT_(a, b)
#define DROVER_TRY_IMPL_(tmp, decl, expr)                                     \
  auto tmp = (expr);                                                          \
  if (!tmp) return ::tl::unexpected<::drover::Error>(std::move(tmp).error()); \
  decl = *std::move(tmp)
#define DROVER_TRY(decl, expr) DROVER_TRY_IMPL_(DROVER_CONCAT(try_, __LINE__), decl, expr)
/// The same for a Status: returns its error, binds nothing.
#define DROVER_CHECK_OK(expr)                                                                 \
  do {                                                                                        \
    auto try_status = (expr);                                                                 \
    if (!try_status) return ::tl::unexpected<::drover::Error>(std::move(try_status).error()); \
  } while (false)
