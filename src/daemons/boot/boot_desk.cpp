#include "daemons/boot/boot_desk.hpp"

#include "auth/keys.hpp"
#include "tree/hello.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using Ph = cluster::PhaseState;

/// "10.77.0.1:8080" and "[fd77::1]:8080" without the port.
std::string_view host_of(std::string_view host) {
  const size_t colon = host.rfind(':');
  const bool is_port = colon != std::string_view::npos && host.find(']', colon) == host.npos;
  return is_port ? host.substr(0, colon) : host;
}

Ph phase_of(boot::MachineStage stage) {
  switch (stage) {
    case boot::MachineStage::init:
      return Ph::init;
    case boot::MachineStage::image:
      return Ph::image;
    case boot::MachineStage::joining:
      return Ph::joining;
    case boot::MachineStage::node_up:
      return Ph::node_up;
    case boot::MachineStage::up:
      return Ph::up;
    case boot::MachineStage::error:
      break;
  }
  return Ph::error;
}

}  // namespace

BootDesk::BootDesk(Parts parts)
    : parts_(std::move(parts)), tokens_(parts_.executor, parts_.random) {}

void BootDesk::serve(boot::Site& site, const cluster::Model& model) {
  site_ = &site;
  model_ = &model;
  images_changed();
}

void BootDesk::images_changed() {
  blobs_.clear();
  const auto add = [this](const cluster::ImageVersion& version) {
    if (!version.kernel.sha256.empty()) blobs_[version.kernel.sha256] = Part::kernel;
    for (const auto& initrd : version.initrds) blobs_[initrd.sha256] = Part::initrd;
    if (version.root) blobs_[version.root->sha256] = Part::root;
  };
  for (const auto& [name, image] : model_->images()) {
    add(image.value.current);
    for (const cluster::ImageVersion& version : image.value.history) add(version);
  }
}

std::string BootDesk::node_at(const std::string& address) const {
  const auto it = node_at_.find(address);
  if (it != node_at_.end()) return it->second;
  return site_ == nullptr ? std::string() : site_->node_at(address);
}

Result<boot::ServedScript> BootDesk::script(const boot::ScriptQuery& query) {
  if (site_ == nullptr) {
    return fail(Code::unreachable, "nothing is known of the cluster yet: no master has answered");
  }
  const std::string token = tokens_.draw();
  boot::ScriptRequest request;
  request.mac = query.mac;
  request.name = query.name;
  request.nid = query.nid;
  request.xname = query.xname;
  request.arch = query.arch;
  request.source = query.source;
  request.server = host_of(query.host);
  request.token = token;
  // What is no number counts as the first try.
  std::from_chars(query.retry.data(), query.retry.data() + query.retry.size(), request.tries);
  if (query.format == "grub") request.loader = boot::script::Loader::grub;
  if (query.format == "args") request.loader = boot::script::Loader::disk;
  boot::ScriptAnswer answer = site_->script(request);
  if (answer.outcome == boot::ScriptOutcome::bad) return fail(Code::invalid_argument, answer.text);
  // Who speaks from another node's address is that node, whatever MAC address it shows.
  const std::string other = answer.node.empty() ? std::string() : site_->node_at(query.source);
  if (!other.empty() && other != answer.node) {
    const Error why{Code::denied,
                    fmt::format("{} is the address of {}: it is not given the boot script of {}",
                                query.source, other, answer.node),
                    {},
                    "look which machine shows the network card's address of another"};
    parts_.logs.add_refusal(answer.node, "refused its boot script: " + why.text());
    return tl::unexpected(why);
  }
  if (!answer.node.empty()) {
    std::vector<std::string> addresses = addresses_of(answer.mac, query.source);
    for (const std::string& address : addresses) node_at_[address] = answer.node;
    if (answer.outcome == boot::ScriptOutcome::known) {
      tokens_.give(token, answer.node, answer.mac, std::move(addresses));
      parts_.stages.uses(answer.node, answer.once);
    } else {
      parts_.stages.failed(answer.node, answer.why);
    }
    parts_.logs.boots(answer.node);
    const std::string said = fmt::format("{} its boot script at {}{}{}",
                                         answer.why.empty() ? "was given" : "was refused",
                                         query.source, answer.why.empty() ? "" : ": ", answer.why);
    parts_.logs.add(answer.node, LogSource::boot, said);
    if (answer.elsewhere) {
      parts_.stages.left(answer.node, said);
    } else if (answer.why.empty()) {
      parts_.stages.seen(answer.node, Ph::loader, said);
    }
  }
  return boot::ServedScript{std::move(answer.text), std::move(answer.node)};
}

// A machine that was approved while it waited asks from the pool's address, and boots with its own.
std::vector<std::string> BootDesk::addresses_of(const std::string& mac,
                                                const std::string& source) const {
  std::vector<std::string> out{source};
  const auto hardware = boot::HardwareAddress::parse(mac);
  const auto* machine = hardware ? site_->by_hardware(*hardware) : nullptr;
  if (machine == nullptr) return out;
  for (const boot::Ipv4& address : machine->addresses) {
    if (std::string own = address.text(); own != source) out.push_back(std::move(own));
  }
  return out;
}

Result<boot::BootClaim> BootDesk::check(std::string_view token, const std::string& source) {
  DROVER_TRY(const BootTicket* ticket, tokens_.check(token, source));
  return boot::BootClaim{ticket->node, ticket->mac};
}

