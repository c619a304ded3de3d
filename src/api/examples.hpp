// Examples of the API's bodies, for api/openapi.yaml and docs/api.md.
#pragma once

#include <string_view>

namespace drover::api {

/// JSON text of an example of the type with this name (kTypeName); empty when there is none. They
/// are in api/examples.json, which tests/e2e/test_contract.py records from a real master when
/// DROVER_UPDATE_GOLDEN is set, and holds to their schemas.
std::string_view example_of(std::string_view type_name);

}  // namespace drover::api
