// From the API's answers to what `drover top` shows.
#pragma once

#include "base/json.hpp"
#include "cli/top/board.hpp"

#include <string>
#include <utility>
#include <vector>

namespace drover::cli::top {

/// `health`: GET /health; `nodes` and `metrics`: items of GET /nodes and GET /metrics.
TopData read_answers(const json::value& health, const json::array& nodes,
                     const json::array& metrics);

/// Every scalar of a document as path and printable text, in the document's order.
std::vector<std::pair<std::string, std::string>> details_of(const json::value& document);

}  // namespace drover::cli::top
