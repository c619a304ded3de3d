// Tones of text: what is well, what is not, in colours where the terminal takes them.
#pragma once

#include <string>
#include <string_view>

namespace drover::cli {

enum class Tone { plain, good, warning, bad, faint, strong };

/// The tone of a state's name: node_up, lost, in_service, ok, critical, ..
Tone tone_of_state(std::string_view state);

/// `text` in the tone's colour (ECMA-48 SGR) when `colour`, else as it is.
std::string toned(std::string_view text, Tone tone, bool colour);

}  // namespace drover::cli
