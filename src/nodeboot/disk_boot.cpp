// The order is what makes a power cut harmless: the mark says "begun" before anything is written,
// and "whole" only after everything is safe. A new start menu is the last of its files.
#include "nodeboot/disk_boot.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

/// Read in one turn of the loop, so that what is to be told is told meanwhile.
constexpr size_t kSlice = size_t{4} << 20;

/// What UEFI starts of a disk with no entry of its own (UEFI 2.10, 3.5.1.1), and what shim starts
/// after itself. GRUB of Debian and of its kin look for their file in different folders.
struct LoaderFileName {
  std::string_view from;
  std::string_view to;
};
#if defined(__aarch64__)
constexpr std::array<LoaderFileName, 2> kLoaders{
    {{"shimaa64.efi", "/EFI/BOOT/BOOTAA64.EFI"}, {"grubdiskaa64.efi", "/EFI/BOOT/grubaa64.efi"}}};
#else
constexpr std::array<LoaderFileName, 2> kLoaders{
    {{"shimx64.efi", "/EFI/BOOT/BOOTX64.EFI"}, {"grubdiskx64.efi", "/EFI/BOOT/grubx64.efi"}}};
#endif
constexpr std::array<std::string_view, 3> kMenus{"/EFI/BOOT/grub.cfg", "/EFI/debian/grub.cfg",
                                                 "/EFI/ubuntu/grub.cfg"};

}  // namespace

DiskBoot::DiskBoot(Executor& executor, net::Net& net, LocalDisks& disks, BootCommand command,
                   std::string line, Supply supply, Events events, DiskTimes times)
    : executor_(executor),
      net_(net),
      disks_(disks),
      command_(std::move(command)),
      line_(std::move(line)),
      supply_(supply),
      events_(std::move(events)),
      times_(times) {}

DiskBoot::~DiskBoot() {
  if (start_open_) (void)disks_.close_start();
}

void DiskBoot::start() {
  began_ = executor_.now();
  next_.after(executor_, {}, [this] { look(); });
}

void DiskBoot::look() {
  const auto disks = disks_.look();
  if (!disks) return end(disks.error());
  auto chosen = choose_disk(*disks, {.disk = command_.disk,
                                     .wipe = command_.wipe && supply_ == Supply::server,
                                     .cluster = command_.ca_sha256,
                                     .root = command_.size});
  const bool ours = chosen && chosen->belongs_to(command_.ca_sha256);
  if (!ours && executor_.now() - began_ < times_.settle) {
    return next_.after(executor_, times_.poll, [this] { look(); });
  }
  if (!chosen) return end(chosen.error());
  if (!ours && supply_ == Supply::none) {
    return end(Error{Code::not_found,
                     "no disk of this machine holds an image of the cluster's",
                     {},
                     "it needs drover-boot to be given one"});
  }
  take(*std::move(chosen));
}

void DiskBoot::take(DiskFacts disk) {
  disk_ = std::move(disk);
  if (disk_.belongs_to(command_.ca_sha256)) mark_ = *disk_.mark;
  const bool any = supply_ == Supply::none;
  if (mark_.whole && (any || (mark_.root == command_.root && mark_.size == command_.size))) {
    return check();
  }
  if (!any) return install();
  end(Error{Code::corrupt,
            fmt::format("the image on {} was never finished", disk_.name),
            {},
            "it needs drover-boot to be written"});
}

void DiskBoot::check() {
  auto reader = disks_.root_reader(disk_);
  if (!reader) {
    if (supply_ == Supply::none) return end(reader.error());
    events_.on_note(
        fmt::format("{}: {}; the image is written anew", disk_.name, reader.error().text()));
    return install();
  }
  reader_ = *std::move(reader);
  hash_.emplace();
  read_ = 0;
  check_more();
}

void DiskBoot::check_more() {
  std::string buffer(std::min<uint64_t>(kSlice, mark_.size - read_), '\0');
  if (buffer.empty()) return checked(hash_->finish());
  const auto got = reader_->read(buffer);
  // A disk that cannot be read is as good as one with other bytes: writing may heal it.
  if (!got || *got == 0) return checked(got ? "too short" : got.error().text());
  hash_->add(std::string_view(buffer).substr(0, *got));
  read_ += *got;
  events_.on_progress(fmt::format("checking the image on {}", disk_.name), read_, mark_.size);
  next_.after(executor_, {}, [this] { check_more(); });
}

void DiskBoot::checked(const std::string& digest) {
  reader_.reset();
  if (digest == mark_.root) return prepare_start();
  const std::string why = fmt::format("the image on {} is damaged: wanted {}, found {}", disk_.name,
                                      mark_.root, digest);
  if (supply_ == Supply::none) return end(Error{Code::corrupt, why, {}, {}});
  events_.on_note(why + "; it is written anew");
  install();
}

