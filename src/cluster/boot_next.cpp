#include "cluster/boot_next.hpp"

#include "cluster/field_rules.hpp"
#include "cluster/mutations.hpp"
#include "cluster/profile.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kModeNames{"lean", "image", "disk"};

}  // namespace

std::span<const std::string_view> enum_names(BootMode) {
  return kModeNames;
}

void BootNext::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("image", image, "The image of that boot; empty: the node's own.", Presence::optional);
  v.field("profile", profile, "A profile that is stronger than all else in that boot; empty: none.",
          Presence::optional);
  v.field("mode", mode, "How that boot runs: lean, image or disk; null: as the node does.",
          Presence::optional);
  v.field("asked", asked, "When it was asked for.", Presence::optional);
}

Status put_boot_next(store::Transaction& tx, BootNext next) {
  DROVER_CHECK_OK(read_node(tx, next.node));
  if (next.image.empty() && next.profile.empty() && !next.mode) {
    return fail(Code::invalid_argument, "nothing is said of the next boot",
                "name an image, a profile or a mode");
  }
  DROVER_CHECK_OK(check_plain_text("image", next.image, kMaxAttributeValue));
  if (!next.profile.empty()) {
    DROVER_CHECK_OK(check_set_name("profile", next.profile));
    DROVER_TRY(const auto profile, tx.get(kProfileKind, next.profile));
    if (!profile) return bad_field("profile", next.profile, "there is no such profile");
  }
  next.asked = from_unix_ms(tx.time_ms());
  DROVER_CHECK_OK(tx.put(kBootNextKind, next.node, encode(next)));
  return {};
}

Result<bool> erase_boot_next(store::Transaction& tx, const std::string& node) {
  return tx.erase(kBootNextKind, node);
}

}  // namespace drover::cluster
