// Owners in the order of the attributes, strongest first, walked from either end.
#include "cluster/content/effective.hpp"

#include "cluster/content/owner.hpp"
#include "cluster/formula.hpp"

#include <algorithm>
#include <map>
#include <ranges>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

std::string owner_of(const AttributeSetting& source) {
  return Owner{source.source, source.name}.text();
}

/// Line by line: a formula is short, a file need not be.
Result<std::string> evaluate_lines(NodeAttributes& attributes, const std::string& path,
                                   std::string_view content) {
  std::string out;
  size_t number = 1;
  for (size_t at = 0; at < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', at), content.size());
    const std::string line(content.substr(at, end - at));
    if (has_formula(line)) {
      DROVER_TRY(const std::string value,
                 attributes.expand(fmt::format("{}, line {}", path, number), line));
      out += value;
    } else {
      out += line;
    }
    if (end < content.size()) out.push_back('\n');
    at = end + 1;
  }
  return out;
}

}  // namespace

void EffectiveStep::describe(Visitor& v) {
  v.field("step", step, "The step.");
  v.field("origin", origin, "Whose it is.");
  v.field("overrides", overrides, "Weaker owners whose step of this name it replaces.");
}

void EffectiveFile::describe(Visitor& v) {
  v.field("path", path, "Where it is on the node.");
  v.field("file", file, "The file, formulas evaluated.");
  v.field("origin", origin, "Whose it is.");
  v.field("overrides", overrides, "Weaker owners whose file of this path it replaces.");
  v.field("problem", problem, "Why it cannot be made; empty: it is good.");
}

std::vector<CloudInitLayer> cloud_init_of(const Model& model, const NodeAttributes& attributes) {
  std::vector<CloudInitLayer> out;
  if (model.cloud_inits().empty()) return out;
  for (const AttributeSetting& source : attributes.sources() | std::views::reverse) {
    std::string owner = owner_of(source);
    const auto it = model.cloud_inits().find(owner);
    if (it == model.cloud_inits().end()) continue;
    out.push_back({&it->second.value, std::move(owner), origin_text(source)});
  }
  return out;
}

std::vector<EffectiveStep> steps_of(const Model& model, const NodeAttributes& attributes) {
  std::vector<EffectiveStep> out;
  if (model.step_lists().empty()) return out;
  for (const AttributeSetting& source : attributes.sources() | std::views::reverse) {
    const auto it = model.step_lists().find(owner_of(source));
    if (it == model.step_lists().end()) continue;
    const std::string origin = origin_text(source);
    for (const Step& step : it->second.value.steps) {
      const auto same = std::ranges::find_if(
          out, [&](const EffectiveStep& each) { return each.step.name == step.name; });
      if (same == out.end()) {
        out.push_back({step, origin, {}});
        continue;
      }
      same->overrides.insert(same->overrides.begin(), same->origin);
      same->step = step;
      same->origin = origin;
    }
  }
  return out;
}

std::vector<EffectiveFile> files_of(const Model& model, NodeAttributes& attributes) {
  std::map<std::string, EffectiveFile> files;
  if (model.overlays().empty()) return {};
  for (const AttributeSetting& source : attributes.sources()) {
    const auto it = model.overlays().find(owner_of(source));
    if (it == model.overlays().end()) continue;
    const std::string origin = origin_text(source);
    for (const auto& [path, file] : it->second.value.files) {
      const auto [held, fresh] = files.try_emplace(path);
      if (fresh) {
        held->second = {path, file, origin, {}, {}};
      } else {
        held->second.overrides.push_back(origin);
      }
    }
  }
  std::vector<EffectiveFile> out;
  out.reserve(files.size());
  for (auto& [path, file] : files) {
    if (file.file.is_template) {
      auto content = evaluate_lines(attributes, path, file.file.content);
      if (content) {
        file.file.content = *std::move(content);
      } else {
        file.problem = content.error().text();
      }
    }
    out.push_back(std::move(file));
  }
  return out;
}

}  // namespace drover::cluster
