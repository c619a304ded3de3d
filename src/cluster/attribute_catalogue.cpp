#include "cluster/attribute_catalogue.hpp"

#include "base/text.hpp"
#include "cluster/boot_template.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/image.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

using T = AttributeType;

constexpr std::array<std::string_view, 10> kTypeNames{"text",    "name",    "integer",   "choice",
                                                      "boolean", "address", "addresses", "hosts",
                                                      "image",   "script"};

constexpr std::array kRows{
    AttributeRow{"site", T::text, "The site or building that the node stands in."},
    AttributeRow{"room", T::text, "The room that it stands in."},
    AttributeRow{"row", T::name, "The row of racks."},
    AttributeRow{"rack", T::name, "The rack; a number where formulas compute with it."},
    AttributeRow{"chassis", T::name, "The chassis or enclosure within the rack."},
    AttributeRow{"slot", T::name, "The slot within the chassis."},
    AttributeRow{"unit", T::integer, "The lowest rack unit that it fills.", 1, 100},
    AttributeRow{"vendor", T::text, "Who made the machine."},
    AttributeRow{"model", T::text, "The machine's model."},
    AttributeRow{"serial", T::text, "The machine's serial number, as the vendor knows it."},
    AttributeRow{"asset", T::text, "The site's own inventory number."},
    AttributeRow{"arch", T::choice, "The processor architecture.", 0, 0,
                 "x86_64 aarch64 ppc64le riscv64 other"},
    AttributeRow{"class", T::choice, "The kind of cabinet, in the words of SMD.", 0, 0,
                 "River Mountain Hill"},
    AttributeRow{"subrole", T::name, "A finer role within the site, shown by SMD's view."},
    AttributeRow{"smd_role", T::choice,
                 "Its role in the words of SMD; Compute where nothing is said, of a utility "
                 "Application.",
                 0, 0, "Compute Service System Application Storage Management"},
    AttributeRow{"smd_subtype", T::name, "Its finer type, for SMD's clients."},
    AttributeRow{"smd_nettype", T::choice, "The network that it is part of, for SMD's clients.", 0,
                 0, "Sling Infiniband Ethernet OEM None"},
    AttributeRow{"smd_presence", T::choice,
                 "What SMD's clients said of its place; shown while power and phase are unknown.",
                 0, 0, "Populated Empty"},
    AttributeRow{"smd_tags", T::text, "Of a group: words that SMD's clients find it by."},
    AttributeRow{"smd_exclusive_group", T::text,
                 "Of a group: a node is in one at most that says the same, for SMD's clients."},
    AttributeRow{"software_status", T::text, "What its software says, for SMD's clients."},
    AttributeRow{"comment", T::text, "What administrators should know about the node."},
    AttributeRow{"domain", T::hosts, "The DNS domain that completes the node's name."},
    AttributeRow{"gateway", T::address, "The default route."},
    AttributeRow{"nameservers", T::addresses, "DNS servers that the node asks."},
    AttributeRow{"ntp_servers", T::hosts, "Time servers that the node follows."},
    AttributeRow{"mtu", T::integer, "Largest packet on its management network, in bytes.", 68,
                 65535},
    AttributeRow{"vlan", T::integer, "The VLAN of its management network.", 1, 4094},
    AttributeRow{"timezone", T::text, "The time zone, such as Europe/Zurich."},
    AttributeRow{"image", T::image, "The image that it boots."},
    AttributeRow{"kernel", T::text,
                 "URL of a kernel that iPXE fetches, in place of an image that is said at the same "
                 "place or a weaker one."},
    AttributeRow{"initrd", T::text,
                 "URL of that kernel's initrd; it counts where it is not weaker than kernel."},
    AttributeRow{"kernel_args", T::text, "Arguments of the kernel that it boots."},
    AttributeRow{"console", T::text, "The serial console in the kernel's words: ttyS0,115200n8."},
    AttributeRow{"bmc_port", T::integer,
                 "Port of its BMC's Redfish service; 443 where nothing is said.", 1, 65535},
    AttributeRow{"bmc_system", T::name,
                 "Id of the machine among those of its BMC, where that has several."},
    AttributeRow{"console_by", T::choice,
                 "How its serial console is reached; a console of a node that says so is held "
                 "always and logged. auto, when somebody asks, where nothing is said.",
                 0, 0, "auto redfish ssh ipmi socket off"},
    AttributeRow{"console_port", T::integer,
                 "Port of its BMC's SSH or IPMI; what the BMC says, else the standard.", 1, 65535},
    AttributeRow{"console_command", T::text,
                 "What makes a console of its BMC's SSH shell, such as: console com2."},
    AttributeRow{"console_socket", T::text,
                 "The Unix socket of its console, below a folder of the setting console.sockets."},
    AttributeRow{"boot", T::choice, "Where it boots from.", 0, 0, "network disk"},
    AttributeRow{"boot_mode", T::choice,
                 "How it runs what it boots; image where nothing is said and the image has a root.",
                 0, 0, "lean image disk"},
    AttributeRow{
        "boot_disk", T::text,
        "The disk of mode disk: its name or serial number; else its own, else a blank one."},
    AttributeRow{
        "disk_wipe", T::boolean,
        "Mode disk may destroy what others left on the disk; false where nothing is said."},
    AttributeRow{"boot_loader", T::choice, "What its firmware loads; grub through shim.", 0, 0,
                 "ipxe grub"},
    AttributeRow{
        "boot_template", T::script,
        "A boot script of the site's own, for iPXE where it begins with #!ipxe, else GRUB."},
    AttributeRow{"switch_port", T::text,
                 "The switch port that it is cabled to, as relays write it into option 82."},
};

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

