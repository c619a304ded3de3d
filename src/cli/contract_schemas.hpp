// The schemas of api/openapi.yaml, built in.
#pragma once

#include <string_view>

namespace drover::cli {

/// YAML: {"schemas": ..} of the contract's components.
extern const std::string_view kContractSchemas;

}  // namespace drover::cli
