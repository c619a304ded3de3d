// What a daemon does to its own process: one instance per pid file, safe standard streams, limits.
#pragma once

#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <string>

namespace drover::os {

/// A locked file with this process's id. The lock (flock) is what counts: it goes with the process
/// however that ends, so a stale file never blocks a start. Removes the file when destroyed.
class PidFile {
 public:
  /// Code::already_exists, naming the holder's pid, when another live process has it.
  static Result<PidFile> acquire(const std::string& path);

  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  PidFile(PidFile&&) = default;
  PidFile& operator=(PidFile&&) = delete;
  ~PidFile();

 private:
  PidFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

/// For agents beside jobs: one heap for all threads, and freed memory goes back to the system soon.
/// Call first in main.
void keep_heap_small();

/// Gives back the resident pages of code and constants, of the program and its libraries. What is
/// used again comes again from the page cache; what the start alone needed stays away, about half
/// of an agent's memory. Call once the start is over; any thread.
void forget_start_code();

/// Standard input reads nothing, and descriptors 0 to 2 are open (on /dev/null where they were
/// closed), so that no socket can become standard error. Call first in main.
Status secure_stdio();

/// Raises the limit of open files to the hard limit; returns what holds now. Linux's default soft
/// limit is 1024, far below the links of an aggregator.
Result<uint64_t> raise_open_file_limit();

}  // namespace drover::os
