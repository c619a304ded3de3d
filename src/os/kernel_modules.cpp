// Reads depmod's files. They come with the kernel, but may be of another version or cut short:
// every line stands for itself.
#include "os/kernel_modules.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace drover::os {
namespace {

/// modules.dep is transitively closed; a chain of soft dependencies longer than this is a mistake.
constexpr int kDeepest = 64;

std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

std::string_view next_word(std::string_view& line) {
  const size_t from = std::min(line.find_first_not_of(" \t"), line.size());
  const size_t to = std::min(line.find_first_of(" \t", from), line.size());
  const std::string_view word = line.substr(from, to - from);
  line = line.substr(to);
  return word;
}

std::string plain_name(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '-', '_');
  return out;
}

/// The set after "[": whether `c` is in it, and where the pattern goes on; nothing when the
/// bracket is never closed, so that it stands for itself.
std::optional<std::pair<bool, size_t>> match_set(std::string_view pattern, size_t at, char c) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (const size_t first = i; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) return std::pair{found != negated, i + 1};
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  return std::nullopt;
}

/// Where the pattern goes on when its next element takes `c`.
std::optional<size_t> take_one(std::string_view pattern, size_t at, char c) {
  if (at >= pattern.size()) return std::nullopt;
  if (pattern[at] == '?') return at + 1;
  if (pattern[at] == '[') {
    if (const auto set = match_set(pattern, at, c)) {
      return set->first ? std::optional(set->second) : std::nullopt;
    }
  }
  return pattern[at] == c ? std::optional(at + 1) : std::nullopt;
}

}  // namespace

std::string module_name(std::string_view path) {
  path = path.substr(path.rfind('/') + 1);
  return plain_name(path.substr(0, path.find(".ko")));
}

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the last "*": it alone needs to be tried again
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (const auto next = take_one(pattern, p, text[t])) {
      p = *next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

ModuleIndex ModuleIndex::parse(const ModuleTexts& texts) {
  ModuleIndex out;
  for (std::string_view rest = texts.dep; !rest.empty();) {
    std::string_view line = next_line(rest);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    Module module{module_name(line.substr(0, colon)), std::string(line.substr(0, colon)), {}, {}};
    line = line.substr(colon + 1);
    // The file names what is needed first last.
    for (auto word = next_word(line); !word.empty(); word = next_word(line)) {
      module.needs.insert(module.needs.begin(), std::string(word));
    }
    out.modules_.insert_or_assign(module.name, std::move(module));
  }
  for (std::string_view rest = texts.alias; !rest.empty();) {
    std::string_view line = next_line(rest);
    if (next_word(line) != "alias") continue;
    const std::string_view pattern = next_word(line);
    const std::string_view module = next_word(line);
    if (!module.empty()) out.aliases_.push_back({std::string(pattern), plain_name(module)});
  }
  for (std::string_view rest = texts.builtin; !rest.empty();) {
    const std::string_view line = next_line(rest);
    if (!line.empty()) out.builtin_.push_back(module_name(line));
  }
  std::ranges::sort(out.builtin_);
  for (std::string_view rest = texts.softdep; !rest.empty();) {
    std::string_view line = next_line(rest);
    if (next_word(line) != "softdep") continue;
    const auto module = out.modules_.find(plain_name(next_word(line)));
    bool before = false;
    for (auto word = next_word(line); !word.empty(); word = next_word(line)) {
      if (word.ends_with(':')) {
        before = word == "pre:";
      } else if (before && module != out.modules_.end()) {
        module->second.wants.emplace_back(word);
      }
    }
  }
  return out;
}

const ModuleIndex::Module* ModuleIndex::find(std::string_view name) const {
  const auto found = modules_.find(plain_name(name));
  return found == modules_.end() ? nullptr : &found->second;
}

bool ModuleIndex::is_builtin(std::string_view name) const {
  return std::ranges::binary_search(builtin_, plain_name(name));
}

std::vector<std::string> ModuleIndex::for_device(std::string_view modalias) const {
  std::vector<std::string> out;
  for (const Alias& alias : aliases_) {
    if (!glob_match(alias.pattern, modalias)) continue;
    if (std::ranges::find(out, alias.module) == out.end()) out.push_back(alias.module);
  }
  return out;
}

struct ModuleIndex::Walk {
  std::set<std::string> seen;
  std::vector<std::string> order;
};

void ModuleIndex::visit(const Module& module, Walk& walk, int depth) const {
  if (depth > kDeepest || !walk.seen.insert(module.name).second) return;
  for (const std::string& wanted : module.wants) {
    if (const Module* one = find(wanted)) {
      visit(*one, walk, depth + 1);
      continue;
    }
    for (const std::string& name : for_device(wanted)) {
      if (const Module* one = find(name)) visit(*one, walk, depth + 1);
    }
  }
  for (const std::string& path : module.needs) {
    if (const Module* one = find(module_name(path))) visit(*one, walk, depth + 1);
  }
  walk.order.push_back(module.path);
}

Result<std::vector<std::string>> ModuleIndex::load_order(std::string_view name) const {
  const Module* module = find(name);
  if (module == nullptr) {
    if (is_builtin(name)) return std::vector<std::string>{};
    return fail(Code::not_found, "the kernel has no module " + std::string(name));
  }
  Walk walk;
  visit(*module, walk, 0);
  return std::move(walk.order);
}

}  // namespace drover::os
