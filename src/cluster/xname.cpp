#include "cluster/xname.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace drover::cluster {
namespace {

/// Longest text that is looked at: twice the longest real one.
constexpr size_t kLongest = 128;
/// Most digits of one number; more would fit no integer.
constexpr size_t kMostDigits = 18;

constexpr std::array<std::string_view, 55> kTypeNames{"System",
                                                      "All",
                                                      "AllSvc",
                                                      "AllComp",
                                                      "Partition",
                                                      "SMSBox",
                                                      "CDU",
                                                      "CDUMgmtSwitch",
                                                      "Cabinet",
                                                      "CabinetCDU",
                                                      "CEC",
                                                      "CabinetBMC",
                                                      "CabinetPDUController",
                                                      "CabinetPDUNic",
                                                      "CabinetPDU",
                                                      "CabinetPDUOutlet",
                                                      "CabinetPDUPowerConnector",
                                                      "Chassis",
                                                      "ChassisBMC",
                                                      "ChassisBMCNic",
                                                      "CMMFpga",
                                                      "CMMRectifier",
                                                      "ComputeModule",
                                                      "NodeEnclosure",
                                                      "NodeEnclosurePowerSupply",
                                                      "NodePowerConnector",
                                                      "NodeBMC",
                                                      "NodeBMCNic",
                                                      "NodeFpga",
                                                      "Node",
                                                      "VirtualNode",
                                                      "NodeNic",
                                                      "NodeHsnNic",
                                                      "NodeAccel",
                                                      "NodeAccelRiser",
                                                      "Memory",
                                                      "Processor",
                                                      "StorageGroup",
                                                      "Drive",
                                                      "RouterModule",
                                                      "RouterBMC",
                                                      "RouterBMCNic",
                                                      "RouterFpga",
                                                      "RouterTOR",
                                                      "RouterTORFpga",
                                                      "HSNBoard",
                                                      "HSNAsic",
                                                      "HSNLink",
                                                      "HSNConnector",
                                                      "HSNConnectorPort",
                                                      "RouterPowerConnector",
                                                      "MgmtSwitch",
                                                      "MgmtSwitchConnector",
                                                      "MgmtHLSwitchEnclosure",
                                                      "MgmtHLSwitch"};

/// Numbers in a pattern: '*' any, '+' 1 or more, 'X' up to four digits, a digit: 0 up to it; 'p'
/// and 'q' 1 up to 2 and 9.
struct Rule {
  std::string_view pattern;
  XnameType type;
};
constexpr std::array kRules{
    Rule{"s0", XnameType::system},
    Rule{"p*", XnameType::partition},
    Rule{"p*.*", XnameType::partition},
    Rule{"sms*", XnameType::sms_box},
    Rule{"d*", XnameType::cdu},
    Rule{"d*w*", XnameType::cdu_switch},
    Rule{"xX", XnameType::cabinet},
    Rule{"xXd1", XnameType::cabinet_cdu},
    Rule{"xXe1", XnameType::cec},
    Rule{"xXb0", XnameType::cabinet_bmc},
    Rule{"xXm3", XnameType::pdu_controller},
    Rule{"xXm3i3", XnameType::pdu_nic},
    Rule{"xXm*p7", XnameType::pdu},
    Rule{"xXm*p7j+", XnameType::pdu_outlet},
    Rule{"xXm*p7v+", XnameType::pdu_power_connector},
    Rule{"xXc7", XnameType::chassis},
    Rule{"xXc7b0", XnameType::chassis_bmc},
    Rule{"xXc7b0i3", XnameType::chassis_bmc_nic},
    Rule{"xXc7f0", XnameType::cmm_fpga},
    Rule{"xXc7t9", XnameType::cmm_rectifier},
    Rule{"xXc7s*", XnameType::compute_module},
    Rule{"xXc7s*e*", XnameType::node_enclosure},
    Rule{"xXc7s*e*t*", XnameType::node_enclosure_supply},
    Rule{"xXc7s*jp", XnameType::node_power_connector},
    Rule{"xXc7s*vp", XnameType::node_power_connector},
    Rule{"xXc7s*b*", XnameType::node_bmc},
    Rule{"xXc7s*b*i3", XnameType::node_bmc_nic},
    Rule{"xXc7s*b*f0", XnameType::node_fpga},
    Rule{"xXc7s*b*n*", XnameType::node},
    Rule{"xXc7s*b*n*v*", XnameType::virtual_node},
    Rule{"xXc7s*b*n*i3", XnameType::node_nic},
    Rule{"xXc7s*b*n*h3", XnameType::node_hsn_nic},
    Rule{"xXc7s*b*n*a*", XnameType::node_accel},
    Rule{"xXc7s*b*n*r7", XnameType::node_accel_riser},
    Rule{"xXc7s*b*n*d*", XnameType::memory},
    Rule{"xXc7s*b*n*p3", XnameType::processor},
    Rule{"xXc7s*b*n*g*", XnameType::storage_group},
    Rule{"xXc7s*b*n*g*k*", XnameType::drive},
    Rule{"xXc7r*", XnameType::router_module},
    Rule{"xXc7r*b*", XnameType::router_bmc},
    Rule{"xXc7r*b*i3", XnameType::router_bmc_nic},
    Rule{"xXc7r*f1", XnameType::router_fpga},
    Rule{"xXc7r*t*", XnameType::router_tor},
    Rule{"xXc7r*t*f1", XnameType::router_tor_fpga},
    Rule{"xXc7r*e*", XnameType::hsn_board},
    Rule{"xXc7r*a3", XnameType::hsn_asic},
    Rule{"xXc7r*a3l*", XnameType::hsn_link},
    Rule{"xXc7r*j+", XnameType::hsn_connector},
    Rule{"xXc7r*j+p2", XnameType::hsn_connector_port},
    Rule{"xXc7r*vp", XnameType::router_power_connector},
    Rule{"xXc7w+", XnameType::mgmt_switch},
    Rule{"xXc7w+j*", XnameType::mgmt_switch_connector},
    Rule{"xXc7h+", XnameType::mgmt_hl_switch_enclosure},
    Rule{"xXc7h+sq", XnameType::mgmt_hl_switch},
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Whether digits without leading zeros keep to a number's rule.
bool number_fits(char rule, std::string_view digits) {
  constexpr size_t kCabinetDigits = 4;
  switch (rule) {
    case '*':
      return true;
    case '+':
      return digits != "0";
    case 'X':
      return digits.size() <= kCabinetDigits;
    case 'p':
      return digits == "1" || digits == "2";
    case 'q':
      return digits.size() == 1 && digits != "0";
    default:
      return digits.size() == 1 && digits.front() <= rule;
  }
}

constexpr bool is_number_rule(std::string_view pattern, size_t at) {
  // The letters p and X begin numbers' rules only behind a letter: "p*", "jp", "xX".
  const char c = pattern[at];
  if (c == '*' || c == '+' || c == 'X' || is_digit(c)) return true;
  const bool last = at + 1 == pattern.size();
  return (c == 'p' || c == 'q') && last && at > 0;
}

/// A canonical text in steps of a letter and the digits behind it: the letters as one number, so
/// that a text meets all rules in some ten nanoseconds.
constexpr size_t kMostSteps = 8;
struct Steps {
  uint64_t letters = 0;
  size_t count = 0;
  std::array<std::string_view, kMostSteps> digits;
};

std::optional<Steps> steps_of(std::string_view canonical) {
  Steps out;
  for (size_t at = 0; at < canonical.size();) {
    if (is_digit(canonical[at]) || out.count == kMostSteps) return std::nullopt;
    out.letters = out.letters << 8U | static_cast<unsigned char>(canonical[at++]);
    size_t end = at;
    while (end < canonical.size() && is_digit(canonical[end])) ++end;
    out.digits.at(out.count++) = canonical.substr(at, end - at);
    at = end;
  }
  return out;
}

/// A rule in the same steps.
struct StepRule {
  uint64_t letters = 0;
  std::array<char, kMostSteps> numbers{};  ///< rules of the digits; 0: there are none
  XnameType type = XnameType::system;
};

constexpr std::array<StepRule, kRules.size()> step_rules() {
  std::array<StepRule, kRules.size()> out{};
  for (size_t i = 0; i < kRules.size(); ++i) {
    const std::string_view pattern = kRules.at(i).pattern;
    out.at(i).type = kRules.at(i).type;
    size_t count = 0;
    for (size_t at = 0; at < pattern.size(); ++at) {
      if (is_number_rule(pattern, at)) {
        out.at(i).numbers.at(count - 1) = pattern[at];
      } else {
        out.at(i).letters = out.at(i).letters << 8U | static_cast<unsigned char>(pattern[at]);
        ++count;
      }
    }
  }
  return out;
}
constexpr auto kStepRules = step_rules();

bool fits(const StepRule& rule, const Steps& steps) {
  for (size_t i = 0; i < steps.count; ++i) {
    const std::string_view digits = steps.digits.at(i);
    const char number = rule.numbers.at(i);
    if (number == 0 ? !digits.empty() : digits.empty() || !number_fits(number, digits)) {
      return false;
    }
  }
  return true;
}

std::optional<XnameType> type_of(std::string_view canonical) {
  if (canonical == "all") return XnameType::all;
  if (canonical == "all_svc") return XnameType::all_services;
  if (canonical == "all_comp") return XnameType::all_components;
  const auto steps = steps_of(canonical);
  if (!steps) return std::nullopt;
  for (const StepRule& rule : kStepRules) {
    if (rule.letters == steps->letters && fits(rule, *steps)) return rule.type;
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Lower case without leading zeros; nothing when a number is too long.
std::optional<std::string> canonical_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at++])));
      continue;
    }
    size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    while (at + 1 < end && text[at] == '0') ++at;
    if (end - at > kMostDigits) return std::nullopt;
    out += text.substr(at, end - at);
    at = end;
  }
  return out;
}

}  // namespace

