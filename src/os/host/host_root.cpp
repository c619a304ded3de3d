// Reading small files below a prefix.
#include "os/host/host_root.hpp"

#include "os/fd.hpp"
#include "os/host/text.hpp"
#include "os/real_disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace drover::os {
namespace {

/// "dddd:bb:ss.f" in hex, as sysfs writes it (domains may have more than four digits).
bool is_pci_address(std::string_view text) {
  constexpr size_t kTail = 8;  // ":bb:ss.f"
  if (text.size() < 4 + kTail) return false;
  const size_t colon = text.size() - kTail;
  for (size_t i = 0; i < text.size(); ++i) {
    const char wanted = i == colon || i == colon + 3 ? ':' : i == colon + 6 ? '.' : 'h';
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (wanted == 'h' ? !hex : text[i] != wanted) return false;
  }
  return true;
}

struct Free {
  void operator()(char* text) const { std::free(text); }  // NOLINT: realpath's contract
};

}  // namespace

HostRoot::HostRoot(std::string prefix) : prefix_(std::move(prefix)) {
  // Resolved once, so that real_path() can cut it off again.
  const std::unique_ptr<char, Free> resolved(::realpath(prefix_.c_str(), nullptr));
  if (resolved) prefix_ = resolved.get();
  while (prefix_.ends_with('/')) prefix_.pop_back();
}

std::optional<std::string> HostRoot::read(const std::string& path, size_t limit) const {
  // Non-blocking, since a planted FIFO must not stop the agent.
  const UniqueFd fd(::open(full_path(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return std::nullopt;
  std::string bytes;
  std::array<char, 4096> buffer{};
  while (bytes.size() < limit) {
    const size_t wanted = std::min(buffer.size(), limit - bytes.size());
    const ssize_t got = ::read(fd.get(), buffer.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    bytes.append(buffer.data(), static_cast<size_t>(got));
  }
  return bytes;
}

std::string HostRoot::text(const std::string& path) const {
  const auto bytes = read(path, 4096);
  return bytes ? clean(*bytes) : std::string();
}

std::optional<uint64_t> HostRoot::number(const std::string& path) const {
  const auto bytes = read(path, 64);
  return bytes ? parse_number(*bytes) : std::nullopt;
}

bool HostRoot::exists(const std::string& path) const {
  return ::access(full_path(path).c_str(), F_OK) == 0;
}

std::vector<std::string> HostRoot::list(const std::string& dir) const {
  auto names = RealDisk().list(full_path(dir));
  return names ? *std::move(names) : std::vector<std::string>();
}

std::string HostRoot::link_name(const std::string& path) const {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length = ::readlink(full_path(path).c_str(), buffer.data(), buffer.size());
  if (length <= 0) return {};
  const std::string_view target(buffer.data(), static_cast<size_t>(length));
  return clean(target.substr(target.rfind('/') + 1));
}

std::string HostRoot::real_path(const std::string& path) const {
  const std::unique_ptr<char, Free> resolved(::realpath(full_path(path).c_str(), nullptr));
  const std::string_view target = resolved ? resolved.get() : std::string_view();
  return target.starts_with(prefix_) ? std::string(target.substr(prefix_.size())) : std::string();
}

std::string pci_address_of(const HostRoot& root, const std::string& device) {
  std::string path = root.real_path(device);
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) break;
    if (is_pci_address(std::string_view(path).substr(slash + 1))) return path.substr(slash + 1);
    path.resize(slash);
  }
  return {};
}

}  // namespace drover::os
