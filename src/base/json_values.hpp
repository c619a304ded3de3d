// Building and reading JSON values: included by .cpp files alone, since the library is heavy.
#pragma once

#include <boost/json.hpp>  // IWYU pragma: export

#include "base/json.hpp"
