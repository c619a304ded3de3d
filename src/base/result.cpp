#include "base/result.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace drover {
namespace {

constexpr std::array<CodeInfo, 18> kCodes{{
    {"invalid-argument", 400, 2, "The request is not valid"},
    {"not-found", 404, 1, "Not found"},
    {"too-old", 410, 1, "No longer kept"},
    {"already-exists", 409, 5, "Already exists"},
    {"conflict", 409, 5, "Conflicts with the current state"},
    {"stale", 412, 5, "Changed by somebody else meanwhile"},
    {"precondition-required", 428, 2, "The revision must be named"},
    {"unauthenticated", 401, 4, "Not authenticated"},
    {"denied", 403, 4, "Not allowed"},
    {"unreachable", 503, 3, "Not reachable"},
    {"timed-out", 504, 3, "Timed out"},
    {"cancelled", 499, 1, "Cancelled"},
    {"exhausted", 429, 1, "A limit was reached"},
    {"too-large", 413, 2, "Too large"},
    {"corrupt", 422, 1, "Corrupt data"},
    {"unsupported", 501, 2, "Not supported"},
    {"io", 500, 1, "The operating system refused"},
    {"internal", 500, 1, "Internal error"},
}};

}  // namespace

const CodeInfo& info(Code code) {
  return kCodes.at(static_cast<size_t>(code));
}

Code code_from_name(std::string_view name) {
  for (size_t i = 0; i < kCodes.size(); ++i) {
    if (kCodes[i].name == name) return static_cast<Code>(i);
  }
  return Code::internal;
}

std::string Error::text() const {
  return context.empty() ? message : context + ": " + message;
}

tl::unexpected<Error> fail_in(std::string_view doing, Error error) {
  error.context =
      error.context.empty() ? std::string(doing) : std::string(doing) + ": " + error.context;
  return tl::unexpected<Error>(std::move(error));
}

Error errno_error(std::string_view doing, int err) {
  Code code = Code::io;
  if (err == ENOENT) code = Code::not_found;
  if (err == EACCES || err == EPERM) code = Code::denied;
  if (err == ECONNREFUSED || err == EHOSTUNREACH || err == ENETUNREACH || err == ECONNRESET ||
      err == EPIPE) {
    code = Code::unreachable;
  }
  if (err == ENOSPC || err == EDQUOT || err == EMFILE || err == ENFILE) code = Code::exhausted;
  if (err == ETIMEDOUT) code = Code::timed_out;
  std::array<char, 128> buffer{};
  return Error{code, strerror_r(err, buffer.data(), buffer.size()), std::string(doing), {}};
}

}  // namespace drover
