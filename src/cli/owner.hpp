// Owners of what nodes are given, as commands name them, and how their definitions are changed.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

#include <string>
#include <string_view>

namespace drover::cli {

/// "group/rack1" and "profile/gpu" as they are, and "n1" as "node/n1": two segments of a path,
/// ready for a URL. invalid_argument for anything else.
Result<std::string> owner_segments(const std::string& word);

/// `path` with --dry-run and --why.
std::string changing_path(std::string path, const Given& given);

/// Sends a change of an owner's definition and shows the outcome: "cloud-init of group/rack1
/// changed". `body` null: it is taken away.
Result<int> change_content(Context& context, const Given& given, std::string_view noun,
                           const std::string& path, const json::value& body);

/// The parameters that name the owner and that every change has.
Parameter owner_parameter();
Parameter why_option();
Parameter dry_run_flag();

}  // namespace drover::cli
