// The kernel's command line, which a boot server anywhere on the wire may have written: it is read
// or refused with the key's name, and what is read is fit to be used.
#include "fuzz.hpp"
#include "nodeboot/command_line.hpp"
#include "nodeboot/disk_menu.hpp"
#include "os/link_setup.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto command = drover::nodeboot::parse_boot_command(input);
  if (!command) {
    require(!command.error().message.empty(), "a refusal says why");
    return;
  }
  require(!command->node.empty() && command->node.find('/') == std::string::npos,
          "a node's name is no path");
  require(command->ca_sha256.size() == 64, "the CA is always named");
  require(command->token.size() == 32 || (command->token.empty() && command->from_disk),
          "the token is always there, but where the disk has started the machine");
  require(command->mode != drover::nodeboot::Mode::disk ||
              (command->root.size() == 64 && command->size > 0 && command->http),
          "mode disk has what it needs");
  require(command->disk.find('/') == std::string::npos, "a disk's name is no path");
  // What the disk starts with is read again as it was meant.
  if (const auto plan = drover::nodeboot::start_plan(*command, input)) {
    require(plan->menu.find(command->token) == std::string::npos || command->token.empty(),
            "the menu keeps no token");
  }
  require(command->boot.port != 0, "the boot server has a port");
  require(drover::os::LinkMessages::address(2, command->address, command->prefix).has_value(),
          "the address can be set");
  require(command->gateway.empty() ||
              drover::os::LinkMessages::default_route(2, command->gateway).has_value(),
          "the route can be set");
}
