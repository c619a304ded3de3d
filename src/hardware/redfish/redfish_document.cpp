#include "hardware/redfish/redfish_document.hpp"

#include "base/json_values.hpp"
#include "cluster/hardware/bmc_inventory.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace drover::hardware {
namespace {

constexpr std::string_view kRoot = "/redfish/v1";
constexpr size_t kMaxItems = 4096;
constexpr size_t kMaxPath = 512;
constexpr double kMaxWhole = 9007199254740992.0;  // 2^53
constexpr size_t kMaxErrorText = 200;

bool is_url_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:@!$&'()*+,;=%/").find(c) != std::string_view::npos;
}

bool has_dot_step(std::string_view path) {
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view step = path.substr(0, end);
    if (step == "." || step == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

std::optional<double> number_of(const json::value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  double read = 0;
  if (value.is_double()) {
    read = value.get_double();
  } else if (value.is_string()) {
    const std::string_view text = value.get_string();
    const auto end = std::from_chars(text.data(), text.data() + text.size(), read);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  return std::isfinite(read) ? std::optional(read) : std::nullopt;
}

std::string text_of(const json::value& value) {
  if (value.is_string()) return cluster::bmc_text(value.get_string());
  if (value.is_number()) return cluster::bmc_text(to_text(value));
  return {};
}

std::string link_of(const json::value& value) {
  const auto* object = value.if_object();
  const auto* link = object != nullptr ? object->if_contains("@odata.id") : nullptr;
  return link != nullptr && link->is_string() ? redfish_path(link->get_string()) : std::string();
}

}  // namespace

std::string redfish_path(std::string_view link, bool query) {
  link = link.substr(0, link.find('#'));
  const std::string_view path = link.substr(0, link.find('?'));
  const std::string_view asked = link.substr(path.size());
  if (link.size() > kMaxPath || (!asked.empty() && !query)) return {};
  if (!path.starts_with(kRoot)) return {};
  if (path.size() > kRoot.size() && path[kRoot.size()] != '/') return {};
  if (!std::ranges::all_of(path, is_url_character) || has_dot_step(path)) return {};
  if (path.find("//") != std::string_view::npos) return {};
  const bool plain =
      std::ranges::all_of(asked, [](char c) { return is_url_character(c) || c == '?'; });
  if (!plain) return {};
  std::string clean(path);
  while (clean.size() > kRoot.size() && clean.back() == '/') clean.pop_back();
  return clean + std::string(asked);
}

const json::value* RedfishNode::member(std::string_view name) const {
  const auto* object = value_ != nullptr ? value_->if_object() : nullptr;
  return object != nullptr ? object->if_contains(name) : nullptr;
}

RedfishNode RedfishNode::at(std::string_view name) const {
  return RedfishNode(member(name));
}

std::vector<RedfishNode> RedfishNode::items(std::string_view name) const {
  std::vector<RedfishNode> found;
  const auto* value = member(name);
  const auto* list = value != nullptr ? value->if_array() : nullptr;
  if (list == nullptr) return found;
  found.reserve(std::min(list->size(), kMaxItems));
  for (const auto& element : *list) {
    if (found.size() == kMaxItems) break;
    found.emplace_back(&element);
  }
  return found;
}

std::string RedfishNode::text(std::string_view name) const {
  const auto* value = member(name);
  return value != nullptr ? text_of(*value) : std::string();
}

std::vector<std::string> RedfishNode::texts(std::string_view name) const {
  std::vector<std::string> found;
  for (const RedfishNode& item : items(name)) {
    std::string text = text_of(*item.value_);
    if (!text.empty()) found.push_back(std::move(text));
  }
  return found;
}

std::optional<double> RedfishNode::number(std::string_view name) const {
  const auto* value = member(name);
  return value != nullptr ? number_of(*value) : std::nullopt;
}

std::optional<uint64_t> RedfishNode::natural(std::string_view name) const {
  const auto read = number(name);
  if (!read || *read < 0 || *read > kMaxWhole || *read != std::floor(*read)) return std::nullopt;
  return static_cast<uint64_t>(*read);
}

std::optional<uint32_t> RedfishNode::natural32(std::string_view name) const {
  const auto read = natural(name);
  if (!read || *read > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*read);
}

std::optional<bool> RedfishNode::boolean(std::string_view name) const {
  const auto* value = member(name);
  return value != nullptr && value->is_bool() ? std::optional(value->get_bool()) : std::nullopt;
}

std::string RedfishNode::link(std::string_view name) const {
  const auto* value = member(name);
  return value != nullptr ? link_of(*value) : std::string();
}

std::vector<std::string> RedfishNode::links(std::string_view name) const {
  std::vector<std::string> found;
  for (const RedfishNode& item : items(name)) {
    std::string path = link_of(*item.value_);
    if (!path.empty()) found.push_back(std::move(path));
  }
  return found;
}

std::string RedfishNode::path() const {
  return value_ != nullptr ? link_of(*value_) : std::string();
}

bool RedfishNode::is_whole() const {
  const auto* object = value_ != nullptr ? value_->if_object() : nullptr;
  return object != nullptr && object->size() > 1 && object->contains("@odata.id");
}

RedfishDocument::RedfishDocument(std::unique_ptr<json::value> value) : value_(std::move(value)) {}
RedfishDocument::RedfishDocument(RedfishDocument&&) noexcept = default;
RedfishDocument& RedfishDocument::operator=(RedfishDocument&&) noexcept = default;
RedfishDocument::~RedfishDocument() = default;

Result<RedfishDocument> RedfishDocument::parse(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return fail(Code::corrupt, "the answer is no JSON: " + value.error().message);
  if (!value->is_object()) return fail(Code::corrupt, "the answer is no JSON object");
  return RedfishDocument(std::make_unique<json::value>(*std::move(value)));
}

std::string redfish_error_text(std::string_view body) {
  const auto document = RedfishDocument::parse(body);
  if (!document) return {};
  const RedfishNode error = document->root().at("error");
  std::string text;
  for (const RedfishNode& info : error.items("@Message.ExtendedInfo")) {
    text = info.text("Message");
    if (!text.empty()) break;
  }
  if (text.empty()) text = error.text("message");
  if (text.size() > kMaxErrorText) {
    size_t end = kMaxErrorText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
  }
  return text;
}

}  // namespace drover::hardware
