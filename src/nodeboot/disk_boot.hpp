// Mode disk: finds the node's disk, sees whether the image on it is the wanted one and whole,
// writes it where it is not, and gives the disk what it starts with by itself.
#pragma once

#include "base/clock.hpp"
#include "net/sha256.hpp"
#include "nodeboot/command_line.hpp"
#include "nodeboot/disk_menu.hpp"
#include "nodeboot/local_disks.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::nodeboot {

struct DiskTimes {
  /// Disks of slow controllers appear late: a blank one is taken only after so long without ours.
  Duration settle = std::chrono::seconds(5);
  Duration poll = std::chrono::milliseconds(100);
};

/// One disk, once. Executor's thread only; destroying it ends the work.
class DiskBoot {
 public:
  struct Events {
    /// What is done, for people; bytes, with total 0 where they are not known.
    Callback<void(const std::string& what, uint64_t done, uint64_t total)> on_progress;
    /// Something that people should know of a boot that goes on.
    Callback<void(const std::string& what)> on_note;
    /// Once, never in start(): the disk, which holds the wanted image.
    Callback<void(Result<DiskFacts>)> on_end;
  };
  /// How to make the disk's content what it should be.
  enum class Supply : uint8_t {
    server,  ///< fetch what is missing
    none,    ///< drover-boot is away: what is there must do, whatever image that is
  };
  /// The seams outlive this. `line`: the kernel's command line that `command` was read from.
  DiskBoot(Executor& executor, net::Net& net, LocalDisks& disks, BootCommand command,
           std::string line, Supply supply, Events events, DiskTimes times = {});
  ~DiskBoot();
  void start();

 private:
  void look();
  void take(DiskFacts disk);
  void check();
  void check_more();
  void checked(const std::string& digest);
  void install();
  void fetch(Source source, std::unique_ptr<ImageSink> sink, std::string what,
             Callback<void(const Status&)> then);
  void prepare_start();
  void fetch_loader();
  void loader_done(const Status& how);
  void fetch_start_file();
  void finish_start();
  void end(Result<DiskFacts> how);
  void end(const Error& why) { end(Result<DiskFacts>(tl::unexpected<Error>(why))); }

  Executor& executor_;
  net::Net& net_;
  LocalDisks& disks_;
  BootCommand command_;
  std::string line_;
  Supply supply_;
  Events events_;
  DiskTimes times_;
  MonoTime began_{};
  DiskFacts disk_;
  DiskMark mark_;
  std::unique_ptr<ByteReader> reader_;
  std::optional<net::Sha256> hash_;
  uint64_t read_ = 0;
  std::unique_ptr<ImageSink> sink_;
  std::unique_ptr<ImageFetch> fetch_;
  std::optional<StartPlan> start_;
  std::vector<Source> start_files_;  ///< still to be fetched, the last one first
  std::vector<std::string> paths_;   ///< where each of them goes
  size_t loader_ = 0;
  bool start_open_ = false;
  Timer next_;
};

}  // namespace drover::nodeboot
