// One table a body says which key of the meta-data each field is.
#include "api/openchami/cloud_init_forms.hpp"

#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::bad_field;
using cluster::CloudInit;

constexpr std::string_view kKeys = "public-keys";
constexpr std::string_view kNidLength = "nid-length";
constexpr int64_t kMostDigits = 12;

enum class Rule : uint8_t { text, url, subnet, label };

struct DefaultsRow {
  std::string_view key;
  std::optional<std::string> OpenChamiDefaults::* field;
  Rule rule = Rule::text;
};
constexpr std::array kDefaults{
    DefaultsRow{"cloud-provider", &OpenChamiDefaults::cloud_provider},
    DefaultsRow{"region", &OpenChamiDefaults::region},
    DefaultsRow{"availability-zone", &OpenChamiDefaults::availability_zone},
    DefaultsRow{"cluster-name", &OpenChamiDefaults::cluster_name},
    DefaultsRow{"base-url", &OpenChamiDefaults::base_url, Rule::url},
    DefaultsRow{"boot-subnet", &OpenChamiDefaults::boot_subnet, Rule::subnet},
    DefaultsRow{"wg-subnet", &OpenChamiDefaults::wg_subnet, Rule::subnet},
    DefaultsRow{"short-name", &OpenChamiDefaults::short_name, Rule::label}};

struct InstanceRow {
  std::string_view key;
  std::optional<std::string> OpenChamiInstance::* field;
  Rule rule = Rule::text;
};
constexpr std::array kInstance{
    InstanceRow{"local-hostname", &OpenChamiInstance::local_hostname},
    InstanceRow{"hostname", &OpenChamiInstance::hostname},
    InstanceRow{"cluster-name", &OpenChamiInstance::cluster_name},
    InstanceRow{"region", &OpenChamiInstance::region},
    InstanceRow{"availability-zone", &OpenChamiInstance::availability_zone},
    InstanceRow{"cloud-provider", &OpenChamiInstance::cloud_provider},
    InstanceRow{"instance-type", &OpenChamiInstance::instance_type},
    InstanceRow{"cloud-init-base-url", &OpenChamiInstance::base_url, Rule::url}};

bool is_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Status check_url(std::string_view key, std::string_view value) {
  const bool http = value.starts_with("http://") || value.starts_with("https://");
  if (http && value.find_first_of(" \"'<>") == std::string_view::npos) return {};
  return bad_field(key, value, "expected a URL with http:// or https://");
}

Status check_subnet(std::string_view key, std::string_view value) {
  if (value.find('/') != std::string_view::npos && cluster::canonical_address(value)) return {};
  return bad_field(key, value, "expected a subnet, as 10.0.0.0/16");
}

Status check_label(std::string_view key, std::string_view value) {
  constexpr size_t kLongest = 40;
  const bool fits =
      value.size() <= kLongest && value.front() != '-' &&
      value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  if (fits) return {};
  return bad_field(key, value, "expected what a host name can begin with: a-z, 0-9 and '-'");
}

Status check(std::string_view key, std::string_view value, Rule rule) {
  if (!is_line(value)) return bad_field(key, printable(value), "expected one line of text");
  switch (rule) {
    case Rule::url:
      return check_url(key, value);
    case Rule::subnet:
      return check_subnet(key, value);
    case Rule::label:
      return check_label(key, value);
    case Rule::text:
      break;
  }
  return {};
}

Status set(std::string_view key, const std::optional<std::string>& value, Rule rule,
           CloudInit& into) {
  if (!value || value->empty()) return {};
  DROVER_CHECK_OK(check(key, *value, rule));
  into.meta_data[std::string(key)] = *value;
  return {};
}

Status set_keys(const std::optional<std::vector<std::string>>& keys, CloudInit& into) {
  if (!keys || keys->empty()) return {};
  std::string lines;
  for (const std::string& key : *keys) {
    // "ssh-ed25519 AAAA.. comment"
    if (!is_line(key) || key.find(' ') == std::string::npos || key.front() == ' ') {
      return bad_field(kKeys, printable(key), "expected lines of authorized_keys");
    }
    lines += key + "\n";
  }
  into.meta_data[std::string(kKeys)] = std::move(lines);
  return {};
}

