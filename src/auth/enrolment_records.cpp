#include "auth/enrolment_records.hpp"

namespace drover::auth {

void TokenRecord::describe(Visitor& v) {
  v.field("id", id, "Names the token; not secret.");
  v.field("secret_sha256", secret_sha256, "SHA-256 of the secret.");
  v.field("role", role, "Role of the daemons that it lets in.");
  v.field("names", names, "Noderange of the names that may use it; empty: any.",
          Presence::optional);
  v.field("replace", replace, "May give a name to another key.", Presence::optional);
  v.field("uses", uses, "How many daemons it lets in.");
  v.field("uses_left", uses_left, "How many of them are left.");
  v.field("expires", expires, "When it ends.");
  v.field("created_by", created_by, "Who made it.");
  v.field("created", created, "When it was made.");
}

void Credential::describe(Visitor& v) {
  v.field("role", role, "The daemon's role.");
  v.field("name", name, "The daemon's name.");
  v.field("key_sha256", key_sha256, "SHA-256 of its public key.");
  v.field("previous_key_sha256", previous_key_sha256, "The key before the last renewal.",
          Presence::optional);
  v.field("serial", serial, "Serial number of its certificate.");
  v.field("expires", expires, "When its certificate ends.");
  v.field("enrolled", enrolled, "When it was let in.");
  v.field("renewed", renewed, "When its certificate was last renewed.", Presence::optional);
  v.field("token", token, "The token that let it in.", Presence::optional);
  v.field("revoked", revoked, "It may no longer take part.", Presence::optional);
  v.field("revoked_at", revoked_at, "When it was revoked.", Presence::optional);
  v.field("revoked_by", revoked_by, "Who revoked it.", Presence::optional);
  v.field("why", why, "Why it was revoked.", Presence::optional);
  v.field("retired", retired, "Earlier keys of the name that are refused.", Presence::optional);
}

void RetiredKey::describe(Visitor& v) {
  v.field("key_sha256", key_sha256, "SHA-256 of the public key.");
  v.field("expires", expires, "When its last certificate ends.");
}

std::string credential_key(std::string_view role, std::string_view name) {
  return std::string(role) + "/" + std::string(name);
}

}  // namespace drover::auth
