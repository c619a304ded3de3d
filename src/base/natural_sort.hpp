// Sorting many names in natural order, quickly. Private to base.
#pragma once

#include <string>
#include <vector>

namespace drover {

/// The same as std::sort with NaturalLess. Names are compared by the first 16 bytes of a key that
/// sorts by bytes, in full only where those are equal: half the time on 100,000 in no order.
void sort_natural(std::vector<std::string>& names);

}  // namespace drover
