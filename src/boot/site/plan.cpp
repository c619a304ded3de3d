// Values are looked up once, each noting who set it.
#include "boot/site/plan.hpp"

#include "boot/site/given.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::boot {
namespace {

using cluster::BootMode;
using script::Late;
using script::mark;

constexpr std::array<std::string_view, 2> kFromNames{"network", "disk"};

/// The node as a boot-next with a profile sees it: that profile is stronger than its own words.
cluster::Node with_profile(const cluster::Node& node, const std::string& name) {
  cluster::Node out = node;
  std::erase(out.spec.profiles, name);
  out.spec.profiles.insert(out.spec.profiles.begin(), name);
  out.spec.attributes.clear();
  return out;
}

/// Whether a profile or one that it inherits sets an attribute. Circles cannot be stored; `depth`
/// bounds what a damaged store could hold.
bool sets(const cluster::Definitions& definitions, const std::string& profile,
          const std::string& attribute, int depth = 0) {
  constexpr int kDeepest = 64;
  const cluster::Profile* found = depth > kDeepest ? nullptr : definitions.profile(profile);
  if (found == nullptr) return false;
  return found->attributes.contains(attribute) ||
         std::ranges::any_of(found->inherits, [&](const std::string& inherited) {
           return sets(definitions, inherited, attribute, depth + 1);
         });
}

class Planner {
 public:
  explicit Planner(const PlanRequest& request)
      : request_(request), own_(request.node, request.definitions) {
    if (request.next == nullptr || request.next->profile.empty()) return;
    changed_ = with_profile(request.node, request.next->profile);
    strong_.emplace(*changed_, request.definitions);
  }

  Result<BootPlan> run() {
    if (request_.explain) own_origins_ = origins_of(own_);
    if (request_.explain && strong_) strong_origins_ = origins_of(*strong_);
    out_.node = request_.node.name;
    out_.nid = request_.node.spec.nid;
    out_.once = request_.next != nullptr;
    if (request_.interface != nullptr) {
      out_.interface = request_.interface->name;
      out_.mac = request_.interface->mac;
      note("mac", out_.mac, fmt::format("interface {}", out_.interface));
    }
    if (request_.network != nullptr) out_.network = request_.network->name;
    DROVER_TRY(const auto loader, attribute("boot_loader"));
    out_.loader = loader == "grub" ? script::Loader::grub : script::Loader::ipxe;
    note("loader", out_.loader == script::Loader::grub ? "grub" : "ipxe",
         loader ? last_origin_ : "built in");
    DROVER_TRY(const auto from, attribute("boot"));
    if (from == "disk" && request_.next == nullptr) {
      out_.from = BootFrom::disk;
      note("from", "disk", last_origin_);
      return std::move(out_);
    }
    DROVER_CHECK_OK(find_kernel());
    if (out_.kernel_url.empty()) {
      DROVER_CHECK_OK(find_image());
      DROVER_CHECK_OK(find_mode());
      DROVER_CHECK_OK(make_args());
    }
    DROVER_CHECK_OK(find_template());
    return std::move(out_);
  }

 private:
  void note(std::string name, std::string value, std::string origin) {
    if (!request_.explain) return;
    out_.values.push_back({std::move(name), std::move(value), std::move(origin)});
  }

  /// The effective value; last_origin_ says whose it is. The profile of a boot-next is asked first,
  /// then the node as it is.
  Result<std::optional<std::string>> attribute(const std::string& name) {
    const bool once = strong_ && sets(request_.definitions, request_.next->profile, name);
    cluster::NodeAttributes& from = once ? *strong_ : own_;
    DROVER_TRY(auto value, from.value(name));
    if (!value || value->empty()) return std::nullopt;
    DROVER_CHECK_OK(cluster::check_resolved_value(name, name, *value));
    if (request_.explain) {
      const auto& origins = once ? strong_origins_ : own_origins_;
      const auto it = origins.find(name);
      last_origin_ = it == origins.end() ? "" : it->second;
      if (once) last_origin_ += " (boot-next)";
    }
    return value;
  }

