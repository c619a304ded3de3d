// libnss_drover.so.2: glibc's Name Service Switch asks here for hosts ("hosts: files drover dns").
// Any program may be around it, so it keeps nothing between calls, never waits, takes no lock, and
// uses libc alone. The interface is glibc's (nss/nss.h, "Extending NSS" in its manual).
#include "nss/name_file.hpp"

#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <nss.h>
#include <sys/socket.h>

namespace {

using drover::nss::Found;
using drover::nss::Host;
using drover::nss::NameFile;

/// What daemons of this host keep: a manager's own, else that of its boot daemon.
constexpr const char* kFiles[] = {"/run/drover/master.names", "/run/drover/boot.names"};

/// Where a call says why it has no answer.
struct Why {
  int* errnop;
  int* herrnop;

  nss_status no_file() const { return say(NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY); }
  nss_status no_host() const { return say(NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND); }
  nss_status no_address() const { return say(NSS_STATUS_NOTFOUND, ENOENT, NO_DATA); }
  nss_status no_room() const { return say(NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL); }
  nss_status no_such_family() const { return say(NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA); }
  nss_status found() const {
    if (herrnop != nullptr) *herrnop = NETDB_SUCCESS;
    return NSS_STATUS_SUCCESS;
  }

 private:
  nss_status say(nss_status status, int error, int host_error) const {
    if (errnop != nullptr) *errnop = error;
    if (herrnop != nullptr) *herrnop = host_error;
    return status;
  }
};

/// The caller's buffer, given out from the front.
class Space {
 public:
  Space(char* at, size_t left) : at_(at), left_(left) {}
  void* take(size_t size, size_t align) {
    const size_t skip = (align - reinterpret_cast<uintptr_t>(at_) % align) % align;
    if (skip > left_ || size > left_ - skip) return nullptr;
    char* const out = at_ + skip;
    at_ = out + size;
    left_ -= skip + size;
    return out;
  }
  char* text(std::string_view text) {
    auto* const out = static_cast<char*>(take(text.size() + 1, 1));
    if (out == nullptr) return nullptr;
    std::memcpy(out, text.data(), text.size());
    out[text.size()] = '\0';
    return out;
  }
  char** list(size_t entries) {
    return static_cast<char**>(take((entries + 1) * sizeof(char*), alignof(char*)));
  }

 private:
  char* at_;
  size_t left_;
};

template <typename Find>
Found ask(Find&& find) {
  for (const char* const path : kFiles) {
    const NameFile file(path);
    if (!file.is_open()) continue;
    const Found found = find(file);
    if (found != Found::unavailable) return found;
  }
  return Found::unavailable;
}

nss_status fill(const Host& host, int family, hostent& out, Space space, const Why& why) {
  const bool v4 = family == AF_INET;
  const size_t count = v4 ? host.addresses4() : host.addresses6();
  const size_t length = v4 ? 4 : 16;
  if (count == 0) return why.no_address();
  char** const addresses = space.list(count);
  char** const aliases = space.list(host.names() - 1);
  auto* const octets = static_cast<char*>(space.take(count * length, alignof(uint32_t)));
  if (addresses == nullptr || aliases == nullptr || octets == nullptr) return why.no_room();
  for (size_t i = 0; i < count; ++i) {
    addresses[i] = octets + i * length;
    std::memcpy(addresses[i], (v4 ? host.address4(i) : host.address6(i)).data(), length);
  }
  addresses[count] = nullptr;
  size_t names = 0;
  bool fits = true;
  host.for_each_name([&](std::string_view name) {
    char* const text = space.text(name);
    fits = fits && text != nullptr;
    (names == 0 ? out.h_name : aliases[names - 1]) = text;
    ++names;
  });
  if (!fits) return why.no_room();
  aliases[names - 1] = nullptr;
  out.h_aliases = aliases;
  out.h_addrtype = family;
  out.h_length = static_cast<int>(length);
  out.h_addr_list = addresses;
  return why.found();
}

nss_status by_name(const char* name, int family, hostent* result, Space space, const Why& why) {
  if (family != AF_INET && family != AF_INET6) return why.no_such_family();
  Host host;
  const Found found = ask([&](const NameFile& file) { return file.find(name, host); });
  if (found == Found::unavailable) return why.no_file();
  if (found == Found::no) return why.no_host();
  return fill(host, family, *result, space, why);
}

nss_status by_address(const void* address, socklen_t length, int family, hostent* result,
                      Space space, const Why& why) {
  const bool fits = (family == AF_INET && length == 4) || (family == AF_INET6 && length == 16);
  if (!fits) return why.no_such_family();
  const std::string_view octets(static_cast<const char*>(address), length);
  Host host;
  const Found found = ask([&](const NameFile& file) { return file.find_address(octets, host); });
  if (found == Found::unavailable) return why.no_file();
  if (found == Found::no) return why.no_host();
  // The address that was asked about is the answer's, alone, as of /etc/hosts.
  if (fill(host, family, *result, space, why) != NSS_STATUS_SUCCESS) return why.no_room();
  std::memcpy(result->h_addr_list[0], address, length);
  result->h_addr_list[1] = nullptr;
  return why.found();
}

}  // namespace

