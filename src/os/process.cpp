// Pid file, standard streams and limits of the running process.
#include "os/process.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace drover::os {
namespace {

tl::unexpected<Error> refused(const std::string& doing) {
  return tl::unexpected(errno_error(doing, errno));
}

std::string holder_of(int fd) {
  std::array<char, 32> buffer{};
  const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), 0);
  const std::string text(buffer.data(), got > 0 ? static_cast<size_t>(got) : 0);
  const size_t end = text.find_first_not_of("0123456789");
  const std::string pid = text.substr(0, end);
  return pid.empty() ? "another process" : "process " + pid;
}

/// Whether `path` still names the file behind `fd`: a former holder may have removed it between
/// our open and our lock.
bool is_same_file(int fd, const std::string& path) {
  struct stat ours{};
  struct stat named{};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

}  // namespace

Result<PidFile> PidFile::acquire(const std::string& path) {
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return refused("open " + path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return refused("lock " + path);
      return fail(Code::already_exists, holder_of(fd.get()) + " already runs with " + path,
                  "stop that process, or start this one with another data folder");
    }
    if (!is_same_file(fd.get(), path)) continue;
    const std::string text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0) return refused("truncate " + path);
    if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      return refused("write " + path);
    }
    return PidFile(std::move(fd), path);
  }
  return fail(Code::conflict, path + " keeps being replaced");
}

PidFile::~PidFile() {
  if (fd_) ::unlink(path_.c_str());
}

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

void forget_start_code() {
  const auto forget = [](dl_phdr_info* object, size_t /*size*/, void* page_bytes) {
    const auto page = *static_cast<const uintptr_t*>(page_bytes);
    for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
      // Only what is never written is the same in the file; relocations are in writable parts.
      if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
      const uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
      const uintptr_t end =
          (object->dlpi_addr + part.p_vaddr + part.p_memsz + page - 1) & ~(page - 1);
      ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
  };
  auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  ::dl_iterate_phdr(forget, &page);
}

Status secure_stdio() {
  for (;;) {
    const int fd = ::open("/dev/null", O_RDWR);  // inherited by children on purpose, like 0 to 2
    if (fd < 0) return refused("open /dev/null");
    if (fd <= STDERR_FILENO) continue;  // it filled a hole; go on until all three are open
    const int rc = ::dup2(fd, STDIN_FILENO);
    ::close(fd);
    if (rc < 0) return refused("redirect standard input");
    return {};
  }
}

Result<uint64_t> raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return refused("read the limit of open files");
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return refused("raise the limit of open files");
  }
  return limit.rlim_cur;
}

}  // namespace drover::os