  static std::map<std::string, std::string> origins_of(cluster::NodeAttributes& attributes) {
    std::map<std::string, std::string> out;
    for (const auto& each : attributes.all())
      out.emplace(each.name, cluster::origin_text(each.set_by));
    return out;
  }

  /// A kernel by URL, where it is said at the place of the image or a stronger one. An initrd and
  /// arguments go with it where they are not weaker than it: those of another kernel are not its.
  Status find_kernel() {
    const auto* const next = request_.next;
    if (next != nullptr && !next->image.empty()) return {};
    const auto once = [&](const std::string& name) {
      return strong_ && sets(request_.definitions, next->profile, name);
    };
    const bool strong = once("kernel");
    if (!strong && (own_.raw("kernel") == nullptr || once("image"))) return {};
    const Strengths strengths(strong ? *strong_ : own_, strong ? *changed_ : request_.node,
                              request_.definitions);
    const size_t place = strengths.of("kernel");
    if (strengths.of("image") < place) return {};
    DROVER_TRY(const auto kernel, attribute("kernel"));
    if (!kernel) return {};
    DROVER_CHECK_OK(check_file_url("kernel", *kernel));
    if (out_.loader == script::Loader::grub) {
      return fail(Code::invalid_argument, "GRUB cannot fetch a kernel by URL",
                  "boot_loader=ipxe, or an image in place of the attribute kernel");
    }
    out_.kernel_url = *kernel;
    note("kernel", *kernel, last_origin_);
    if (strengths.of("initrd") <= place) {
      DROVER_TRY(const auto initrd, attribute("initrd"));
      DROVER_CHECK_OK(check_file_url("initrd", initrd.value_or("")));
      out_.initrd_url = initrd.value_or("");
      if (initrd) note("initrd", *initrd, last_origin_);
    }
    std::string params;
    if (strengths.of("kernel_args") <= place) {
      DROVER_TRY(const auto said, attribute("kernel_args"));
      params = said.value_or("");
      DROVER_CHECK_OK(check_words("kernel_args", params));
      if (said) note("kernel_args", params, last_origin_);
    }
    out_.args = given_args({.params = params,
                            .initrd = !out_.initrd_url.empty(),
                            .xname = cluster::xname_of(request_.node),
                            .nid = out_.nid,
                            .mac = out_.mac,
                            .http_port = request_.options.http_port});
    return {};
  }

  Status find_image() {
    std::string reference;
    std::string origin;
    if (request_.next != nullptr && !request_.next->image.empty()) {
      reference = request_.next->image;
      origin = "boot-next";
    } else {
      DROVER_TRY(const auto named, attribute("image"));
      if (!named) {
        return fail(Code::not_found, "the node has no image",
                    fmt::format("drover boot set {} --image NAME, or a profile's image=NAME",
                                request_.node.name));
      }
      reference = *named;
      origin = last_origin_;
    }
    DROVER_TRY(out_.image, request_.images.find(reference));
    note("image", reference, origin);
    const std::string by_image = fmt::format("image {}", out_.image.name);
    note("image.digest", out_.image.digest, by_image);
    note("kernel", out_.image.kernel.sha256, by_image);
    note("kernel.version", out_.image.kernel.what, by_image);
    for (const BootBlob& initrd : out_.image.initrds) note("initrd", initrd.sha256, by_image);
    return {};
  }

  Status find_mode() {
    const bool has_root = out_.image.root.has_value();
    DROVER_TRY(const auto named, attribute("boot_mode"));
    if (request_.next != nullptr && request_.next->mode) {
      out_.mode = *request_.next->mode;
      note("mode", std::string(enum_name(out_.mode)), "boot-next");
    } else if (const auto known = named ? enum_from_name<BootMode>(*named) : std::nullopt) {
      out_.mode = *known;
      note("mode", *named, last_origin_);
    } else {
      out_.mode = has_root ? BootMode::image : BootMode::lean;
      note("mode", std::string(enum_name(out_.mode)),
           fmt::format("built in: image {} has {} root", out_.image.name, has_root ? "a" : "no"));
    }
    if (out_.mode == BootMode::lean) return {};
    if (!has_root) {
      return fail(
          Code::invalid_argument,
          fmt::format("the image {} has no root, which the mode {} needs", out_.image.name,
                      enum_name(out_.mode)),
          fmt::format("drover boot set {} --mode lean, or another image", request_.node.name));
    }
    note("root", out_.image.root->sha256, fmt::format("image {}", out_.image.name));
    return {};
  }