#define DROVER_NSS extern "C" __attribute__((visibility("default"))) nss_status

// NOLINTBEGIN(bugprone-reserved-identifier): glibc gives the names
DROVER_NSS _nss_drover_gethostbyname4_r(const char* name, gaih_addrtuple** pat, char* buffer,
                                        size_t size, int* errnop, int* herrnop, int32_t* ttlp) {
  const Why why{errnop, herrnop};
  Host host;
  const Found found = ask([&](const NameFile& file) { return file.find(name, host); });
  if (found == Found::unavailable) return why.no_file();
  if (found == Found::no) return why.no_host();
  if (host.addresses4() + host.addresses6() == 0) return why.no_address();
  Space space(buffer, size);
  char* const canonical = space.text(host.canonical());
  if (canonical == nullptr) return why.no_room();
  gaih_addrtuple** link = pat;
  gaih_addrtuple* given = *pat;  // glibc may lend the first one
  const auto add = [&](int family, std::string_view octets) {
    auto* tuple = given;
    given = nullptr;
    if (tuple == nullptr) {
      tuple =
          static_cast<gaih_addrtuple*>(space.take(sizeof(gaih_addrtuple), alignof(gaih_addrtuple)));
    }
    if (tuple == nullptr) return false;
    *tuple = gaih_addrtuple{};
    tuple->name = canonical;
    tuple->family = family;
    std::memcpy(tuple->addr, octets.data(), octets.size());
    *link = tuple;
    link = &tuple->next;
    return true;
  };
  for (size_t i = 0; i < host.addresses4(); ++i) {
    if (!add(AF_INET, host.address4(i))) return why.no_room();
  }
  for (size_t i = 0; i < host.addresses6(); ++i) {
    if (!add(AF_INET6, host.address6(i))) return why.no_room();
  }
  if (ttlp != nullptr) *ttlp = 0;  // it is here: nobody need remember it
  return why.found();
}

DROVER_NSS _nss_drover_gethostbyname3_r(const char* name, int family, hostent* result, char* buffer,
                                        size_t size, int* errnop, int* herrnop, int32_t* ttlp,
                                        char** canonp) {
  const nss_status status =
      by_name(name, family, result, Space(buffer, size), Why{errnop, herrnop});
  if (status != NSS_STATUS_SUCCESS) return status;
  if (ttlp != nullptr) *ttlp = 0;
  if (canonp != nullptr) *canonp = result->h_name;
  return status;
}

DROVER_NSS _nss_drover_gethostbyname2_r(const char* name, int family, hostent* result, char* buffer,
                                        size_t size, int* errnop, int* herrnop) {
  return by_name(name, family, result, Space(buffer, size), Why{errnop, herrnop});
}

DROVER_NSS _nss_drover_gethostbyname_r(const char* name, hostent* result, char* buffer, size_t size,
                                       int* errnop, int* herrnop) {
  return by_name(name, AF_INET, result, Space(buffer, size), Why{errnop, herrnop});
}

DROVER_NSS _nss_drover_gethostbyaddr2_r(const void* address, socklen_t length, int family,
                                        hostent* result, char* buffer, size_t size, int* errnop,
                                        int* herrnop, int32_t* ttlp) {
  const nss_status status =
      by_address(address, length, family, result, Space(buffer, size), Why{errnop, herrnop});
  if (status == NSS_STATUS_SUCCESS && ttlp != nullptr) *ttlp = 0;
  return status;
}

DROVER_NSS _nss_drover_gethostbyaddr_r(const void* address, socklen_t length, int family,
                                       hostent* result, char* buffer, size_t size, int* errnop,
                                       int* herrnop) {
  return by_address(address, length, family, result, Space(buffer, size), Why{errnop, herrnop});
}
// NOLINTEND(bugprone-reserved-identifier)
