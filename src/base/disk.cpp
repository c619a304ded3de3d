#include "base/disk.hpp"

namespace drover {

Result<std::string> Disk::read_all(const std::string& path, size_t limit) {
  DROVER_TRY(auto file, open(path, false, 0));
  DROVER_TRY(const uint64_t size, file->size());
  if (size > limit) return fail(Code::too_large, path + " is larger than expected");
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    DROVER_TRY(const size_t got, file->read(done, std::span(bytes).subspan(done)));
    if (got == 0) break;
    done += got;
  }
  bytes.resize(done);
  return bytes;
}

Status Disk::write_atomic(const std::string& path, std::string_view bytes, uint32_t mode) {
  const std::string temporary = path + ".new";
  DROVER_CHECK_OK(remove(temporary));
  {
    DROVER_TRY(auto file, open(temporary, true, mode));
    DROVER_CHECK_OK(file->write(0, bytes));
    DROVER_CHECK_OK(file->sync());
  }
  DROVER_CHECK_OK(rename(temporary, path));
  const size_t slash = path.rfind('/');
  return sync_dir(slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace drover
