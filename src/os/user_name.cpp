#include "os/user_name.hpp"

#include <array>

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

}  // namespace drover::os
