// What a node boots once, the next time: an override that its next boot uses up.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Kind of these objects in the store; their key is the node's name.
inline constexpr std::string_view kBootNextKind = "boot-next";

/// How a node runs what it boots: the choices of the attribute boot_mode.
enum class BootMode : uint8_t {
  lean,   ///< the agent is all there is: init, no shell, no login
  image,  ///< the image's own system in memory
  disk,   ///< the image's own system, put on the node's disk
};
std::span<const std::string_view> enum_names(BootMode);

/// Body of a store object of kind kBootNextKind. What is not said stays as it is for the node.
struct BootNext {
  static constexpr std::string_view kTypeName = "BootNext";
  std::string node;
  std::string image;    ///< a reference, as in the attribute `image`
  std::string profile;  ///< stronger than everything that the node has
  std::optional<BootMode> mode;
  WallTime asked{};
  bool operator==(const BootNext&) const = default;
  void describe(Visitor& v);
};

/// Says what the node boots once; replaces what was said before. not_found without the node;
/// invalid_argument when nothing is said, or there is no such profile.
Status put_boot_next(store::Transaction& tx, BootNext next);
/// It was used up or is taken back; false when there was none.
Result<bool> erase_boot_next(store::Transaction& tx, const std::string& node);

}  // namespace drover::cluster