  /// One that is written for another loader than the node's is left alone.
  Status find_template() {
    DROVER_TRY(const auto text, attribute("boot_template"));
    const auto wanted = [&] {
      return text->starts_with(cluster::kIpxeStart) == (out_.loader == script::Loader::ipxe);
    };
    if (!text || !wanted()) {
      note("template", "built in", text ? "the node's own is for another loader" : "built in");
      return {};
    }
    const std::string origin = last_origin_;
    DROVER_TRY(out_.own_template, script::Template::parse("boot_template", *text));
    for (const std::string& name : out_.own_template->attributes()) {
      DROVER_TRY(const auto value, attribute(name));
      if (!value) continue;
      DROVER_CHECK_OK(check_words(name, *value));
      note("attr." + name, *value, last_origin_);
      out_.attributes.emplace("attr." + name, *value);
    }
    note("template", "boot_template", origin);
    return {};
  }

  void argument(std::string_view name, std::string value, std::string origin) {
    words_.push_back(fmt::format("{}={}", name, value));
    note(std::string(name), std::move(value), std::move(origin));
  }

  /// The static address handed on, so that nothing asks DHCP a second time.
  void address_arguments() {
    const cluster::Interface* interface = request_.interface;
    if (interface == nullptr) return;
    if (interface->mac.empty()) {  // it is known by its switch port, and says its MAC itself
      words_.push_back(fmt::format("drover.mac={}", mark(Late::mac)));
    } else {
      argument("drover.mac", interface->mac, fmt::format("interface {}", interface->name));
    }
    const auto it = std::ranges::find_if(interface->addresses, [&](const std::string& address) {
      return request_.network == nullptr || holds(*request_.network, address);
    });
    if (it == interface->addresses.end()) return;
    std::string address = *it;
    if (address.find('/') == std::string::npos && request_.network != nullptr) {
      const bool v4 = address.find(':') == std::string::npos;
      const std::string& prefix = v4 ? request_.network->prefix : request_.network->prefix6;
      address += prefix.substr(prefix.find('/'));
    }
    argument("drover.ip", address, fmt::format("interface {}", interface->name));
  }

  /// An attribute of the node, else what its network says.
  Status told(std::string_view argument_name, const std::string& attribute_name,
              const std::string& of_network) {
    DROVER_TRY(const auto value, attribute(attribute_name));
    if (value) {
      DROVER_CHECK_OK(check_words(attribute_name, *value));
      argument(argument_name, *value, last_origin_);
    } else if (!of_network.empty()) {
      argument(argument_name, of_network, fmt::format("network {}", out_.network));
    }
    return {};
  }

  Status network_arguments() {
    const cluster::Network none;
    const cluster::Network& network = request_.network == nullptr ? none : *request_.network;
    DROVER_CHECK_OK(told("drover.gw", "gateway", network.gateway));
    DROVER_TRY(const auto servers, attribute("nameservers"));
    if (servers) {
      argument("drover.ns", *servers, last_origin_);
    } else if (!network.nameservers.empty()) {
      argument("drover.ns", fmt::format("{}", fmt::join(network.nameservers, ",")),
               fmt::format("network {}", network.name));
    } else {
      argument("drover.ns", mark(Late::address), "this server");
    }
    DROVER_CHECK_OK(told("drover.domain", "domain", network.domain));
    return told("drover.mtu", "mtu", network.mtu == 0 ? "" : std::to_string(network.mtu));
  }