json::array lines_of(std::string_view text) {
  json::array out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// A key's value: the model has texts.
Result<std::string> text_of(std::string_view key, const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return fail(Code::invalid_argument,
              fmt::format("meta-data.{}: expected a text, a number or true or false", key));
}

Status set_meta_data(const RawJson& given, CloudInit& into) {
  DROVER_TRY(const json::value value, parse_json(given.text));
  if (value.is_null()) return {};
  const auto* object = value.if_object();
  if (object == nullptr) return fail(Code::invalid_argument, "meta-data: expected an object");
  for (const auto& [key, each] : *object) {
    DROVER_TRY(into.meta_data[std::string(key)], text_of(key, each));
  }
  return {};
}

/// Standard base64, with or without padding.
Result<std::string> from_base64(std::string_view text) {
  std::string url(text);
  std::erase_if(url, [](char c) { return c == '\n' || c == '\r'; });
  while (url.ends_with('=')) url.pop_back();
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return from_base64url(url);
}

bool is_known(std::string_view content) {
  return content.empty() || !cluster::cloud_init_type(content).empty();
}

Result<std::string> content_of(const OpenChamiFile& file) {
  const std::string encoding = file.encoding.value_or("");
  std::string content = file.content.value_or("");
  if (encoding != "plain" && encoding != "base64" && !(encoding.empty() && content.empty())) {
    return bad_field("file.encoding", encoding, "expected plain or base64");
  }
  if (encoding == "base64") {
    auto decoded = from_base64(content);
    if (!decoded) return fail_in("file.content", std::move(decoded).error());
    content = *std::move(decoded);
  }
  if (is_known(content)) return content;
  auto once_more = from_base64(content);
  if (once_more && !once_more->empty() && is_known(*once_more)) return *std::move(once_more);
  return content;  // the model's own rules refuse it
}

}  // namespace

void OpenChamiDefaults::describe(Visitor& v) {
  constexpr auto kMay = Presence::optional;
  v.field("cloud_provider", cloud_provider, "Who runs the machines.", kMay);
  v.field("cloud-provider", cloud_provider_written, "The same; taken, not given.", kMay);
  v.field("region", region, "The region.", kMay);
  v.field("availability-zone", availability_zone, "The availability zone.", kMay);
  v.field("cluster-name", cluster_name, "The cluster's name for nodes.", kMay);
  v.field("public-keys", public_keys, "Keys of the default user, as authorized_keys.", kMay);
  v.field("base-url", base_url, "Where nodes fetch their groups' files.", kMay);
  v.field("boot-subnet", boot_subnet, "Told to nodes; Drover boots by its networks.", kMay);
  v.field("wg-subnet", wg_subnet, "Told to nodes; Drover has no WireGuard.", kMay);
  v.field("short-name", short_name, "What host names begin with, before the node's number.", kMay);
  v.field("nid-length", nid_length, "Digits of the number in host names.", kMay);
}

void OpenChamiInstance::describe(Visitor& v) {
  constexpr auto kMay = Presence::optional;
  v.field("id", id, "The node, as in the path.", kMay);
  v.field("instance-id", instance_id, "The node's own, which is fixed.", kMay);
  v.field("local-hostname", local_hostname, "Host name in place of the node's own.", kMay);
  v.field("hostname", hostname, "The same with its domain.", kMay);
  v.field("cluster-name", cluster_name, "The cluster's name for this node.", kMay);
  v.field("region", region, "The region.", kMay);
  v.field("availability-zone", availability_zone, "The availability zone.", kMay);
  v.field("cloud-provider", cloud_provider, "Who runs the machine.", kMay);
  v.field("instance-type", instance_type, "The kind of machine.", kMay);
  v.field("cloud-init-base-url", base_url, "Where the node fetches its groups' files.", kMay);
  v.field("public-keys", public_keys, "More keys of the default user.", kMay);
}

void OpenChamiFile::describe(Visitor& v) {
  v.field("content", content, "cloud-config, a script or a template.", Presence::optional);
  v.field("filename", filename, "Not kept: the file is GROUP.yaml.", Presence::optional);
  v.field("encoding", encoding, "plain or base64; given as plain.", Presence::optional);
}

