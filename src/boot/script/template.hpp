// Templates of boot scripts, under their names here. They are of the model, since a site's own are
// attributes that are checked where they are set.
#pragma once

#include "cluster/boot_template.hpp"

namespace drover::boot::script {

using Template = cluster::BootTemplate;
using Values = cluster::BootValues;

}  // namespace drover::boot::script
