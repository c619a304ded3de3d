// The contract and its examples as this program was built with it: api/openapi.yaml.
#pragma once

#include <string_view>

namespace drover::api {

/// The same that a master of this build serves at GET /openapi.yaml; a test compares the two.
std::string_view openapi_text();

/// api/examples.json: one example of each type, by the type's name, recorded from a real master.
std::string_view examples_text();

}  // namespace drover::api
