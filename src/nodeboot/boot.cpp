// One function per step; each ends by going on, by trying itself again, or by giving up.
#include "nodeboot/boot.hpp"

#include "auth/certificate.hpp"
#include "tree/hello.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr int kError = 3;
constexpr int kNotice = 5;

std::string seen_macs(const std::vector<os::LinkFacts>& links) {
  std::string out;
  for (const os::LinkFacts& link : links) {
    if (link.name == "lo") continue;
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", link.mac, link.name);
  }
  return out.empty() ? "none" : out;
}

}  // namespace

Boot::Boot(BootSeams seams, std::string boot_id, Events events, BootTimes times)
    : seams_(seams), boot_id_(std::move(boot_id)), events_(std::move(events)), times_(times) {}

Boot::~Boot() {
  *alive_ = false;
}

void Boot::start() {
  go(&Boot::read_command);
}

void Boot::go(Step step, Duration wait) {
  next_.after(seams_.executor, wait, [this, step] { (this->*step)(); });
}

void Boot::failed(const Error& why, Step step) {
  const Duration wait =
      std::min(times_.first_retry * (1 << std::min(failures_++, 10)), times_.longest_retry);
  const std::string text =
      fmt::format("{}; trying again in {} s", why.text(),
                  std::chrono::duration_cast<std::chrono::seconds>(wait).count());
  seams_.machine.say(kError, text);
  if (client_) client_->stage({Stage::error, text});
  waiting_since_.reset();
  go(step, wait);
}

void Boot::hopeless(const Error& why) {
  const std::string text =
      fmt::format("{}; starting over in {} s", why.text(),
                  std::chrono::duration_cast<std::chrono::seconds>(times_.refused).count());
  seams_.machine.say(kError, text);
  if (client_) client_->stage({Stage::error, text});
  next_.after(seams_.executor, times_.refused, [this] { events_.on_hopeless(); });
}

void Boot::read_command() {
  auto line = seams_.machine.command_line();
  if (!line) return failed(line.error(), &Boot::read_command);
  auto command = parse_boot_command(*line);
  if (!command) return hopeless(command.error());
  command_ = *std::move(command);
  line_ = *std::move(line);
  seams_.machine.say(kNotice, fmt::format("node {}, mode {}, boot server {}", command_.node,
                                          name(command_.mode), command_.boot.text()));
  find_link();
}

void Boot::find_link() {
  if (!waiting_since_) waiting_since_ = seams_.executor.now();
  seams_.machine.load_drivers();
  const auto links = seams_.machine.links();
  if (!links) return failed(links.error(), &Boot::find_link);
  const auto found = std::ranges::find(*links, command_.mac, &os::LinkFacts::mac);
  if (found == links->end()) {
    if (seams_.executor.now() - *waiting_since_ < times_.patience) {
      return go(&Boot::find_link, times_.driver_poll);
    }
    return failed({Code::not_found,
                   fmt::format("no network interface has the MAC address {}; seen: {}",
                               command_.mac, seen_macs(*links)),
                   {},
                   {}},
                  &Boot::find_link);
  }
  link_ = *found;
  waiting_since_.reset();
  if (const Status up = seams_.machine.set_up(link_, command_); !up) {
    return failed(up.error(), &Boot::find_link);
  }
  await_carrier();
}

void Boot::await_carrier() {
  if (!waiting_since_) waiting_since_ = seams_.executor.now();
  const auto links = seams_.machine.links();
  if (!links) return failed(links.error(), &Boot::await_carrier);
  const auto found = std::ranges::find(*links, command_.mac, &os::LinkFacts::mac);
  if (found == links->end() || !found->carrier) {
    if (seams_.executor.now() - *waiting_since_ < times_.patience) {
      return go(&Boot::await_carrier, times_.carrier_poll);
    }
    // What the disk has started comes up without a network as well.
    const bool waits = !command_.from_disk || !command_.token.empty();
    if (waits)
      return failed({Code::unreachable,
                     fmt::format("{} ({}) has no carrier", link_.name, link_.mac),
                     {},
                     "look at the cable and the switch's port"},
                    &Boot::await_carrier);
  }
  waiting_since_.reset();
  if (const Status done = seams_.machine.configure(link_, command_); !done) {
    return failed(done.error(), &Boot::await_carrier);
  }
  // A machine without a battery for its clock would take every certificate for one of the future.
  // The script is some seconds old, so a clock that is later is believed.
  const bool behind = command_.time && to_unix_ms(seams_.executor.wall()) / 1000 < *command_.time;
  if (behind) seams_.machine.set_clock(*command_.time);
  command_.from_disk&& command_.token.empty() ? ask() : talk();
}

