// One row per key: what it must be like and where it goes.
#include "nodeboot/command_line.hpp"

#include "base/text.hpp"
#include "os/link_setup.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

/// COMMAND_LINE_SIZE of x86 is 2048; other architectures have up to 4096.
constexpr size_t kLongestLine = 8192;
constexpr std::string_view kOurs = "drover.";

using Complaint = std::optional<std::string>;  // what is wrong with a value

bool is_hex64(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

template <typename Number>
bool number(std::string_view text, Number least, Number most, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && least <= out && out <= most;
}

/// Names and domains as they may stand in files: letters, digits, "-", "_", ".".
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

Complaint take_endpoint(std::string_view text, net::Endpoint& out) {
  auto endpoint = net::Endpoint::parse(text);
  // Names cannot be looked up before the network is there.
  if (!endpoint || endpoint->port == 0 || os::ip_version(endpoint->host) == 0) {
    return "it must be ADDRESS:PORT";
  }
  out = std::move(*endpoint);
  return {};
}

Complaint take_node(BootCommand& out, const std::string& value) {
  if (!is_name(value)) return "it must be a node's name";
  out.node = value;
  return {};
}

Complaint take_mode(BootCommand& out, const std::string& value) {
  if (value == "lean") {
    out.mode = Mode::lean;
  } else if (value == "image") {
    out.mode = Mode::image;
  } else if (value == "disk") {
    out.mode = Mode::disk;
  } else {
    return "it must be lean, image or disk";
  }
  return {};
}

Complaint take_boot(BootCommand& out, const std::string& value) {
  return take_endpoint(value, out.boot);
}

Complaint take_http(BootCommand& out, const std::string& value) {
  std::string_view rest = value;
  if (!rest.starts_with("http://")) return "it must begin with http://";
  rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  return take_endpoint(rest, out.http.emplace());
}

Complaint take_ca(BootCommand& out, const std::string& value) {
  if (!is_hex64(value)) return "it must be 64 hex digits";
  out.ca_sha256 = value;
  return {};
}

Complaint take_token(BootCommand& out, const std::string& value) {
  const bool good = value.size() == 32 && std::ranges::all_of(value, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
                    });
  if (!good) return "it must be 32 characters of base32";
  out.token = value;
  return {};
}

Complaint take_mac(BootCommand& out, const std::string& value) {
  std::string mac = value;
  std::ranges::replace(mac, '-', ':');
  bool good = mac.size() == 17;
  for (size_t i = 0; good && i < mac.size(); ++i) {
    char& c = mac[i];
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    good = i % 3 == 2 ? c == ':' : hex;
  }
  if (!good) return "it must be a MAC address";
  out.mac = std::move(mac);
  return {};
}

Complaint take_ip(BootCommand& out, const std::string& value) {
  const size_t slash = value.find('/');
  const std::string address = value.substr(0, slash);
  const int kind = os::ip_version(address);
  uint8_t prefix = 0;
  if (kind == 0 || slash == std::string::npos ||
      !number<uint8_t>(std::string_view(value).substr(slash + 1), 1, kind == 4 ? 32 : 128,
                       prefix)) {
    return "it must be ADDRESS/PREFIX";
  }
  out.address = address;
  out.prefix = prefix;
  return {};
}

Complaint take_gw(BootCommand& out, const std::string& value) {
  if (os::ip_version(value) == 0) return "it must be an address";
  out.gateway = value;
  return {};
}

Complaint take_ns(BootCommand& out, const std::string& value) {
  std::string_view rest = value;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    std::string one(rest.substr(0, comma));
    if (os::ip_version(one) == 0) return "it must be addresses with commas between";
    out.nameservers.push_back(std::move(one));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return {};
}

Complaint take_domain(BootCommand& out, const std::string& value) {
  if (!is_name(value)) return "it must be a domain";
  out.domain = value;
  return {};
}

Complaint take_mtu(BootCommand& out, const std::string& value) {
  if (!number<uint32_t>(value, 68, 65535, out.mtu)) return "it must be 68 to 65535";
  return {};
}

Complaint take_root(BootCommand& out, const std::string& value) {
  if (!is_hex64(value)) return "it must be 64 hex digits";
  out.root = value;
  return {};
}

Complaint take_size(BootCommand& out, const std::string& value) {
  if (!number<uint64_t>(value, 1, uint64_t{1} << 50, out.size)) return "it must be bytes";
  return {};
}

Complaint take_kernel(BootCommand& out, const std::string& value) {
  if (!is_hex64(value)) return "it must be 64 hex digits";
  out.kernel = value;
  return {};
}

Complaint take_initrds(BootCommand& out, const std::string& value) {
  for (size_t at = 0; at <= value.size(); at += 65) {
    std::string one = value.substr(at, 64);
    const bool more = at + 64 < value.size();
    if (!is_hex64(one) || (more && value[at + 64] != ',')) {
      return "it must be 64 hex digits each, with commas between";
    }
    out.initrds.push_back(std::move(one));
    if (!more) break;
  }
  return {};
}

