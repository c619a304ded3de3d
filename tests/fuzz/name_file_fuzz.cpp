// The file of names as a disk may give it back: whatever it holds, a lookup ends, and what it finds
// has the name that was asked for.
#include "fuzz.hpp"
#include "nss/name_file.hpp"

#include <cstdlib>

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

DROVER_FUZZ_TARGET(input) {
  using namespace drover::nss;  // NOLINT(google-build-using-namespace): one program
  static const int kFile = ::memfd_create("names", MFD_CLOEXEC);
  static const std::string kPath = fmt::format("/proc/self/fd/{}", kFile);
  drover::fuzz::require(::ftruncate(kFile, 0) == 0, "the file is empty");
  const ssize_t put = ::pwrite(kFile, input.data(), input.size(), 0);
  drover::fuzz::require(put == static_cast<ssize_t>(input.size()), "the file is the input");
  const NameFile file(kPath.c_str());
  Host host;
  for (const std::string_view name : {"n1", "n1.cluster.internal", "login"}) {
    if (file.find(name, host) != Found::yes) continue;
    drover::fuzz::require(host.has_name(name), "a host that is found by a name has it");
  }
  const std::string_view address("\x0a\x4d\x00\x0b", 4);
  if (file.find_address(address, host) == Found::yes) {
    drover::fuzz::require(host.has_address(address), "a host that is found by an address has it");
  }
  uint64_t place = 0;
  for (int i = 0; i < 10'000 && file.next(place, host) == Found::yes; ++i) {
    drover::fuzz::require(!host.canonical().empty(), "hosts have names");
  }
}