void OpenChamiGroup::describe(Visitor& v) {
  v.field("name", name, "Name of the group.");
  v.field("description", description, "The group's description.", Presence::optional);
  v.field("meta-data", meta_data, "Keys with texts, numbers, true or false.", Presence::optional);
  v.field("file", file, "What cloud-init does on the group's nodes.", Presence::optional);
}

Status merge_defaults(const OpenChamiDefaults& given, CloudInit& into) {
  const auto& written = given.cloud_provider_written;
  if (written && given.cloud_provider && *written != *given.cloud_provider) {
    return fail(Code::invalid_argument, "cloud-provider: another one than cloud_provider");
  }
  DROVER_CHECK_OK(set("cloud-provider", written, Rule::text, into));
  for (const DefaultsRow& row : kDefaults) {
    DROVER_CHECK_OK(set(row.key, given.*row.field, row.rule, into));
  }
  DROVER_CHECK_OK(set_keys(given.public_keys, into));
  if (given.nid_length && *given.nid_length != 0) {
    if (*given.nid_length < 1 || *given.nid_length > kMostDigits) {
      return bad_field(kNidLength, std::to_string(*given.nid_length),
                       fmt::format("expected 1 to {}", kMostDigits));
    }
    into.meta_data[std::string(kNidLength)] = std::to_string(*given.nid_length);
  }
  return cluster::normalise(into);
}

std::string defaults_text(const CloudInit* kept) {
  json::object out;
  if (kept == nullptr) return json::serialize(out);
  for (const auto& [key, value] : kept->meta_data) {
    if (key == kKeys) {
      out[key] = lines_of(value);
    } else if (key == kNidLength) {
      int64_t digits = 0;
      std::from_chars(value.data(), value.data() + value.size(), digits);
      if (digits != 0) out[key] = digits;
    } else if (key == "cloud-provider") {
      out["cloud_provider"] = value;
    } else if (std::ranges::find(kDefaults, key, &DefaultsRow::key) != kDefaults.end()) {
      out[key] = value;
    }
  }
  return json::serialize(out);
}

Status replace_instance(const OpenChamiInstance& given, std::string_view id,
                        std::string_view instance, CloudInit& into) {
  if (given.id && !given.id->empty() && *given.id != id) {
    return bad_field("id", *given.id, fmt::format("expected that of the path, {}", printable(id)));
  }
  const std::string asked = given.instance_id.value_or("");
  if (!asked.empty() && asked != instance) {
    return bad_field("instance-id", asked,
                     fmt::format("it is {} and stays so: modules run once per instance", instance));
  }
  for (const InstanceRow& row : kInstance) into.meta_data.erase(std::string(row.key));
  into.meta_data.erase(std::string(kKeys));
  for (const InstanceRow& row : kInstance) {
    DROVER_CHECK_OK(set(row.key, given.*row.field, row.rule, into));
  }
  DROVER_CHECK_OK(set_keys(given.public_keys, into));
  return cluster::normalise(into);
}

Status replace_group(const OpenChamiGroup& given, CloudInit& into) {
  into.meta_data.clear();
  into.user_data.clear();
  if (given.meta_data) DROVER_CHECK_OK(set_meta_data(*given.meta_data, into));
  if (given.file) {
    DROVER_TRY(into.user_data, content_of(*given.file));
  }
  return cluster::normalise(into);
}

std::string group_text(const CloudInit& kept, std::string_view description) {
  const std::string_view name = std::string_view(kept.name).substr(kept.name.find('/') + 1);
  json::object out{{"name", name}};
  if (!description.empty()) out["description"] = description;
  json::object keys;
  for (const auto& [key, value] : kept.meta_data) keys[key] = value;
  if (!keys.empty()) out["meta-data"] = std::move(keys);
  out["file"] = json::object{{"content", kept.user_data},
                             {"filename", fmt::format("{}.yaml", name)},
                             {"encoding", "plain"}};
  return json::serialize(out);
}

}  // namespace drover::api
