#include "os/user_name.hpp"

#include <array>

#include <grp.h>
#include <pwd.h>

namespace drover::os {

std::string user_name(uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {};
  }
  return entry.pw_name;
}

std::vector<std::string> group_names(const std::string& user, uint32_t gid) {
  constexpr int kMost = 1024;
  std::vector<gid_t> ids(kMost);
  int count = kMost;
  // More than fit: those that do.
  if (getgrouplist(user.c_str(), gid, ids.data(), &count) < 0) count = kMost;
  std::vector<std::string> out;
  std::vector<char> buffer(size_t{1} << 16);
  for (int i = 0; i < count; ++i) {
    group entry{};
    group* found = nullptr;
    if (getgrgid_r(ids[static_cast<size_t>(i)], &entry, buffer.data(), buffer.size(), &found) !=
            0 ||
        found == nullptr) {
      continue;
    }
    out.emplace_back(entry.gr_name);
  }
  return out;
}

}  // namespace drover::os
