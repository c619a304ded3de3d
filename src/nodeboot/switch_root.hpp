// Hands the machine to the init of an image, with the agent as a service in it.
#pragma once

#include "base/result.hpp"

#include <string>

namespace drover::nodeboot {

/// Puts the agent, its libraries and a unit for systemd below /run, which the image will see. Any
/// process of the first root.
Status place_agent(const std::string& image_root);

/// By PID 1: moves the mounts, makes `image_root` the root, frees what the first root held, runs
/// its init. Where that is no systemd the agent is started beside it. Returns only when it failed.
Status switch_root(const std::string& image_root);

}  // namespace drover::nodeboot
