// The kernel's command line, which a boot server anywhere on the wire may have written: it is read
// or refused with the key's name, and what is read is fit to be used.
#include "fuzz.hpp"
#include "nodeboot/command_line.hpp"
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
  require(command->token.size() == 32, "the token is always there");
  require(command->boot.port != 0, "the boot server has a port");
  require(drover::os::LinkMessages::address(2, command->address, command->prefix).has_value(),
          "the address can be set");
  require(command->gateway.empty() ||
              drover::os::LinkMessages::default_route(2, command->gateway).has_value(),
          "the route can be set");
}