bool is_plain_address(std::string_view text) {
  return text.find('/') == std::string_view::npos && canonical_address(text).has_value();
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool is_integer(std::string_view text, int64_t least, int64_t most) {
  int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc{} && end == last && value >= least && value <= most;
}

bool is_one_of(const std::vector<std::string_view>& words, std::string_view value) {
  return std::ranges::find(words, value) != words.end();
}

bool fits(const AttributeRow& row, std::string_view value) {
  const auto every = [&](auto good) { return std::ranges::all_of(split(value, ','), good); };
  switch (row.type) {
    case T::text:
      return true;
    case T::name:
      return is_name(value);
    case T::integer:
      return is_integer(value, row.least, row.most);
    case T::choice:
      return is_one_of(split(row.choices, ' '), value);
    case T::boolean:
      return value == "true" || value == "false";
    case T::address:
      return is_plain_address(value);
    case T::addresses:
      return every(is_plain_address);
    case T::hosts:
      return every([](std::string_view host) {
        return is_plain_address(host) || check_node_name(host).has_value();
      });
    case T::image:
      return ImageReference::parse("image", value).has_value();
    case T::script:
      return true;  // check_script() says more than yes or no
  }
  return false;
}

}  // namespace

std::span<const std::string_view> enum_names(AttributeType) {
  return kTypeNames;
}

std::span<const AttributeRow> attribute_catalogue() {
  return kRows;
}

const AttributeRow* find_attribute_row(std::string_view name) {
  const auto* row = std::ranges::find(kRows, name, &AttributeRow::name);
  return row == kRows.end() ? nullptr : row;
}

std::string attribute_rule(const AttributeRow& row) {
  switch (row.type) {
    case T::text:
      return "one line of text";
    case T::name:
      return "letters, digits, '.', '_' and '-'";
    case T::integer:
      return fmt::format("an integer from {} to {}", row.least, row.most);
    case T::choice:
      return fmt::format("one of {}", fmt::join(split(row.choices, ' '), ", "));
    case T::boolean:
      return "true or false";
    case T::address:
      return "an IP address";
    case T::addresses:
      return "IP addresses joined by commas";
    case T::hosts:
      return "host names or IP addresses joined by commas";
    case T::image:
      return "an image as NAME, NAME:TAG or NAME@DIGEST";
    case T::script:
      return "lines of a boot template";
  }
  return {};
}