Complaint take_disk(BootCommand& out, const std::string& value) {
  const bool good = value.size() <= 64 && std::ranges::all_of(value, [](char c) {
                      return c > ' ' && c < '\x7f' && c != '/';
                    });
  if (!good) return "it must be a disk's name or serial number";
  out.disk = value;
  return {};
}

Complaint take_wipe(BootCommand& out, const std::string& value) {
  if (value != "yes") return "it must be yes";
  out.wipe = true;
  return {};
}

Complaint take_from(BootCommand& out, const std::string& value) {
  if (value != "disk") return "it must be disk";
  out.from_disk = true;
  return {};
}

Complaint take_log(BootCommand& out, const std::string& value) {
  return take_endpoint(value, out.log.emplace());
}

Complaint take_secrets(BootCommand& out, const std::string& value) {
  if (value != "yes") return "it must be yes";
  out.secrets = true;
  return {};
}

Complaint take_time(BootCommand& out, const std::string& value) {
  // Year 2001 to 2261, so that no mistake sets a senseless clock.
  if (!number<int64_t>(value, 1'000'000'000, 9'200'000'000, out.time.emplace())) {
    return "it must be a time in Unix seconds";
  }
  return {};
}

struct Key {
  std::string_view name;
  Complaint (*take)(BootCommand&, const std::string&);
  bool required;
};

constexpr std::array<Key, 22> kKeys{{{"node", take_node, true},
                                     {"mode", take_mode, false},
                                     {"boot", take_boot, true},
                                     {"http", take_http, false},
                                     {"ca", take_ca, true},
                                     {"token", take_token, false},
                                     {"mac", take_mac, true},
                                     {"ip", take_ip, true},
                                     {"gw", take_gw, false},
                                     {"ns", take_ns, false},
                                     {"domain", take_domain, false},
                                     {"mtu", take_mtu, false},
                                     {"root", take_root, false},
                                     {"size", take_size, false},
                                     {"kernel", take_kernel, false},
                                     // Not "initrd": EFI stubs look for "initrd=" anywhere.
                                     {"initrds", take_initrds, false},
                                     {"disk", take_disk, false},
                                     {"wipe", take_wipe, false},
                                     {"from", take_from, false},
                                     {"log", take_log, false},
                                     {"secrets", take_secrets, false},
                                     {"time", take_time, false}}};

tl::unexpected<Error> wrong(std::string_view key, std::string_view what) {
  return fail(Code::invalid_argument,
              fmt::format("the kernel command line's {}{} {}", kOurs, key, what),
              "look at what the machine is given: drover boot show NODE");
}

Status take(const Key& key, BootCommand& out, const std::string& value) {
  // An empty value is the script's way to say "none".
  if (value.empty() && !key.required) return {};
  const Complaint complaint = key.take(out, value);
  if (!complaint) return {};
  if (key.name == "token") return wrong(key.name, "is wrong: " + *complaint);
  return wrong(key.name, fmt::format("is '{}': {}", printable(value.substr(0, 100)), *complaint));
}

/// What the mode needs, and who may come without a token.
Status check_together(const BootCommand& command) {
  const auto missing = [&](std::string_view key) {
    return wrong(key, fmt::format("is missing, which mode {} needs", name(command.mode)));
  };
  if (command.from_disk && command.mode != Mode::disk) return wrong("from", "is for mode disk");
  if (command.token.empty() && !command.from_disk) return wrong("token", "is missing");
  if (command.mode == Mode::lean) return {};
  if (command.root.empty()) return missing("root");
  if (!command.http) return missing("http");
  if (command.mode == Mode::disk && command.size == 0) return missing("size");
  return {};
}

}  // namespace

std::string_view name(Mode mode) {
  return mode == Mode::lean ? "lean" : mode == Mode::image ? "image" : "disk";
}

std::vector<std::string> split_command_line(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      if (!word.empty()) out.push_back(std::exchange(word, {}));
    } else {
      word.push_back(c);
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

Result<BootCommand> parse_boot_command(std::string_view line) {
  if (line.size() > kLongestLine) {
    return fail(Code::too_large, "the kernel command line is too long to be one");
  }
  BootCommand out;
  std::set<std::string, std::less<>> seen;
  for (const std::string& word : split_command_line(line)) {
    if (!word.starts_with(kOurs)) continue;
    const size_t equals = word.find('=');
    const std::string key = word.substr(kOurs.size(), equals - kOurs.size());
    const auto* row = std::ranges::find(kKeys, key, &Key::name);
    if (row == kKeys.end()) continue;
    if (!seen.insert(key).second) return wrong(key, "is given twice");
    DROVER_CHECK_OK(take(*row, out, equals == std::string::npos ? "" : word.substr(equals + 1)));
  }
  for (const Key& key : kKeys) {
    if (key.required && !seen.contains(key.name)) return wrong(key.name, "is missing");
  }
  if (!out.gateway.empty() && os::ip_version(out.gateway) != os::ip_version(out.address)) {
    return wrong("gw", "is of another family than drover.ip");
  }
  DROVER_CHECK_OK(check_together(out));
  return out;
}

}  // namespace drover::nodeboot
