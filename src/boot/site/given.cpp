#include "boot/site/given.hpp"

#include "base/text.hpp"
#include "boot/site/membership.hpp"
#include "boot/site/place.hpp"
#include "boot/site/plan.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::boot {
namespace {

using script::Late;
using script::mark;

/// The words of a command line.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// What iPXE calls its own build, and what else a site may have written for it. An i386 build runs
/// 64-bit kernels where the processor does.
std::vector<std::string> names_of_arch(std::string_view arch) {
  std::vector<std::string> out{std::string(arch)};
  constexpr std::array kAlso{std::array<std::string_view, 2>{"i386", "x86_64"},
                             std::array<std::string_view, 2>{"arm64", "aarch64"},
                             std::array<std::string_view, 2>{"aarch64", "arm64"}};
  for (const auto& [asked, also] : kAlso) {
    if (arch == asked) out.emplace_back(also);
  }
  return out;
}

/// Names of the profiles that may say something of a machine, strongest first.
std::vector<std::string> guest_profiles(const ScriptRequest& request, std::string_view mac) {
  std::vector<std::string> out;
  if (!mac.empty()) out.push_back(mac_profile(mac));
  for (const std::string_view name : {request.name, request.xname}) {
    if (!name.empty()) out.push_back(xname_profile(name));
  }
  uint64_t nid = 0;
  const char* const end = request.nid.data() + request.nid.size();
  const auto [rest, error] = std::from_chars(request.nid.data(), end, nid);
  if (!request.nid.empty() && error == std::errc() && rest == end) out.push_back(nid_profile(nid));
  if (request.arch.empty()) return out;
  for (const std::string& arch : names_of_arch(request.arch)) out.push_back(arch_profile(arch));
  return out;
}

/// What a profile or those that it inherits say of a machine; nothing where that is no kernel.
Result<std::optional<BootPlan>> guest_plan(const cluster::Model& model, const SiteOptions& options,
                                           const std::string& profile, std::string_view mac) {
  cluster::Node nobody;
  nobody.spec.profiles = {profile};
  const NodeDefinitions definitions(model);
  cluster::NodeAttributes attributes(nobody, definitions);
  if (attributes.raw("kernel") == nullptr) return std::nullopt;
  // Its own words alone: the profile `default` is for nodes.
  const Strengths strengths(attributes, nobody, definitions);
  const auto value = [&](const std::string& name) -> Result<std::string> {
    if (strengths.of(name) > strengths.of("kernel")) return std::string();
    DROVER_TRY(const auto said, attributes.value(name));
    return said.value_or("");
  };
  const auto from = attributes.sources().at(strengths.of("kernel"));
  if (from.name == cluster::kDefaultProfile || from.source != cluster::AttributeSource::profile) {
    return std::nullopt;
  }
  BootPlan out;
  DROVER_TRY(out.kernel_url, value("kernel"));
  if (out.kernel_url.empty()) return std::nullopt;
  DROVER_TRY(out.initrd_url, value("initrd"));
  DROVER_TRY(const std::string params, value("kernel_args"));
  DROVER_CHECK_OK(check_file_url("kernel", out.kernel_url));
  DROVER_CHECK_OK(check_file_url("initrd", out.initrd_url));
  DROVER_CHECK_OK(check_words("kernel_args", params));
  out.mac = mac;
  out.args = given_args({.params = params,
                         .initrd = !out.initrd_url.empty(),
                         .mac = out.mac,
                         .http_port = options.http_port});
  return out;
}

}  // namespace

std::string mac_profile(std::string_view canonical_mac) {
  std::string bare(canonical_mac);
  std::erase(bare, ':');
  return "bss.mac." + bare;
}
std::string nid_profile(uint64_t nid) {
  return fmt::format("bss.nid.{}", nid);
}
std::string xname_profile(std::string_view xname) {
  return fmt::format("bss.{}", xname);
}
std::string arch_profile(std::string_view arch) {
  return fmt::format("unknown-{}", arch);
}

std::vector<std::string> profiles_meant(const cluster::Model& model, const cluster::Node& node) {
  std::vector<std::string> out;
  const auto add = [&](std::string name) {
    if (model.profiles().contains(name)) out.push_back(std::move(name));
  };
  add(xname_profile(cluster::xname_of(node)));
  for (const cluster::Interface& interface : node.spec.interfaces) {
    if (!interface.mac.empty()) add(mac_profile(interface.mac));
  }
  if (node.spec.nid != 0) add(nid_profile(node.spec.nid));
  return out;
}

