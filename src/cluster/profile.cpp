#include "cluster/profile.hpp"

#include "cluster/attribute_catalogue.hpp"
#include "cluster/field_rules.hpp"

namespace drover::cluster {

void Profile::describe(Visitor& v) {
  v.field("name", name, "Name of the profile.");
  v.field("description", description, "Free text.", Presence::optional);
  v.field("inherits", inherits, "Profiles whose attributes it has too, strongest first.",
          Presence::optional);
  v.field("attributes", attributes, "Attributes; values may hold formulas.", Presence::optional);
}

Status normalise(Profile& profile) {
  DROVER_CHECK_OK(check_set_name("name", profile.name));
  DROVER_CHECK_OK(check_plain_text("description", profile.description, kMaxDescription));
  DROVER_CHECK_OK(check_set_names("inherits", profile.inherits));
  return check_attributes("attributes", profile.attributes);
}

}  // namespace drover::cluster