void DiskBoot::install() {
  const auto layout = lay_out(disk_.bytes, command_.size);
  if (!layout) return end(layout.error());
  mark_ = {.whole = false,
           .cluster = command_.ca_sha256,
           .root = command_.root,
           .size = command_.size,
           .start = {}};
  events_.on_note(fmt::format("disk {} is partitioned and takes the image", disk_.name));
  events_.on_progress(fmt::format("preparing {}", disk_.name), 0, command_.size);
  if (const Status done = disks_.format(disk_, *layout, mark_); !done) return end(done.error());
  fetch(Source::blob(command_, command_.root), disks_.root_sink(disk_),
        fmt::format("writing the image to {}", disk_.name), [this](const Status& how) {
          if (!how) return end(how.error());
          mark_.whole = true;
          if (const Status done = disks_.write_mark(disk_, mark_); !done) return end(done.error());
          prepare_start();
        });
}

void DiskBoot::fetch(Source source, std::unique_ptr<ImageSink> sink, std::string what,
                     Callback<void(const Status&)> then) {
  fetch_.reset();
  sink_ = std::move(sink);
  auto done = std::make_shared<Callback<void(const Status&)>>(std::move(then));
  fetch_ = std::make_unique<ImageFetch>(
      executor_, net_, *sink_, std::move(source),
      ImageFetch::Events{[this, what = std::move(what)](uint64_t bytes, uint64_t total) {
                           events_.on_progress(what, bytes, total);
                         },
                         [this, done](const Status& how) {
                           // The fetch is gone through in its own event: what follows comes later.
                           next_.after(executor_, {}, [done, how] { (*done)(how); });
                         }});
  fetch_->start();
}

/// The image is there. A disk that cannot start by itself still boots over the network, so from
/// here on failures are notes.
void DiskBoot::prepare_start() {
  start_ = start_plan(command_, line_);
  const bool wanted = supply_ == Supply::server && start_ && disks_.starts_by_uefi();
  if (!wanted || mark_.start == start_->digest) return end(disk_);
  if (const Status open = disks_.open_start(disk_); !open) return loader_done(open);
  start_open_ = true;
  start_files_.clear();
  paths_.clear();
  for (auto it = start_->initrds.rbegin(); it != start_->initrds.rend(); ++it) {
    start_files_.push_back(Source::blob(command_, it->sha256));
    paths_.push_back(it->path);
  }
  start_files_.push_back(Source::blob(command_, start_->kernel.sha256));
  paths_.push_back(start_->kernel.path);
  loader_ = 0;
  fetch_loader();
}

void DiskBoot::fetch_loader() {
  if (loader_ == kLoaders.size()) return fetch_start_file();
  const LoaderFileName& one = kLoaders.at(loader_);
  fetch({*command_.http, fmt::format("/boot/loaders/{}", one.from), {}, std::string(one.from)},
        disks_.start_sink(std::string(one.to)), "fetching the disk's loader",
        [this](const Status& how) {
          if (!how) return loader_done(how);
          ++loader_;
          fetch_loader();
        });
}

/// The start partition could not be made.
void DiskBoot::loader_done(const Status& how) {
  if (std::exchange(start_open_, false)) (void)disks_.close_start();
  events_.on_note(fmt::format("{} cannot start this machine without drover-boot: {}", disk_.name,
                              how.error().text()));
  end(disk_);
}

void DiskBoot::fetch_start_file() {
  if (start_files_.empty()) return finish_start();
  Source source = std::move(start_files_.back());
  source.what = "kernel or first root";
  start_files_.pop_back();
  auto sink = disks_.start_sink(paths_.back());
  paths_.pop_back();
  fetch(std::move(source), std::move(sink), "fetching what the disk starts with",
        [this](const Status& how) { how ? fetch_start_file() : loader_done(how); });
}

void DiskBoot::finish_start() {
  Status done;
  for (const std::string_view path : kMenus) {
    if (done) done = disks_.write_start(std::string(path), start_->menu);
  }
  std::vector<std::string> keep{start_->kernel.path};
  for (const StartFile& initrd : start_->initrds) keep.push_back(initrd.path);
  if (done) done = disks_.tidy_start(keep);
  start_open_ = false;
  const Status closed = disks_.close_start();
  if (done) done = closed;
  mark_.start = start_->digest;
  if (done) done = disks_.write_mark(disk_, mark_);
  if (!done) return loader_done(done);
  events_.on_note(fmt::format("{} starts this machine by itself from now on", disk_.name));
  end(disk_);
}

void DiskBoot::end(Result<DiskFacts> how) {
  next_.after(executor_, {}, [this, how = std::move(how)] { events_.on_end(how); });
}

}  // namespace drover::nodeboot
