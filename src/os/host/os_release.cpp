// Distribution and kernel.
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

#include <algorithm>
#include <array>

#include <sys/utsname.h>

namespace drover::os {
namespace {

/// One value of os-release(5): shell quoting without expansion.
std::string unquoted(std::string_view value) {
  value = trim(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out.push_back(value[i]);
  }
  return clean(out);
}

Part distribution(const HostRoot& root) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kFields{
      {{"PRETTY_NAME", "name"},
       {"ID", "id"},
       {"VERSION_ID", "version"},
       {"IMAGE_ID", "image"},
       {"IMAGE_VERSION", "image_version"}}};
  Part part{.kind = "os", .slot = "distribution", .serial = {}, .attributes = {}};
  auto bytes = root.read("/etc/os-release");
  if (!bytes) bytes = root.read("/usr/lib/os-release");
  if (!bytes) return part;
  std::string_view rest = *bytes;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, equals));
    const std::string_view value = line.substr(equals + 1);
    const auto known = std::find_if(kFields.begin(), kFields.end(),
                                    [key](const auto& field) { return field.first == key; });
    if (known == kFields.end() || !part.get(known->second).empty()) continue;
    part.set(known->second, unquoted(value));
  }
  return part;
}

Part kernel(const HostRoot& root) {
  Part part{.kind = "os", .slot = "kernel", .serial = {}, .attributes = {}};
  part.set("name", root.text("/proc/sys/kernel/ostype"));
  part.set("release", root.text("/proc/sys/kernel/osrelease"));
  part.set("version", root.text("/proc/sys/kernel/version"));
  std::string architecture = root.text("/proc/sys/kernel/arch");  // since Linux 6.1
  utsname names{};
  if (architecture.empty() && root.is_real() && ::uname(&names) == 0) architecture = names.machine;
  part.set("architecture", std::move(architecture));
  return part;
}

}  // namespace

void read_os(const HostRoot& root, std::vector<Part>& parts) {
  for (Part part : {distribution(root), kernel(root)}) {
    if (!part.attributes.empty()) parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
