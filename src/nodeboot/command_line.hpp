// What the boot server tells a machine through the kernel's command line. Pure.
#pragma once

#include "base/result.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::nodeboot {

enum class Mode : uint8_t {
  lean,   ///< the agent is init, nothing else runs
  image,  ///< a squashfs with a RAM overlay becomes the root
  disk,   ///< the same from the node's own disk, which keeps what is written
};
std::string_view name(Mode mode);

/// The keys "drover.NAME" of the command line.
struct BootCommand {
  std::string node;                   ///< node: its name in the cluster
  Mode mode = Mode::lean;             ///< mode
  net::Endpoint boot;                 ///< boot: drover-boot over TLS
  std::optional<net::Endpoint> http;  ///< http: "http://HOST:PORT", where blobs are
  std::string ca_sha256;              ///< ca: SHA-256 of the cluster's CA, 64 hex digits
  std::string token;                  ///< token: for this machine and boot; secret; none from disk
  std::string mac;                    ///< mac: of the interface to use, lower case
  std::string address;                ///< ip: "10.77.0.11/24", the part before the slash
  uint8_t prefix = 0;                 ///< ip: the part after it
  std::string gateway;                ///< gw; empty: none
  std::vector<std::string> nameservers;  ///< ns: "a,b"
  std::string domain;                    ///< domain: for names without dots
  uint32_t mtu = 0;                      ///< mtu: 68 to 65535; 0: the interface's own
  std::string root;                      ///< root: SHA-256 of the squashfs, in image and disk
  uint64_t size = 0;                     ///< size: of the squashfs in bytes, in mode disk
  std::string kernel;                    ///< kernel: SHA-256; what the disk starts with by itself
  std::vector<std::string> initrds;      ///< initrds: SHA-256s with commas between
  std::string disk;                      ///< disk: name or serial number; empty: by the rule
  bool wipe = false;                     ///< wipe: "yes", what is on the disk may go
  bool from_disk = false;                ///< from: "disk", which has started this machine
  std::optional<net::Endpoint> log;      ///< log: where a dying kernel sends its last messages
  bool secrets = false;                  ///< secrets: "yes", there are some to be fetched
  std::optional<int64_t> time;           ///< time: Unix seconds when the script was made
};

/// Reads the text of /proc/cmdline. Keys that are not Drover's and later ones of ours are passed
/// over. invalid_argument names the key and says what is wrong with its value; a secret value is
/// not repeated.
Result<BootCommand> parse_boot_command(std::string_view line);

/// Words of a kernel command line: split at spaces outside double quotes, without the quotes.
std::vector<std::string> split_command_line(std::string_view line);

}  // namespace drover::nodeboot
