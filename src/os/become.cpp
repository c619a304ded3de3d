// execv(2) with the environment changed before.
#include "os/become.hpp"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

namespace drover::os {

Status become(const std::string& program, const std::vector<std::string>& arguments,
              const std::vector<std::pair<std::string, std::string>>& variables) {
  for (const auto& [name, value] : variables) {
    if (::setenv(name.c_str(), value.c_str(), 1) != 0) {
      return tl::unexpected(errno_error("set " + name, errno));
    }
  }
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return tl::unexpected(errno_error("run " + program, errno));
}

}  // namespace drover::os
