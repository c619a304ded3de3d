// Takes up the boot's connection under the node's own certificate.
#include "daemons/boot_teller.hpp"

#include "auth/identity.hpp"
#include "nodeboot/handover.hpp"

namespace drover::daemons {

Result<std::unique_ptr<BootTeller>> BootTeller::make(Program& program) {
  const std::string state = program.config.text("state");
  const auto handover = nodeboot::read_handover(program.seams.disk, state);
  if (!handover) {
    if (handover.error().code == Code::not_found) return nullptr;
    return tl::unexpected(handover.error());
  }
  const Log log(program.seams.log, "boot");
  DROVER_TRY(const auto identity,
             auth::IdentityFiles(program.seams.disk, state + "/identity").load());
  if (!identity) return nullptr;
  DROVER_TRY(auto security, program.seams.net.make_security(auth::security_config(*identity)));
  auto client = std::make_unique<nodeboot::BootClient>(program.loop, program.seams.net,
                                                       handover->command, std::move(security));
  auto kernel = os::KernelLog::open();
  if (!kernel) {
    log.warning("the kernel's messages are not sent on", {{"why", kernel.error().text()}});
    return nullptr;
  }
  kernel->skip_to(handover->next_message);
  std::unique_ptr<BootTeller> out(
      new BootTeller(program, std::move(client), *std::move(kernel), handover->command.token));
  DROVER_CHECK_OK(out->log_.start());
  return out;
}

BootTeller::BootTeller(Program& program, std::unique_ptr<nodeboot::BootClient> client,
                       os::KernelLog log, const std::string& secret)
    : client_(std::move(client)), log_(program.loop, *client_, std::move(log), secret) {}

BootTeller::~BootTeller() = default;

void BootTeller::linked() {
  if (std::exchange(told_, true)) return;
  client_->stage({nodeboot::Stage::up, "linked to an aggregator"});
}

}  // namespace drover::daemons