void Boot::talk() {
  if (!client_) {
    auto client = BootClient::make(seams_.executor, seams_.net, command_);
    if (!client) return failed(client.error(), &Boot::talk);
    client_ = *std::move(client);
  }
  client_->stage({Stage::init, fmt::format("network up on {}", link_.name)},
                 [this, alive = alive_](const Status& told) {
                   if (!*alive) return;
                   if (!told && told.error().code == Code::denied) return hopeless(told.error());
                   if (!told) return failed(told.error(), &Boot::talk);
                   failures_ = 0;
                   if (command_.log) {
                     const Status caught = seams_.machine.catch_panics(link_, command_);
                     if (!caught) seams_.machine.say(kError, caught.error().text());
                   }
                   events_.on_network(*client_);
                   command_.mode == Mode::image  ? fetch_image()
                   : command_.mode == Mode::disk ? use_disk()
                                                 : enrol();
                 });
}

void Boot::fetch_image() {
  client_->stage({Stage::image, "fetching the image"});
  fetch_ = std::make_unique<ImageFetch>(
      seams_.executor, seams_.net, seams_.sink, Source::blob(command_, command_.root),
      ImageFetch::Events{[this](uint64_t done, uint64_t total) {
                           client_->stage({Stage::image, "fetching the image", done, total});
                         },
                         [this](const Status& how) {
                           // The fetch is gone through in its own event: what follows comes later.
                           if (how) return go(&Boot::mount_image);
                           const bool refused = how.error().code == Code::denied;
                           refused ? hopeless(how.error())
                                   : failed(how.error(), &Boot::fetch_image);
                         }});
  fetch_->start();
}

void Boot::mount_image() {
  fetch_.reset();
  const Status mounted = seams_.machine.mount_image(seams_.sink.path(), std::string(kImageRoot));
  // What was fetched is what was wanted: another try with the same bytes fails the same way.
  if (!mounted) return hopeless(mounted.error());
  image_root_ = kImageRoot;
  enrol();
}

void Boot::enrol() {
  client_->stage({Stage::joining, "asking for a certificate"});
  if (key_pem_.empty()) {
    auto key = seams_.tool.make_key();
    if (!key) return failed(key.error(), &Boot::enrol);
    key_pem_ = *std::move(key);
  }
  const auto csr = seams_.tool.make_csr(key_pem_, command_.node);
  if (!csr) return failed(csr.error(), &Boot::enrol);
  client_->enrol(*csr, boot_id_, [this, alive = alive_](Result<auth::EnrolAnswer> enrolled) {
    if (!*alive) return;
    if (enrolled) return finish(*std::move(enrolled));
    const bool refused = enrolled.error().code == Code::denied;
    refused ? hopeless(enrolled.error()) : failed(enrolled.error(), &Boot::enrol);
  });
}

/// The answer must be what was asked for: this key, this node, the CA of the command line.
Status Boot::check(const auth::Identity& identity, const auth::EnrolAnswer& enrolled) {
  DROVER_TRY(const auto facts, seams_.tool.check(identity));
  DROVER_TRY(const auto who, tree::parse_certificate_uri(facts.uri));
  if (who.role != "compute" || who.name != command_.node || enrolled.name != command_.node) {
    return fail(Code::corrupt, fmt::format("drover-boot made a certificate for {}, not for {}",
                                           facts.uri, command_.node));
  }
  DROVER_TRY(const auto ca, auth::Certificate::from_pem(identity.ca_pem));
  if (ca.fingerprint() != command_.ca_sha256) {
    return fail(Code::denied, "drover-boot's answer names another CA than the command line");
  }
  return {};
}

void Boot::finish(auth::EnrolAnswer enrolled) {
  const auth::Identity identity{key_pem_, enrolled.certificate_pem, enrolled.ca_pem};
  if (const Status good = check(identity, enrolled); !good) {
    return failed(good.error(), &Boot::enrol);
  }
  if (disk_used_) keep_enrolment(enrolled);
  seams_.machine.say(kNotice, fmt::format("joined {} as {}", enrolled.cluster, enrolled.name));
  outcome_ = Outcome{command_, std::move(enrolled), identity, image_root_, disk_used_};
  command_.secrets ? fetch_secrets() : end();
}

/// They are given once in a boot: one whose answer was lost has to begin anew.
void Boot::fetch_secrets() {
  client_->secrets([this, alive = alive_](const Result<std::map<std::string, std::string>>& got) {
    if (!*alive) return;
    if (!got && got.error().code == Code::denied) return hopeless(got.error());
    const Status kept =
        got ? seams_.machine.keep_secrets(*got) : tl::unexpected<Error>(got.error());
    if (!kept) return failed(kept.error(), &Boot::fetch_secrets);
    end();
  });
}

void Boot::end() {
  events_.on_done(*std::move(outcome_));
}

}  // namespace drover::nodeboot
