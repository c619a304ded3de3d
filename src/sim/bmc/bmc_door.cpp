#include "sim/bmc/bmc_door.hpp"

#include "base/base64.hpp"

#include <algorithm>

namespace drover::sim {
namespace {

/// Basic authentication's "user:password"; empty when it is none (RFC 7617 section 2).
std::string basic_credentials(const net::HttpRequest& request) {
  const std::string_view given = request.headers.get("Authorization").value_or("");
  if (!given.starts_with("Basic ")) return {};
  std::string text(given.substr(6));
  text.erase(std::ranges::find(text, '='), text.end());
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return from_base64url(text).value_or("");
}

}  // namespace

bool BmcDoor::locked() const {
  return traits_.lock_out_after != 0 && wrong_ >= traits_.lock_out_after;
}

bool BmcDoor::right(std::string_view user, std::string_view password) {
  const bool same = user == traits_.user && password == traits_.password;
  if (!same) ++wrong_;
  return same && !locked();
}

bool BmcDoor::admits(const net::HttpRequest& request) {
  if (const auto token = request.headers.get("X-Auth-Token"); token && traits_.sessions) {
    const auto session = sessions_.find(std::string(*token));
    if (session == sessions_.end()) return false;
    if (clock_.now() - session->second > traits_.session_time) {
      sessions_.erase(session);
      return false;
    }
    session->second = clock_.now();
    return true;
  }
  const std::string credentials = basic_credentials(request);
  const size_t colon = credentials.find(':');
  if (colon == std::string::npos) return false;
  const std::string_view view = credentials;
  return right(view.substr(0, colon), view.substr(colon + 1));
}

std::string BmcDoor::open_session(std::string_view user, std::string_view password) {
  if (!right(user, password)) return {};
  std::string token = random_.hex(16);
  sessions_[token] = clock_.now();
  return token;
}

}  // namespace drover::sim
