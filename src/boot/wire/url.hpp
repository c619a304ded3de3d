// URLs of settings, put together for one client.
#pragma once

#include "boot/wire/bytes.hpp"

#include <string_view>

namespace drover::boot {

/// Appends `text` to `out` with every "{server}" replaced by `server`.
inline void expand_server(Writer& out, std::string_view text, std::string_view server) {
  constexpr std::string_view kServer = "{server}";
  while (true) {
    const size_t at = text.find(kServer);
    out.bytes(text.substr(0, at));
    if (at == std::string_view::npos) return;
    out.bytes(server);
    text.remove_prefix(at + kServer.size());
  }
}

}  // namespace drover::boot