Status check_attribute_name(std::string_view field, std::string_view name) {
  if (find_attribute_row(name) != nullptr) return {};
  constexpr size_t kMost = 128;
  if (name.starts_with(kSitePrefix)) {
    const auto words = split(name, '.');
    if (name.size() <= kMost && std::ranges::all_of(words, is_word)) return {};
    return bad_field(field, name,
                     "expected words of lower-case letters, digits and '_' joined by dots, at most "
                     "128 bytes");
  }
  std::vector<std::string_view> known;
  for (const AttributeRow& row : kRows) known.push_back(row.name);
  const std::string_view near = nearest(name, known);
  return bad_field(field, name,
                   fmt::format("expected a known attribute{} or, for a site's own, x.NAME",
                               near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
}

namespace {

/// Lines of text that are a template; what is wrong is said with its line.
Status check_script(std::string_view field, std::string_view name, std::string_view value) {
  const bool is_text = std::ranges::all_of(value, [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\n' || c == '\t';
  });
  if (!is_text) return bad_field(field, "it", "expected lines of text");
  const auto parsed = BootTemplate::parse(name, value);
  if (!parsed) return fail_in(field, parsed.error());
  return {};
}

bool is_script(std::string_view name) {
  const AttributeRow* row = find_attribute_row(name);
  return row != nullptr && row->type == T::script;
}

}  // namespace

bool is_verbatim_attribute(std::string_view name) {
  return is_script(name);
}

Status check_resolved_value(std::string_view field, std::string_view name, std::string_view value) {
  if (is_script(name)) return check_script(field, name, value);
  DROVER_CHECK_OK(check_plain_text(field, value, kMaxAttributeValue));
  const AttributeRow* row = find_attribute_row(name);
  if (row == nullptr || fits(*row, value)) return {};
  return bad_field(field, value, fmt::format("expected {}", attribute_rule(*row)));
}

Status check_attribute_value(std::string_view field, std::string_view name,
                             std::string_view value) {
  if (!has_formula(value) || is_script(name)) return check_resolved_value(field, name, value);
  DROVER_CHECK_OK(check_plain_text(field, value, kMaxAttributeValue));
  const Status syntax = check_formula(value);
  if (!syntax) return fail_in(field, syntax.error());
  // What is not set today may be tomorrow; what nothing can set is a typing mistake.
  for (const std::string& variable : formula_variables(value)) {
    const bool built_in = variable == "name" || variable == "nid" || number_variable(variable);
    if (built_in || check_attribute_name("", variable)) continue;
    return bad_field(field, value,
                     fmt::format("expected name, nid, number, number1 .. or an attribute in a "
                                 "formula, not '{}'",
                                 variable));
  }
  return {};
}

Status check_attributes(std::string_view field, const std::map<std::string, std::string>& map) {
  return check_attributes(field, map, {});
}

Status check_attributes(std::string_view field, const std::map<std::string, std::string>& map,
                        const std::map<std::string, std::string>& before) {
  if (map.size() > kMaxAttributes) {
    return bad_field(field, fmt::format("{} attributes", map.size()),
                     fmt::format("expected at most {}", kMaxAttributes));
  }
  auto old = before.begin();
  for (const auto& [name, value] : map) {
    while (old != before.end() && old->first < name) ++old;
    if (old != before.end() && old->first == name && old->second == value) continue;
    DROVER_CHECK_OK(check_attribute_name(field, name));
    DROVER_CHECK_OK(check_attribute_value(fmt::format("{}.{}", field, name), name, value));
  }
  return {};
}

std::string attributes_markdown() {
  std::string out = "| Attribute | Rule | Meaning |\n|---|---|---|\n";
  for (const AttributeRow& row : kRows) {
    out += fmt::format("| `{}` | {} | {} |\n", row.name, attribute_rule(row), row.help);
  }
  out += "\n## What a boot template may say\n\n";
  return out + boot_variables_markdown();
}

}  // namespace drover::cluster
