// The readers of the host's parts, one per .cpp: each appends what it finds and skips what it
// cannot read. Slots are made unique and everything is sorted by read_inventory().
#pragma once

#include "os/host/host_root.hpp"
#include "os/host/part.hpp"
#include "os/host/smbios.hpp"

#include <vector>

namespace drover::os {

/// cpu/socketN, cache/L2, numa/nodeN. Topology from hwloc on the running machine.
void read_cpu(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts);

/// memory/total from /proc/meminfo, dimm/LOCATOR from SMBIOS.
void read_memory(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts);

/// board/system, board/board, board/chassis, firmware/bios: from /sys/class/dmi/id, what is missing
/// there (serials, for an agent that is not root) from the SMBIOS table, on machines without DMI
/// from the device tree.
void read_dmi(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts);
/// The table behind /sys/firmware/dmi/tables/DMI; empty when there is none or it may not be read.
std::string read_smbios_bytes(const HostRoot& root);

/// disk/NAME of every physical block device, from what the kernel learnt when it attached it: no
/// command goes to the device, so no disk wakes up. Loop, RAM, device-mapper and network block
/// devices are left out.
void read_disks(const HostRoot& root, std::vector<Part>& parts);

/// nic/NAME of every physical interface; with `virtual_too` also bridges, bonds, tunnels .., with
/// the attribute virtual=true. Never the loopback.
void read_nics(const HostRoot& root, bool virtual_too, std::vector<Part>& parts);

/// hca/NAME of every InfiniBand or RoCE device with its ports, from /sys/class/infiniband.
void read_infiniband(const HostRoot& root, std::vector<Part>& parts);

/// pci/ADDRESS of every PCI function but bridges, base peripherals (timers, DMA) and the virtual
/// functions of SR-IOV: on a large server these are most of the list and say nothing.
void read_pci(const HostRoot& root, std::vector<Part>& parts);

/// gpu/PCI-ADDRESS through NVML and firmware/nvidia-driver. `library` "" is none. A library that is
/// there but does not work is the attribute `problem` of firmware/nvidia-driver. May take seconds
/// where the driver has to wake the devices.
void read_nvidia_gpus(const std::string& library, std::vector<Part>& parts);
/// gpu/PCI-ADDRESS of AMD devices from sysfs (Documentation/gpu/amdgpu/driver-misc.rst).
void read_amd_gpus(const HostRoot& root, std::vector<Part>& parts);

/// os/distribution from os-release, os/kernel from /proc/sys/kernel. Never the kernel's command
/// line, which may carry secrets.
void read_os(const HostRoot& root, std::vector<Part>& parts);

}  // namespace drover::os
