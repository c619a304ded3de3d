// Kernels that are fetched by URL (the attributes kernel and initrd, which BSS's clients set):
// whose word counts, what the kernel is told, and what machines boot that no node is known by.
// Pure.
#pragma once

#include "base/result.hpp"
#include "boot/script/late.hpp"
#include "boot/site/options.hpp"
#include "boot/site/site.hpp"
#include "cluster/attributes.hpp"
#include "cluster/model.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot {

/// Profiles that hold what is said of machines that are no nodes (yet). A node whose MAC, number or
/// xname one of the first three names takes from it like from a profile of its own, the last one.
std::string mac_profile(std::string_view canonical_mac);  ///< "bss.mac.525400770001"
std::string nid_profile(uint64_t nid);                    ///< "bss.nid.7"
std::string xname_profile(std::string_view xname);        ///< "bss.x1000c0s0b0n0"
/// What any machine of an architecture boots that no node is known by; the words of iPXE's
/// ${buildarch}: "unknown-x86_64".
std::string arch_profile(std::string_view arch);

/// Names of those of the first three that there are for a node.
std::vector<std::string> profiles_meant(const cluster::Model& model, const cluster::Node& node);

/// Whether words would reach the kernel as they are written: both loaders take some for themselves.
/// The error names `name`.
Status check_words(std::string_view name, std::string_view text);
/// Whether a loader can fetch it: a URL or path without blanks; `s3:` is none that one knows.
Status check_file_url(std::string_view name, std::string_view text);

/// How strongly each attribute is said for a node: 0 is the strongest. References are used while it
/// lives.
class Strengths {
 public:
  static constexpr size_t kNowhere = std::numeric_limits<size_t>::max();
  Strengths(const cluster::NodeAttributes& attributes, const cluster::Node& node,
            const cluster::Definitions& definitions)
      : sources_(attributes.sources()), node_(node), definitions_(definitions) {}
  [[nodiscard]] size_t of(const std::string& name) const;

 private:
  [[nodiscard]] bool says(const cluster::AttributeSetting& source, const std::string& name) const;
  std::vector<cluster::AttributeSetting> sources_;
  const cluster::Node& node_;
  const cluster::Definitions& definitions_;
};

/// What the command line of such a kernel is made from.
struct GivenWords {
  std::string params = {};  ///< as they were said
  bool initrd = false;
  std::string xname = {};  ///< empty: none
  uint64_t nid = 0;        ///< 0: none
  std::string mac = {};    ///< empty: none
  uint16_t http_port = 8080;
};
/// BSS's: initrd=initrd, the params, and what they do not say themselves of xname, nid, BOOTIF and
/// ds (cloud-init's data from here). Has late marks.
std::string given_args(const GivenWords& words);

/// The script of a machine that no node is known by, where something is said of its MAC, number or
/// name, else of machines of its architecture. `mac` is canonical or empty.
std::optional<script::LateText> guest_script(const cluster::Model& model,
                                             const SiteOptions& options,
                                             const ScriptRequest& request, std::string_view mac);
/// That, or the script of a machine of which nothing is said: it shows its address and asks again.
script::LateText stranger_script(const cluster::Model& model, const SiteOptions& options,
                                 const ScriptRequest& request, std::string_view mac);

}  // namespace drover::boot
