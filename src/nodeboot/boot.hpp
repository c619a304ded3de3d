// The way of a machine from its kernel's start to an identity: drivers, network, first words to
// drover-boot, image, enrolment. Everything is tried again until it works; each failure is told.
#pragma once

#include "auth/identity.hpp"
#include "base/log.hpp"
#include "nodeboot/boot_client.hpp"
#include "nodeboot/disk_boot.hpp"
#include "nodeboot/image_fetch.hpp"
#include "nodeboot/machine.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::nodeboot {

/// Where an image is mounted before it is the root; not below /run, which moves into it.
inline constexpr const char* kImageRoot = "/newroot";

/// What a finished boot hands to the agent.
struct Outcome {
  BootCommand command;
  auth::EnrolAnswer enrolled;
  auth::Identity identity;
  std::string image_root;  ///< where the image is mounted; empty in mode lean
  bool on_disk = false;    ///< identity and agent's files are kept on the node's disk
};

struct BootTimes {
  Duration driver_poll = std::chrono::milliseconds(50);
  Duration carrier_poll = std::chrono::milliseconds(20);
  /// A card that is not there, or has no carrier, for so long is told as a failure, and on.
  Duration patience = std::chrono::seconds(30);
  Duration first_retry = std::chrono::seconds(1);
  Duration longest_retry = std::chrono::seconds(30);
  /// A machine that is refused starts over, to be given a new token, after so long.
  Duration refused = std::chrono::seconds(30);
  /// A machine that its disk started asks drover-boot for so long what it should boot.
  Duration ask = std::chrono::seconds(10);
  /// For last words before a machine starts over by its own will.
  Duration told = std::chrono::seconds(1);
  DiskTimes disk = {};
};

struct BootSeams {
  Executor& executor;
  net::Net& net;
  Machine& machine;
  auth::IdentityTool& tool;
  ImageSink& sink;
  LocalDisks& disks;
};

/// Executor's thread only. start() once; destroying it ends the boot.
class Boot {
 public:
  struct Events {
    /// The network is there and drover-boot can be told things; once, before anything is told.
    Callback<void(BootClient&)> on_network;
    Callback<void(Outcome)> on_done;
    /// The token is good for nothing any more, or the command line is wrong: only a new boot helps.
    Callback<void()> on_hopeless;
  };
  /// The seams outlive this. `boot_id` is told to drover-boot.
  Boot(BootSeams seams, std::string boot_id, Events events, BootTimes times = {});
  ~Boot();

  void start();
  [[nodiscard]] BootClient* client() { return client_.get(); }
  [[nodiscard]] const BootCommand& command() const { return command_; }
  /// Hands the connection on to who goes on telling.
  [[nodiscard]] std::unique_ptr<BootClient> take_client() { return std::move(client_); }

 private:
  using Step = void (Boot::*)();
  void read_command();
  void find_link();
  void await_carrier();
  void talk();
  /// A machine that its disk started: what drover-boot would have it boot now.
  void ask();
  void answered(const Result<net::HttpResponse>& answer);
  void use_disk();
  void mount_disk(const DiskFacts& disk);
  void keep_enrolment(const auth::EnrolAnswer& enrolled);
  void be_who_it_was();
  void fetch_image();
  void mount_image();
  void enrol();
  void fetch_secrets();
  void finish(auth::EnrolAnswer enrolled);
  void end();
  Status check(const auth::Identity& identity, const auth::EnrolAnswer& enrolled);
  void go(Step step, Duration wait = {});
  /// Tells why, and tries `step` again later.
  void failed(const Error& why, Step step);
  void hopeless(const Error& why);

  BootSeams seams_;
  std::string boot_id_;
  Events events_;
  BootTimes times_;
  BootCommand command_;
  os::LinkFacts link_;
  std::unique_ptr<BootClient> client_;
  std::unique_ptr<ImageFetch> fetch_;
  std::unique_ptr<DiskBoot> disk_;
  std::unique_ptr<net::HttpClient> asker_;
  std::unique_ptr<net::HttpCall> asking_;
  std::string line_;            ///< that command_ was read from
  std::string started_kernel_;  ///< of the disk that started the machine; empty: the network did
  bool alone_ = false;          ///< drover-boot is away, and the disk will do
  bool disk_used_ = false;      ///< the image is that of the disk
  MonoTime disk_told_{};        ///< when its progress was
  std::string disk_doing_;      ///< what was told
  std::optional<MonoTime> asking_since_;
  std::string key_pem_;
  std::optional<MonoTime> waiting_since_;
  std::string image_root_;
  std::optional<Outcome> outcome_;
  int failures_ = 0;
  Timer next_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::nodeboot
