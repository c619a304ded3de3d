#include "api/bss/forms.hpp"

namespace drover::api::bss {
namespace {

constexpr auto kMay = Presence::patch;

}  // namespace

void BootParameters::describe(Visitor& v) {
  v.field("hosts", hosts,
          "Xnames or names of nodes, roles, groups, Default, Global, Unknown-ARCHITECTURE.", kMay);
  v.field("macs", macs, "MACs of nodes, or of machines that are none yet.", kMay);
  v.field("nids", nids, "Numbers of nodes.", kMay);
  v.field("params", params, "Arguments of the kernel.", kMay);
  v.field("kernel", kernel, "URL of the kernel.", kMay);
  v.field("initrd", initrd, "URL of its initrd.", kMay);
}
void StorageBackend::describe(Visitor& v) {
  v.field("name", name, "Where it is kept.");
  v.field("status", status, "connected.");
}
void ServiceStatus::describe(Visitor& v) {
  v.field("bss-version", version, "The version.", kMay);
  v.field("bss-status", status, "running.", kMay);
  v.field("bss-status-hsm", hsm, "connected.", kMay);
  v.field("bss-storage-backend", storage, "Where boot parameters are kept.", kMay);
}
void Host::describe(Visitor& v) {
  component.describe(v);
  v.field("FQDN", fqdn, "Its name.");
  v.field("MAC", macs, "MACs of its interfaces.");
  v.field("EndpointEnabled", endpoint_enabled, "Always true.");
}
void Access::describe(Visitor& v) {
  v.field("name", name, "Xname.");
  v.field("endpoint", endpoint, "bootscript.");
  v.field("last_epoch", last_epoch, "When, in seconds since 1970.");
}
void StateDump::describe(Visitor& v) {
  v.field("Components", components, "The nodes.");
  v.field("Params", params, "All boot parameters.");
}

}  // namespace drover::api::bss