  Status make_args() {
    for (size_t i = 0; i < out_.image.initrds.size(); ++i) {
      words_.push_back(fmt::format("initrd=initrd{}", i));
    }
    const SiteOptions& options = request_.options;
    const std::string server = mark(Late::server);
    argument("drover.node", out_.node, "node");
    words_.push_back(fmt::format("drover.mode={}", enum_name(out_.mode)));
    argument("drover.boot", fmt::format("{}:{}", server, options.tls_port), "this server");
    argument("drover.http", fmt::format("http://{}:{}", server, options.http_port), "this server");
    if (!options.ca_sha256.empty()) argument("drover.ca", options.ca_sha256, "cluster");
    argument("drover.token", mark(Late::token), "this boot");
    address_arguments();
    DROVER_CHECK_OK(network_arguments());
    if (out_.mode != BootMode::lean) {
      words_.push_back(fmt::format("drover.root={}", out_.image.root->sha256));
    }
    if (out_.mode == BootMode::disk) DROVER_CHECK_OK(disk_arguments());
    argument("drover.log", fmt::format("{}:{}", server, options.log_port), "this server");
    identity_arguments();
    cloud_init_arguments();
    DROVER_TRY(const auto console, attribute("console"));
    if (console) {
      DROVER_CHECK_OK(check_words("console", *console));
      words_.emplace_back("console=tty0");
      argument("console", *console, last_origin_);
    }
    DROVER_TRY(const auto more, attribute("kernel_args"));
    if (more) {
      DROVER_CHECK_OK(check_words("kernel_args", *more));
      words_.push_back(*more);
      note("kernel_args", *more, last_origin_);
    }
    out_.args = fmt::format("{}", fmt::join(words_, " "));
    return {};
  }

  /// What the node writes to its disk, and which disk that is.
  Status disk_arguments() {
    words_.push_back(fmt::format("drover.size={}", out_.image.root->size));
    words_.push_back(fmt::format("drover.kernel={}", out_.image.kernel.sha256));
    std::vector<std::string> initrds;
    for (const BootBlob& initrd : out_.image.initrds) initrds.push_back(initrd.sha256);
    if (!initrds.empty()) {
      words_.push_back(fmt::format("drover.initrds={}", fmt::join(initrds, ",")));
    }
    DROVER_TRY(const auto disk, attribute("boot_disk"));
    if (disk && disk->find_first_of(" /") != std::string::npos) {
      return fail(Code::invalid_argument,
                  fmt::format("boot_disk: '{}' is no name and no serial number", *disk),
                  "such as nvme0n1, or what drover node show NODE says of its disks");
    }
    DROVER_CHECK_OK(told("drover.disk", "boot_disk", ""));
    DROVER_TRY(const auto wipe, attribute("disk_wipe"));
    if (wipe == "true") argument("drover.wipe", "yes", last_origin_);
    return {};
  }

  /// What images of other systems go by: dracut's interface, and the names of BSS.
  void identity_arguments() {
    if (!out_.mac.empty() && out_.mode != BootMode::lean) {
      std::string dashed = out_.mac;
      std::ranges::replace(dashed, ':', '-');
      argument("BOOTIF", fmt::format("01-{}", dashed), fmt::format("interface {}", out_.interface));
    }
    const auto& aliases = request_.node.spec.aliases;
    const auto xname = std::ranges::find_if(aliases, is_xname);
    if (xname == aliases.end()) return;
    argument("xname", *xname, "node");
    if (out_.nid != 0) argument("nid", std::to_string(out_.nid), "node");
  }

  /// NoCloud of cloud-init, with its data from here; the words of a kernel have no other quotes.
  void cloud_init_arguments() {
    if (request_.secrets) words_.emplace_back("drover.secrets=yes");
    if (!request_.cloud_init || out_.mode == BootMode::lean) return;
    argument("ds",
             fmt::format("nocloud;s=http://{}:{}/cloud-init/nocloud/{}/", mark(Late::server),
                         request_.options.http_port, mark(Late::token)),
             "cloud-init");
  }

  /// x1000c0s0b0n0: a node's place in the words of OpenCHAMI and CSM.
  static bool is_xname(std::string_view text) {
    for (const char letter : std::string_view("xcsbn")) {
      if (text.empty() || text.front() != letter) return false;
      text.remove_prefix(1);
      const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0) return false;
      text.remove_prefix(digits);
    }
    return text.empty();
  }

