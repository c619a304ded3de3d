// What cloud-init would pass over in silence is refused when it is said.
#include "cluster/content/cloud_init.hpp"

#include "base/text.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/names.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct TypeRow {
  std::string_view begins;
  std::string_view type;
};
/// What cloud-init takes a part for (cloudinit/user_data.py, INCLUSION_TYPES_MAP), longest first
/// where one begins with another.
constexpr std::array kTypes{TypeRow{"#cloud-config-archive", "text/cloud-config-archive"},
                            TypeRow{"#cloud-config-jsonp", "text/cloud-config-jsonp"},
                            TypeRow{"#cloud-config", "text/cloud-config"},
                            TypeRow{"#cloud-boothook", "text/cloud-boothook"},
                            TypeRow{"#include-once", "text/x-include-once-url"},
                            TypeRow{"#include", "text/x-include-url"},
                            TypeRow{"#part-handler", "text/part-handler"},
                            TypeRow{"## template: jinja", "text/jinja2"},
                            TypeRow{"#!", "text/x-shellscript"}};

bool is_text(std::string_view content) {
  return std::ranges::none_of(content, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
  });
}

Status check_data(std::string_view field, std::string_view content) {
  if (content.empty()) return {};
  if (content.size() > kMaxUserData) {
    return fail(Code::too_large, fmt::format("{}: longer than {} bytes", field, kMaxUserData));
  }
  if (!is_text(content)) {
    return fail(Code::invalid_argument,
                fmt::format("{}: holds control characters, which are no text", field));
  }
  if (!cloud_init_type(content).empty()) return {};
  return bad_field(field, content.substr(0, content.find('\n')),
                   "its first line is none that cloud-init knows: #cloud-config, #!, #include, "
                   "#cloud-boothook, ## template: jinja");
}

/// Keys of the document that are the node's own facts.
constexpr std::array<std::string_view, 3> kOwnKeys{"instance-id", "instance_data", "drover"};
/// Names that the node goes by in place of its own.
constexpr std::array<std::string_view, 2> kNameKeys{"local-hostname", "hostname"};

Status check_meta_data(const std::map<std::string, std::string>& meta_data) {
  if (meta_data.size() > kMaxMetaDataKeys) {
    return bad_field("meta_data", fmt::format("{} keys", meta_data.size()),
                     fmt::format("expected at most {}", kMaxMetaDataKeys));
  }
  for (const auto& [key, value] : meta_data) {
    const std::string field = fmt::format("meta_data.{}", key);
    DROVER_CHECK_OK(check_set_name(field, key));
    if (std::ranges::find(kOwnKeys, key) != kOwnKeys.end()) {
      return bad_field(field, key, "this key is what the node is, not what is said of it");
    }
    if (value.size() > kMaxAttributeValue || !is_text(value)) {
      return bad_field(field, value,
                       fmt::format("expected a text of at most {} bytes", kMaxAttributeValue));
    }
    if (!has_formula(value)) {
      const bool names = std::ranges::find(kNameKeys, key) != kNameKeys.end();
      if (const Status good = names ? check_node_name(value) : Status(); !good) {
        return bad_field(field, value, good.error().message);
      }
      continue;
    }
    if (const Status good = check_formula(value); !good) {
      return bad_field(field, value, good.error().message);
    }
  }
  return {};
}

}  // namespace

void CloudInit::describe(Visitor& v) {
  v.field("name", name, "Whose it is: node/NAME, group/NAME or profile/NAME.");
  v.field("meta_data", meta_data,
          "Keys added to the node's meta-data; values may hold formulas, as attributes do.",
          Presence::optional);
  v.field("user_data", user_data, "Its part of the user-data: cloud-config, a script, ..",
          Presence::optional);
  v.field("vendor_data", vendor_data, "Its part of the vendor-data.", Presence::optional);
  v.field("secrets", secrets, "Names of its secrets; their values are never shown.",
          Presence::optional);
  v.field("secrets_changed", secrets_changed, "When a secret was set or taken away last.",
          Presence::optional);
}

std::string_view cloud_init_type(std::string_view content) {
  const auto* row = std::ranges::find_if(
      kTypes, [&](const TypeRow& each) { return content.starts_with(each.begins); });
  return row == kTypes.end() ? std::string_view() : row->type;
}

Status check_secret_name(std::string_view name) {
  return check_set_name("secret", name);
}

Status normalise(CloudInit& definition) {
  DROVER_TRY(const Owner owner, parse_owner("name", definition.name));
  definition.name = owner.text();
  DROVER_CHECK_OK(check_meta_data(definition.meta_data));
  DROVER_CHECK_OK(check_data("user_data", definition.user_data));
  DROVER_CHECK_OK(check_data("vendor_data", definition.vendor_data));
  std::ranges::sort(definition.secrets);
  for (const std::string& secret : definition.secrets) DROVER_CHECK_OK(check_secret_name(secret));
  return {};
}

}  // namespace drover::cluster
