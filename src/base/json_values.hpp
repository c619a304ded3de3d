// Building and reading JSON values: included by .cpp files alone, since the library is heavy.
#pragma once

#include "base/json.hpp"

#include <boost/json.hpp>  // IWYU pragma: export
