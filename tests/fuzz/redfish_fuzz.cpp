// What BMCs send: the first byte says what kind of resource, the rest is its body. Whatever comes,
// the inventory stays within its bounds, and is the same after writing and reading.
#include "fuzz.hpp"
#include "hardware/discovery/bmc_scan.hpp"
#include "hardware/redfish/crawl_findings.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover;
  using namespace drover::hardware;
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  fuzz::require(redfish_error_text(text).size() <= 200, "an error's text is short");
  if (const auto root = read_service_root(text)) {
    fuzz::require(root->vendor.size() <= cluster::kMaxBmcText, "texts of a found BMC are short");
    fuzz::require(decode_text<cluster::FoundBmc>(encode(*root)).has_value(), "it can be kept");
  }
  const auto document = RedfishDocument::parse(text);
  if (!document) return;

  CrawlFindings findings;
  findings.take_root(document->root());
  const std::string system = "/redfish/v1/Systems/1";
  const std::string chassis = "/redfish/v1/Chassis/1";
  std::vector<RedfishLink> next;
  findings.take({RedfishRole::system, system, ""}, document->root(), true, next);
  findings.take({RedfishRole::manager, "/redfish/v1/Managers/1", ""}, document->root(), true, next);
  findings.take({RedfishRole::chassis, chassis, ""}, document->root(), true, next);
  constexpr auto kRoles = static_cast<unsigned>(RedfishRole::thermal) + 1;
  const auto role = static_cast<RedfishRole>(static_cast<unsigned char>(input.front()) % kRoles);
  if (!member_role(role)) {
    const bool around = role == RedfishRole::power || role == RedfishRole::thermal;
    findings.take({role, "/redfish/v1/x", around ? chassis : system}, document->root(), true, next);
  }
  for (const RedfishLink& link : next) {
    fuzz::require(redfish_path(link.path) == link.path, "only checked paths are followed");
  }
  cluster::BmcReadings readings;
  const cluster::BmcInventory inventory = findings.finish(readings);
  fuzz::require(check(inventory).has_value(), "the bounds hold");
  const auto again = decode_text<cluster::BmcInventory>(encode(inventory));
  fuzz::require(again.has_value() && *again == inventory, "an inventory is read back alike");
}
