// The common form of SMD's routes.
#pragma once

#include "api/router.hpp"

#include <string_view>
#include <utility>

namespace drover::api::smd {

/// Reads are for viewers; changes for operators, and for who is limited to some nodes as far as
/// authorize() (manners.hpp) lets them.
inline Route smd_route(std::string_view method, std::string_view path, std::string_view summary,
                       Handler handler) {
  Route out;
  out.method = method;
  out.path = path;
  out.summary = summary;
  out.privilege = method == "GET" ? auth::Privilege::view : auth::Privilege::operate;
  out.on_nodes = method != "GET";
  out.dialect = Dialect::smd;
  out.handler = std::move(handler);
  return out;
}

}  // namespace drover::api::smd
