// Examples of the API's bodies, for api/openapi.yaml and docs/api.md.
#pragma once

#include <string_view>

namespace drover::api {

/// JSON text of an example of the type with this name (kTypeName); empty when there is none. A test
/// holds every example to its schema.
std::string_view example_of(std::string_view type_name);

}  // namespace drover::api
