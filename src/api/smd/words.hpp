// SMD's words: the values of its enumerations, in the case that it writes them. Source: hms-base.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::api::smd {

std::span<const std::string_view> roles();
std::span<const std::string_view> sub_roles();
std::span<const std::string_view> net_types();
std::span<const std::string_view> archs();
std::span<const std::string_view> classes();

/// The word of `words` that `text` is in any case; nothing when it is none.
std::optional<std::string_view> word_of(std::span<const std::string_view> words,
                                        std::string_view text);

/// SMD's word for the attribute `arch`: x86_64 is X86, aarch64 ARM, anything else Other.
std::string_view arch_word(std::string_view attribute);
/// The attribute for SMD's word; empty for UNKNOWN.
std::string_view arch_attribute(std::string_view word);

std::string lower(std::string_view text);

}  // namespace drover::api::smd
