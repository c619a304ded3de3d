// Files of other systems, read into a document that a person reviews and applies. Pure: text in,
// document and notes out.
#pragma once

#include "base/result.hpp"
#include "cluster/import/imported.hpp"

#include <span>
#include <string_view>

namespace drover::cluster {

/// Warewulf 4's nodes.conf (YAML): nodes, profiles, network devices, IPMI, kernel, image, tags.
/// Formats of 4.2 to 4.6: https://warewulf.org/docs. Profiles with network or IPMI settings are
/// resolved into their nodes, as the last profile wins there and lists add up.
Result<Imported> import_warewulf(std::string_view text);

/// xCAT stanzas as lsdef -z writes and mkdef -z reads them (man 5 xcatstanzafile): nodes, groups
/// with their attributes and regular expressions where those count with the node's number.
Result<Imported> import_xcat(std::string_view text);

/// /etc/hosts (man 5 hosts). A name that is a node's name with a suffix becomes that node's
/// interface, or its BMC by the suffixes bmc, ipmi, ilo, idrac, xcc, rmc.
Result<Imported> import_hosts(std::string_view text);

/// NodeName, PartitionName and NodeSet lines of slurm.conf (man 5 slurm.conf), hostlists, DEFAULT
/// and continuation lines included.
Result<Imported> import_slurm(std::string_view text);

/// What `ochami discover static` reads (YAML or JSON): nodes with their BMC beside them or in a
/// list "bmcs".
Result<Imported> import_openchami(std::string_view text);

struct ImportFormat {
  std::string_view name;
  std::string_view help;
  Result<Imported> (*read)(std::string_view text);
};
/// Every format, in the order of help.
std::span<const ImportFormat> import_formats();

}  // namespace drover::cluster
