// Looking through a BMC that speaks IPMI alone: what Crawl is for Redfish. It knows its controller,
// the machine's board and product, and what parts have a chip that says what they are.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::hardware {

/// What ipmitool printed, by command. Empty: the BMC did not answer that one.
struct IpmiWords {
  std::string controller;  ///< mc info
  std::string guid;        ///< mc guid
  std::string lan;         ///< lan print
  std::string chassis;     ///< chassis status
  std::string parts;       ///< fru print
};

/// One manager and one system, which has the id "Node0" (IPMI knows no other). Its maker, model and
/// serial number are those of the product, where a FRU has none of the board (IPMI Platform
/// Management FRU Information Storage Definition 1.0, sections 10 to 12). FRUs whose name says so
/// are memory modules and power supplies; of others nothing is kept. IPMI knows nothing of the
/// machine's processors and network interfaces. Any text is taken: what says nothing is left out.
cluster::BmcInventory ipmi_inventory(const IpmiWords& words);

/// One look. Destroying it ends it; no callback follows.
class IpmiLook {
 public:
  using Done = Callback<void(Result<cluster::BmcInventory>)>;
  /// `done` runs exactly once, never in here: with the tool's error when the BMC does not say what
  /// it is; otherwise with what could be read, where a command that failed is among the warnings
  /// and `complete` is false. The tool outlives it.
  IpmiLook(IpmiTool& tool, IpmiAccess access, Done done);
  IpmiLook(const IpmiLook&) = delete;
  IpmiLook& operator=(const IpmiLook&) = delete;
  ~IpmiLook();

 private:
  void ask(size_t command);
  void heard(size_t command, Result<std::string> said);

  IpmiTool& tool_;
  IpmiAccess access_;
  Done done_;
  IpmiWords words_;
  std::vector<cluster::BmcWarning> warnings_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::hardware