Status check_words(std::string_view name, std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return fail(Code::invalid_argument,
                fmt::format("{}: '{}' cannot be handed to a kernel: {}", name, text, what),
                fmt::format("drover node attributes NODE --blame shows who sets {}", name));
  };
  if (text.find("${") != std::string_view::npos) return refuse("iPXE would put a value for ${..}");
  if (text.find_first_of("'\"\\") != std::string_view::npos) {
    return refuse("quotes and backslashes are not the same to every loader");
  }
  for (const std::string_view word : words_of(text)) {
    if (word == "||" || word == "&&") return refuse("iPXE would end the command there");
  }
  return {};
}

Status check_file_url(std::string_view name, std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return fail(Code::invalid_argument,
                fmt::format("{}: '{}' cannot be fetched by iPXE: {}", name, printable(text), what),
                "such as http://SERVER/vmlinuz");
  };
  if (text.find_first_of(" \t") != std::string_view::npos) return refuse("it has blanks");
  if (text.starts_with("s3:")) return refuse("it knows no s3:, sign it as https: first");
  return check_words(name, text);
}

bool Strengths::says(const cluster::AttributeSetting& source, const std::string& name) const {
  switch (source.source) {
    case cluster::AttributeSource::node:
      return node_.spec.attributes.contains(name);
    case cluster::AttributeSource::profile: {
      const cluster::Profile* const profile = definitions_.profile(source.name);
      return profile != nullptr && profile->attributes.contains(name);
    }
    case cluster::AttributeSource::group:
      return std::ranges::any_of(definitions_.groups_of(node_), [&](const cluster::Group* group) {
        return group->name == source.name && group->attributes.contains(name);
      });
  }
  return false;
}

size_t Strengths::of(const std::string& name) const {
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (says(sources_[i], name)) return i;
  }
  return kNowhere;
}

std::string given_args(const GivenWords& words) {
  std::vector<std::string> out;
  if (words.initrd) out.emplace_back("initrd=initrd");
  std::vector<std::string_view> said = words_of(words.params);
  if (words.initrd) {
    std::erase_if(said, [](std::string_view word) { return word.starts_with("initrd="); });
  }
  out.insert(out.end(), said.begin(), said.end());
  const auto add = [&](std::string_view name, const std::string& value) {
    const bool there = std::ranges::any_of(said, [&](std::string_view word) {
      return word.starts_with(name) && word.substr(name.size()).starts_with('=');
    });
    if (!there && !value.empty()) out.push_back(fmt::format("{}={}", name, value));
  };
  add("xname", words.xname);
  add("nid", words.nid == 0 ? "" : std::to_string(words.nid));
  std::string dashed = words.mac;
  std::ranges::replace(dashed, ':', '-');
  add("BOOTIF", dashed.empty() ? "" : "01-" + dashed);
  add("ds",
      fmt::format("nocloud-net;s=http://{}:{}/cloud-init/", mark(Late::server), words.http_port));
  return fmt::format("{}", fmt::join(out, " "));
}

std::optional<script::LateText> guest_script(const cluster::Model& model,
                                             const SiteOptions& options,
                                             const ScriptRequest& request, std::string_view mac) {
  if (request.loader != script::Loader::ipxe) return std::nullopt;
  for (const std::string& profile : guest_profiles(request, mac)) {
    if (!model.profiles().contains(profile)) continue;
    auto plan = guest_plan(model, options, profile, mac);
    if (plan && !*plan) continue;
    BootPlan nobody;
    script::Values values = template_values(plan ? **plan : nobody, options);
    asks_again(request, values);
    auto purpose = script::Purpose::given;
    if (!plan) {
      purpose = script::Purpose::refused;
      values.all["name"] = profile;
      values.all["problem"] = script::harmless(plan.error().text());
      values.all["fix"] = script::harmless(plan.error().next);
    }
    return script::LateText(built_in(request.loader, purpose).render(values).value_or(""));
  }
  return std::nullopt;
}

script::LateText stranger_script(const cluster::Model& model, const SiteOptions& options,
                                 const ScriptRequest& request, std::string_view mac) {
  auto given = guest_script(model, options, request, mac);
  return given ? *std::move(given) : unknown_script(options, request);
}

}  // namespace drover::boot
