// Putting values into a list of names and taking them out.
#pragma once

#include "cluster/spec_edit.hpp"

#include <span>
#include <string>
#include <vector>

namespace drover::cluster {

/// Adds what is not there yet at the end, takes out what is there, or makes the list exactly
/// `values`.
void edit_list(std::vector<std::string>& list, EditHow how, std::span<const std::string> values);

}  // namespace drover::cluster