  const PlanRequest& request_;
  cluster::NodeAttributes own_;
  std::optional<cluster::Node> changed_;  ///< what strong_ refers to
  std::optional<cluster::NodeAttributes> strong_;
  std::map<std::string, std::string> own_origins_;
  std::map<std::string, std::string> strong_origins_;
  std::string last_origin_;
  std::vector<std::string> words_;
  BootPlan out_;
};

/// Every word in single quotes: to GRUB's shell much is special.
std::string quoted_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out += fmt::format("{}'{}'", out.empty() ? "" : " ", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// i386 builds of iPXE run 64-bit kernels where the processor does.
std::string_view arch_check(std::string_view arch) {
  if (arch == "aarch64") return "iseq ${buildarch} arm64 || goto wrong_arch";
  if (arch == "x86_64") return "iseq ${buildarch} arm64 && goto wrong_arch ||";
  return "# any architecture";
}

}  // namespace

std::span<const std::string_view> enum_names(BootFrom) {
  return kFromNames;
}

void PlanValue::describe(Visitor& v) {
  v.field("name", name, "What it is: an argument of the kernel, or a part of the plan.");
  v.field("value", value, "Its value.");
  v.field("origin", origin, "Who says so: the node, a profile, a group, a network, an image, ..");
}

Result<BootPlan> make_plan(const PlanRequest& request) {
  return Planner(request).run();
}

script::Values template_values(const BootPlan& plan, const SiteOptions& options) {
  const std::string server = mark(Late::server);
  const std::string host = fmt::format("{}:{}", server, options.http_port);
  const std::string http = fmt::format("http://{}", host);
  const std::string asked = plan.mac.empty()
                                ? fmt::format("name={}&mac={}", plan.node, mark(Late::mac))
                                : "mac=" + plan.mac;
  const std::string again =
      fmt::format("/boot/v1/bootscript?{}&retry={}{}", asked, mark(Late::again),
                  plan.loader == script::Loader::grub ? "&format=grub" : "");
  script::Values out;
  out.all = {{"name", plan.node},
             {"nid", plan.nid == 0 ? "" : std::to_string(plan.nid)},
             {"mac", plan.mac},
             {"mode", std::string(enum_name(plan.mode))},
             {"server", server},
             {"http", http},
             {"http.host", host},
             {"address", mark(Late::address)},
             {"again", http + again},
             {"again.path", again},
             {"tries", mark(Late::tries)},
             {"tries.next", mark(Late::again)},
             {"delay", mark(Late::delay)},
             {"source", mark(Late::source)},
             {"token", mark(Late::token)}};
  if (plan.from == BootFrom::disk) return out;
  out.all.insert(plan.attributes.begin(), plan.attributes.end());
  if (!plan.kernel_url.empty()) {
    out.all.insert({{"kernel.url", plan.kernel_url},
                    {"args", plan.args},
                    {"args.quoted", quoted_words(plan.args)}});
    if (!plan.initrd_url.empty()) {
      out.initrds.push_back({{"initrd.name", "initrd"}, {"initrd.url", plan.initrd_url}});
    }
    return out;
  }
  const auto path = [](const BootBlob& blob) { return "/boot/blobs/" + blob.sha256; };
  const std::string kernel = path(plan.image.kernel);
  out.all.insert({{"image", plan.image.name},
                  {"image.digest", plan.image.digest},
                  {"arch", plan.image.arch},
                  {"arch.check", std::string(arch_check(plan.image.arch))},
                  {"kernel.url", http + kernel},
                  {"kernel.path", kernel},
                  {"kernel.sha256", plan.image.kernel.sha256},
                  {"kernel.version", plan.image.kernel.what},
                  {"args", plan.args},
                  {"args.quoted", quoted_words(plan.args)}});
  if (plan.image.root && plan.mode != cluster::BootMode::lean) {
    out.all.emplace("root.sha256", plan.image.root->sha256);
  }
  for (const BootBlob& initrd : plan.image.initrds) {
    out.initrds.push_back({{"initrd.name", fmt::format("initrd{}", out.initrds.size())},
                           {"initrd.url", http + path(initrd)},
                           {"initrd.path", path(initrd)},
                           {"initrd.sha256", initrd.sha256},
                           {"initrd.what", initrd.what}});
  }
  return out;
}

}  // namespace drover::boot
