#include "api/smd/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace drover::api::smd {
namespace {

constexpr std::array<std::string_view, 6> kRoles{"Compute",     "Service", "System",
                                                 "Application", "Storage", "Management"};
constexpr std::array<std::string_view, 3> kSubRoles{"Master", "Worker", "Storage"};
constexpr std::array<std::string_view, 5> kNetTypes{"Sling", "Infiniband", "Ethernet", "OEM",
                                                    "None"};
constexpr std::array<std::string_view, 4> kArchs{"X86", "ARM", "UNKNOWN", "Other"};
constexpr std::array<std::string_view, 3> kClasses{"River", "Mountain", "Hill"};

char lower_of(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

std::span<const std::string_view> roles() {
  return kRoles;
}
std::span<const std::string_view> sub_roles() {
  return kSubRoles;
}
std::span<const std::string_view> net_types() {
  return kNetTypes;
}
std::span<const std::string_view> archs() {
  return kArchs;
}
std::span<const std::string_view> classes() {
  return kClasses;
}

std::optional<std::string_view> word_of(std::span<const std::string_view> words,
                                        std::string_view text) {
  const auto same = [](char a, char b) { return lower_of(a) == lower_of(b); };
  for (const std::string_view word : words) {
    if (std::ranges::equal(word, text, same)) return word;
  }
  return std::nullopt;
}

std::string_view arch_word(std::string_view attribute) {
  if (attribute == "x86_64") return "X86";
  if (attribute == "aarch64") return "ARM";
  return "Other";
}

std::string_view arch_attribute(std::string_view word) {
  if (word == "X86") return "x86_64";
  if (word == "ARM") return "aarch64";
  return word == "Other" ? "other" : "";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower_of);
  return out;
}

}  // namespace drover::api::smd
