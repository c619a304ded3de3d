// Lists stay as they are but for the values.
#include "cluster/list_edit.hpp"

#include <algorithm>

namespace drover::cluster {

void edit_list(std::vector<std::string>& list, EditHow how, std::span<const std::string> values) {
  if (how == EditHow::replace) list.clear();
  for (const std::string& value : values) {
    if (how == EditHow::remove) {
      std::erase(list, value);
    } else if (std::ranges::find(list, value) == list.end()) {
      list.push_back(value);
    }
  }
}

}  // namespace drover::cluster
