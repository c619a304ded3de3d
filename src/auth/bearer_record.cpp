#include "auth/bearer_record.hpp"

#include <array>

namespace drover::auth {

std::span<const std::string_view> enum_names(BearerForm) {
  static constexpr std::array<std::string_view, 2> kNames{"token", "certificate"};
  return kNames;
}

void BearerRecord::describe(Visitor& v) {
  v.field("id", id, "Names the credential; not secret.");
  v.field("name", name, "Whom it speaks for: the principal is credential:NAME.");
  v.field("form", form, "A bearer token, or a person's certificate.", Presence::optional);
  v.field("role", role, "What it allows.");
  v.field("nodes", nodes, "Noderange of the nodes that may be changed with it; empty: no limit.",
          Presence::optional);
  v.field("groups", groups, "Groups of its bearer, for the permissions of nodes.",
          Presence::optional);
  v.field("key_sha256", key_sha256, "SHA-256 of a certificate's key; empty for a token.",
          Presence::optional);
  v.field("serial", serial, "A certificate's serial number; empty for a token.",
          Presence::optional);
  v.field("created", created, "When it was made.");
  v.field("created_by", created_by, "Who made it.");
  v.field("expires", expires, "When it ends.");
  v.field("revoked", revoked, "It is refused since revoked_at.", Presence::optional);
  v.field("revoked_at", revoked_at, "When it was revoked.", Presence::optional);
  v.field("revoked_by", revoked_by, "Who revoked it.", Presence::optional);
  v.field("why", why, "Why it was revoked.", Presence::optional);
}

}  // namespace drover::auth
