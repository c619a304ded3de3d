#include "os/editor.hpp"

#include "os/fd.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace drover::os {
namespace {

/// The file of one edit; removed with it.
class ScratchFile {
 public:
  static Result<ScratchFile> make() {
    const char* folder = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/drover-edit-XXXXXX.yaml",
                                   folder != nullptr && *folder != 0 ? folder : "/tmp");
    constexpr int kSuffix = 5;  // ".yaml", by which editors know what it is
    UniqueFd fd(mkostemps(path.data(), kSuffix, O_CLOEXEC));
    if (!fd) return tl::unexpected(errno_error("make " + path, errno));
    return ScratchFile(std::move(fd), std::move(path));
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ScratchFile(ScratchFile&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  ScratchFile& operator=(ScratchFile&&) = delete;
  ~ScratchFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }

  Status write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(fd_.get(), text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(errno_error("write " + path_, errno));
      text.remove_prefix(static_cast<size_t>(count));
    }
    return {};
  }

  /// Anew by its name: editors write a new file and rename it.
  [[nodiscard]] Result<std::string> read() const {
    const UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return tl::unexpected(errno_error("open " + path_, errno));
    std::string out;
    std::array<char, 65536> buffer{};
    while (true) {
      const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(errno_error("read " + path_, errno));
      if (count == 0) return out;
      out.append(buffer.data(), static_cast<size_t>(count));
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ScratchFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

Status run_editor(const std::string& editor, const std::string& path) {
  // The shell, because people write EDITOR="code --wait".
  std::string command = editor + " \"$1\"";
  std::array<std::string, 5> words{"sh", "-c", command, "sh", path};
  std::array<char*, 6> arguments{};
  for (size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments.data(), environ);
  if (error != 0) return tl::unexpected(errno_error("run " + editor, error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return tl::unexpected(errno_error("wait for " + editor, errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Code::cancelled, fmt::format("the editor ({}) failed; nothing was changed", editor),
              "EDITOR names the editor");
}

}  // namespace

Result<std::string> edit_text(const std::string& text, const std::string& editor) {
  DROVER_TRY(ScratchFile file, ScratchFile::make());
  DROVER_CHECK_OK(file.write(text));
  DROVER_CHECK_OK(run_editor(editor, file.path()));
  return file.read();
}

}  // namespace drover::os
