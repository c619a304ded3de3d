// The manual page of a daemon, made from its table of settings. Pure.
#pragma once

#include "base/config.hpp"

#include <string>

namespace drover::daemons {

/// drover-master(8) and the like, for the macros of man(7): what --man prints.
std::string manual_page(const ConfigTable& table);

}  // namespace drover::daemons
