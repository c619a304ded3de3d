#include "auth/enrol_messages.hpp"

namespace drover::auth {

void EnrolRequest::describe(Visitor& v) {
  v.field("csr_pem", csr_pem, "Signing request (PKCS #10, PEM) of this boot's key.");
  v.field("boot_id", boot_id, "The kernel's id of this boot.", Presence::optional);
}

void EnrolAnswer::describe(Visitor& v) {
  v.field("certificate_pem", certificate_pem, "Certificate of the node's agent.");
  v.field("ca_pem", ca_pem, "Certificate of the cluster's authority.");
  v.field("cluster", cluster, "The cluster's id.");
  v.field("name", name, "Name of the node.");
  v.field("role", role, "Role of its agent.");
  v.field("aggregators", aggregators, "Where aggregators listen for the tree.");
}

}  // namespace drover::auth
