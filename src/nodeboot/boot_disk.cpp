// The steps of Boot that mode disk has beside the others: asking anew when the disk started the
// machine, the disk itself, and going on without drover-boot.
#include "base/json_values.hpp"
#include "net/http/http_client.hpp"
#include "nodeboot/boot.hpp"

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr int kError = 3;
constexpr int kNotice = 5;
constexpr Duration kAskTimeout = std::chrono::seconds(4);
constexpr Duration kTellEvery = std::chrono::milliseconds(250);
/// What is kept of an enrolment, beside the identity.
constexpr const char* kEnrolled = "enrolled.json";
/// Where the agent keeps its identity on the state partition, renewed as time goes by.
constexpr const char* kIdentityFile = "identity/identity.pem";
constexpr size_t kAnswerLimit = size_t{64} << 10;

}  // namespace

// The same script that a loader would get, as a kernel's command line: what has changed in the
// cluster counts, whatever the firmware starts first.
void Boot::ask() {
  if (!asking_since_) asking_since_ = seams_.executor.now();
  asker_ = std::make_unique<net::HttpClient>(seams_.executor, seams_.net);
  net::HttpRequest request;
  request.target = fmt::format("/boot/v1/bootscript?mac={}&format=args", command_.mac);
  asking_ = asker_->request(
      *command_.http, nullptr, std::move(request), kAskTimeout,
      [this](Result<net::HttpResponse> answer) {
        // The call is over; it may not be destroyed in its own event.
        next_.after(seams_.executor, {},
                    [this, answer = std::move(answer)]() mutable { answered(answer); });
      },
      kAnswerLimit);
}

void Boot::answered(const Result<net::HttpResponse>& answer) {
  asking_.reset();
  Error why;
  if (answer && answer->status == 200) {
    auto command = parse_boot_command(answer->body);
    // Another cluster's server on the same wire is not listened to.
    const bool ours = command && command->ca_sha256 == command_.ca_sha256 &&
                      command->node == command_.node && command->mac == command_.mac;
    if (ours) {
      started_kernel_ = command_.kernel;
      line_ = answer->body;
      command_ = *std::move(command);
      command_.from_disk = true;
      seams_.machine.say(kNotice, fmt::format("drover-boot answers: mode {}", name(command_.mode)));
      return talk();
    }
    why = command ? Error{Code::denied, "the answer is not for this node of this cluster", {}, {}}
                  : command.error();
  } else {
    why = answer ? Error{Code::unreachable,
                         fmt::format("drover-boot answered {}", answer->status),
                         {},
                         {}}
                 : answer.error();
  }
  if (seams_.executor.now() - *asking_since_ < times_.ask)
    return go(&Boot::ask, times_.first_retry);
  asking_since_.reset();
  seams_.machine.say(kError, fmt::format("{}; starting with what the disk holds", why.text()));
  alone_ = true;
  use_disk();
}

void Boot::use_disk() {
  disk_ = std::make_unique<DiskBoot>(
      seams_.executor, seams_.net, seams_.disks, command_, line_,
      alone_ ? DiskBoot::Supply::none : DiskBoot::Supply::server,
      DiskBoot::Events{[this](const std::string& what, uint64_t done, uint64_t total) {
                         const bool news = what != disk_doing_ || done == total ||
                                           seams_.executor.now() - disk_told_ >= kTellEvery;
                         if (!news || !client_) return;
                         disk_told_ = seams_.executor.now();
                         disk_doing_ = what;
                         client_->stage({Stage::image, what, done, total});
                       },
                       [this](const std::string& note) {
                         seams_.machine.say(kNotice, note);
                         if (client_) client_->stage({Stage::image, note});
                       },
                       [this](const Result<DiskFacts>& how) {
                         if (how) return mount_disk(*how);
                         // What a disk may be used for is said in the next script; the rest may
                         // heal.
                         const Code code = how.error().code;
                         const bool needs_script = code == Code::denied || code == Code::not_found;
                         if (needs_script && !alone_) return hopeless(how.error());
                         const Step again = alone_ ? &Boot::ask : &Boot::use_disk;
                         alone_ = false;
                         failed(how.error(), again);
                       }},
      times_.disk);
  disk_->start();
}

void Boot::mount_disk(const DiskFacts& disk) {
  disk_.reset();
  if (!started_kernel_.empty() && !alone_ && started_kernel_ != command_.kernel) {
    seams_.machine.say(kNotice, "the disk has a new kernel: the machine starts over with it");
    client_->stage({Stage::image, "starting over with the new kernel"});
    return next_.after(seams_.executor, times_.told, [this] { events_.on_hopeless(); });
  }
  const Status mounted = seams_.disks.mount(disk, kImageRoot);
  if (!mounted) return hopeless(mounted.error());
  image_root_ = kImageRoot;
  disk_used_ = true;
  alone_ ? be_who_it_was() : enrol();
}

void Boot::keep_enrolment(const auth::EnrolAnswer& enrolled) {
  const Status kept = seams_.disks.keep(kEnrolled, encode(enrolled));
  if (!kept) {
    seams_.machine.say(
        kError, fmt::format("{}; this disk will not do without drover-boot", kept.error().text()));
  }
}

/// Nobody is there to enrol by: the identity of the last boot is good until its certificate ends.
void Boot::be_who_it_was() {
  const auto text = seams_.disks.kept(kEnrolled);
  if (!text) return hopeless(text.error());
  auto enrolled = decode_text<auth::EnrolAnswer>(*text, Unknown::ignore);
  if (!enrolled) return hopeless(enrolled.error());
  const auto bundle = seams_.disks.kept(kIdentityFile);
  const auto identity =
      bundle.and_then([](const std::string& it) { return auth::parse_bundle(it); });
  if (!identity) return hopeless(identity.error());
  key_pem_ = identity->key_pem;
  if (const Status good = check(*identity, *enrolled); !good) return hopeless(good.error());
  outcome_ = Outcome{command_, *std::move(enrolled), *identity, image_root_, disk_used_};
  end();
}

}  // namespace drover::nodeboot