Result<boot::BootClaim> BootDesk::check_certificate(const std::string& uri) {
  DROVER_TRY(const tree::CertificateName who, tree::parse_certificate_uri(uri));
  const bool known = who.role == tree::name(tree::Role::compute) && model_ != nullptr &&
                     model_->find(who.name) != nullptr;
  if (known) return boot::BootClaim{who.name, {}};
  return fail(Code::denied, fmt::format("{} {} is no node of this cluster", who.role, who.name));
}

Status BootDesk::may_have(const std::string& sha256, std::string_view token,
                          const std::string& source) {
  const auto it = blobs_.find(sha256);
  if (it == blobs_.end()) {
    return fail(Code::not_found, "no image has such a part", "drover image list");
  }
  if (it->second != Part::root) return {};
  return tokens_.check(token, source).map([](const BootTicket*) {});
}

void BootDesk::on_http(const boot::HttpBootEvent& event) {
  using What = boot::HttpBootEvent::What;
  if (event.what == What::refused) return note_refusal(event);
  const std::string node = event.node.empty() ? node_at(event.client) : event.node;
  if (node.empty()) return;
  if (event.what != What::blob) return;
  const auto it = blobs_.find(event.name);
  if (it == blobs_.end()) return;
  if (it->second == Part::root) {
    if (event.begun) parts_.stages.seen(node, Ph::image, "fetches its image");
    return;
  }
  const std::string_view what = it->second == Part::kernel ? "kernel" : "initial file system";
  if (event.begun) parts_.stages.seen(node, Ph::kernel, fmt::format("fetches its {}", what));
  parts_.stages.progress(node, it->second == Part::kernel ? "kernel" : "initrd",
                         event.begun ? 0 : event.offset + event.bytes, event.size);
  if (!event.begun) {
    parts_.logs.add(node, LogSource::boot,
                    fmt::format("has {} of {} bytes of its {}", event.bytes, event.size, what));
  }
}

/// Into the log of the node that asks, and of the one in whose name it does.
void BootDesk::note_refusal(const boot::HttpBootEvent& event) {
  const std::string asks = event.node.empty() ? node_at(event.client) : event.node;
  const std::string named = event.token.empty() ? std::string() : tokens_.node_of(event.token);
  const std::string line = fmt::format("refused {} to {}: {}", event.name, event.client, event.why);
  if (!asks.empty()) parts_.logs.add_refusal(asks, line);
  if (!named.empty() && named != asks) parts_.logs.add_refusal(named, line);
}

Status BootDesk::stage(const boot::BootClaim& claim, const boot::StageReport& report) {
  const Ph phase = phase_of(report.stage);
  // How much of the image it has is no news for the log.
  if (report.done == 0) {
    parts_.logs.add(
        claim.node, LogSource::boot,
        fmt::format("{}{}{}", enum_name(report.stage), report.why.empty() ? "" : ": ", report.why));
  }
  if (phase == Ph::error) {
    parts_.stages.failed(claim.node, report.why);
  } else if (phase == Ph::up) {
    parts_.stages.ended(claim.node);
  } else {
    parts_.stages.seen(claim.node, phase, report.why);
    if (report.total != 0) {
      parts_.stages.progress(claim.node, "image", report.done, report.total);
    }
  }
  return {};
}

Status BootDesk::log(const boot::BootClaim& claim, std::string_view lines) {
  parts_.logs.add_kernel(claim.node, lines);
  return {};
}

void BootDesk::enrol(const boot::BootClaim& claim, std::string_view token,
                     auth::EnrolRequest request, Callback<void(Result<auth::EnrolAnswer>)> reply) {
  if (const Status used = tokens_.use(token, auth::sha256_hex(request.csr_pem)); !used) {
    return reply(tl::unexpected<Error>(used.error()));
  }
  parts_.stages.seen(claim.node, Ph::joining, "asks to be enrolled");
  parts_.enrol(claim.node, request,
               [this, alive = std::weak_ptr<bool>(alive_), node = claim.node,
                reply = std::move(reply)](Result<auth::EnrolAnswer> answer) mutable {
                 if (!alive.expired()) {
                   parts_.logs.add(node, LogSource::boot,
                                   answer ? std::string("was enrolled")
                                          : "could not be enrolled: " + answer.error().text());
                 }
                 reply(std::move(answer));
               });
}

void BootDesk::secrets(const boot::BootClaim& /*claim*/, std::string_view token,
                       const std::string& source, Callback<void(Result<boot::BootSecrets>)> reply) {
  const auto ticket = tokens_.take_secrets(token, source);
  if (!ticket) return reply(tl::unexpected<Error>(ticket.error()));
  parts_.secrets(
      (*ticket)->node, [this, alive = std::weak_ptr<bool>(alive_), node = (*ticket)->node,
                        token = std::string(token),
                        reply = std::move(reply)](Result<boot::BootSecrets> answer) mutable {
        if (!alive.expired()) {
          if (!answer) tokens_.return_secrets(token);
          parts_.logs.add(node, LogSource::boot,
                          answer ? fmt::format("was given {} secrets", answer->secrets.size())
                                 : "got no secrets: " + answer.error().text());
        }
        reply(std::move(answer));
      });
}

}  // namespace drover::daemons