std::span<const std::string_view> enum_names(XnameType) {
  return kTypeNames;
}

std::optional<XnameType> xname_type_called(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (std::ranges::equal(kTypeNames.at(i), name, same)) return static_cast<XnameType>(i);
  }
  return std::nullopt;
}

std::optional<Xname> parse_xname(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  auto canonical = canonical_text(text);
  if (!canonical) return std::nullopt;
  const auto type = type_of(*canonical);
  if (!type) return std::nullopt;
  return Xname{*std::move(canonical), *type};
}

std::string parent_xname(std::string_view canonical) {
  const auto parsed = parse_xname(canonical);
  if (!parsed) return {};
  switch (parsed->type) {
    case XnameType::system:
    case XnameType::all:
    case XnameType::all_services:
    case XnameType::all_components:
      return {};
    case XnameType::partition:
    case XnameType::sms_box:
    case XnameType::cdu:
    case XnameType::cabinet:
      return "s0";
    default:
      break;
  }
  const size_t letter = canonical.find_last_not_of("0123456789");
  return std::string(canonical.substr(0, letter));
}

bool lies_in(std::string_view part, std::string_view whole) {
  if (whole == "s0" || whole == "all" || part == whole) return true;
  return part.size() > whole.size() && part.starts_with(whole) && !is_digit(part[whole.size()]);
}

bool is_controller(XnameType type) {
  switch (type) {
    case XnameType::chassis_bmc:
    case XnameType::router_bmc:
    case XnameType::node_bmc:
    case XnameType::cabinet_bmc:
    case XnameType::pdu_controller:
    case XnameType::mgmt_switch:
    case XnameType::mgmt_hl_switch:
    case XnameType::cdu_switch:
      return true;
    default:
      return false;
  }
}

std::optional<uint64_t> nid_of_place(const Xname& node) {
  if (node.type != XnameType::node) return std::nullopt;
  constexpr uint64_t kFirst = 16384;
  constexpr std::array<uint64_t, 5> kWidths{10'000, 8, 64, 8, 8};  // x, c, s, b, n
  uint64_t place = 0;
  const char* at = node.text.data();
  const char* const end = at + node.text.size();
  for (const uint64_t width : kWidths) {
    uint64_t number = 0;
    const auto [rest, error] = std::from_chars(at + 1, end, number);
    if (error != std::errc() || number >= width) return std::nullopt;
    place = place * width + number;
    at = rest;
  }
  return kFirst + place;
}

}  // namespace drover::cluster
