// What answers a scan at the port of IPMI: any bytes are read or left alone, and what is read does
// not depend on what follows.
#include "fuzz.hpp"
#include "hardware/discovery/rmcp.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover;
  const auto answer = hardware::parse_rmcp(input);
  if (!answer) return;
  fuzz::require(answer->ipmi || (!answer->version1 && !answer->version2),
                "a version of IPMI is IPMI");
  fuzz::require(hardware::parse_rmcp(std::string(input) + "x") == answer,
                "what follows says nothing");
}
