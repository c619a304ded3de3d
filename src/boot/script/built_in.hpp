// The templates that Drover brings: iPXE, GRUB where Secure Boot asks for shim, and what a machine
// hears that its own disk has started.
#pragma once

#include "boot/script/template.hpp"

#include <cstdint>

namespace drover::boot::script {

/// What reads the script.
enum class Loader : uint8_t {
  ipxe,
  grub,
  disk,  ///< a machine that its disk has started: the kernel's command line alone
};

/// What a script is about.
enum class Purpose : uint8_t {
  network,  ///< a kernel and its initrds from here: lean, image and disk mode
  disk,     ///< the machine's own disk
  unknown,  ///< no node is known by the machine: it shows its address and asks again
  refused,  ///< the node is known and cannot boot: it shows why and asks again
  given,    ///< a kernel and an initrd by URL, in the form of BSS's scripts
};

/// Never fails: the tests parse them all.
const Template& built_in(Loader loader, Purpose purpose);

}  // namespace drover::boot::script
