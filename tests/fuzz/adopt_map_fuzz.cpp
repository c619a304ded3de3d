// Maps of machines and lists of serial numbers, as people write them: any text is a map or an error
// that says why, and a map reads back as itself and passes the checks of requests.
#include "cluster/discovery/adopt_request.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover;
  using namespace drover::cluster;
  for (const auto& map : {parse_adopt_map(input), parse_serial_list(input)}) {
    if (!map) {
      fuzz::require(!map.error().message.empty(), "an error says why");
      continue;
    }
    const auto back = decode_text<AdoptMap>(encode(*map));
    fuzz::require(back.has_value() && *back == *map, "a map reads back as itself");
    if (map->nodes.empty() && map->racks.empty()) continue;
    AdoptRequest request;
    request.by = AdoptBy::map;
    request.map = *map;
    fuzz::require(check(request).has_value(), "what was read can be asked for");
  }
}
