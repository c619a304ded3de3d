// Inventory to JSON and back, with the place of every mistake.
#include "base/json_values.hpp"
#include "os/host/inventory.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>

namespace drover::os {
namespace {

tl::unexpected<Error> wrong(const std::string& where, std::string_view what) {
  return fail(Code::invalid_argument, fmt::format("{}: {}", where, what));
}

Result<std::string> string_of(const json::value& value, const std::string& where) {
  const json::string* text = value.if_string();
  if (text == nullptr) return wrong(where, "must be a string");
  if (text->size() > kMaxInventoryString) {
    return fail(Code::too_large,
                fmt::format("{}: longer than {} bytes", where, kMaxInventoryString));
  }
  return std::string(text->data(), text->size());
}

Result<std::string> member_string(const json::object& object, const char* name,
                                  const std::string& where, bool may_be_empty) {
  const json::value* value = object.if_contains(name);
  const std::string place = where + "." + name;
  if (value == nullptr) return may_be_empty ? Result<std::string>("") : wrong(place, "is missing");
  DROVER_TRY(std::string text, string_of(*value, place));
  if (text.empty() && !may_be_empty) return wrong(place, "must not be empty");
  return text;
}

bool is_kind(std::string_view kind) {
  constexpr size_t kMaxKind = 32;
  return kind.size() <= kMaxKind && std::all_of(kind.begin(), kind.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

Status read_attributes(const json::value& value, const std::string& where, Part& part) {
  const json::object* attributes = value.if_object();
  if (attributes == nullptr) return wrong(where, "must be an object");
  if (attributes->size() > kMaxInventoryAttributes) {
    return fail(Code::too_large,
                fmt::format("{}: more than {} attributes", where, kMaxInventoryAttributes));
  }
  for (const auto& [key, attribute] : *attributes) {
    const std::string name(key.data(), key.size());
    if (name.empty()) return wrong(where, "an attribute has no name");
    if (name.size() > kMaxInventoryString) {
      return fail(Code::too_large, where + ": an attribute's name is too long");
    }
    DROVER_TRY(std::string text, string_of(attribute, where + "." + name));
    part.attributes.emplace_back(name, std::move(text));
  }
  std::sort(part.attributes.begin(), part.attributes.end());
  return {};
}

Result<Part> read_part(const json::value& value, const std::string& where) {
  const json::object* object = value.if_object();
  if (object == nullptr) return wrong(where, "must be an object");
  Part part;
  DROVER_TRY(part.kind, member_string(*object, "kind", where, false));
  if (!is_kind(part.kind)) {
    return wrong(where + ".kind", "must be up to 32 of a-z, 0-9 and _");
  }
  DROVER_TRY(part.slot, member_string(*object, "slot", where, false));
  DROVER_TRY(part.serial, member_string(*object, "serial", where, true));
  if (const json::value* attributes = object->if_contains("attributes"); attributes != nullptr) {
    DROVER_CHECK_OK(read_attributes(*attributes, where + ".attributes", part));
  }
  return part;
}

}  // namespace

std::string encode_inventory(const std::vector<Part>& parts) {
  json::array array;
  array.reserve(parts.size());
  for (const Part& part : parts) {
    json::object attributes;
    for (const auto& [name, value] : part.attributes) attributes.emplace(name, value);
    array.push_back(json::object{{"kind", part.kind},
                                 {"slot", part.slot},
                                 {"serial", part.serial},
                                 {"attributes", std::move(attributes)}});
  }
  return to_text(json::object{{"parts", std::move(array)}});
}

Result<std::vector<Part>> decode_inventory(std::string_view text) {
  if (text.size() > kMaxInventoryText) {
    return fail(Code::too_large, fmt::format("inventory: larger than {} bytes", kMaxInventoryText));
  }
  DROVER_TRY(const json::value document, parse_json(text));
  const json::object* object = document.if_object();
  if (object == nullptr) return wrong("inventory", "must be an object");
  const json::value* member = object->if_contains("parts");
  const json::array* array = member == nullptr ? nullptr : member->if_array();
  if (array == nullptr) return wrong("parts", "must be an array");
  if (array->size() > kMaxInventoryParts) {
    return fail(Code::too_large, fmt::format("parts: more than {}", kMaxInventoryParts));
  }
  std::vector<Part> parts;
  parts.reserve(array->size());
  for (size_t i = 0; i < array->size(); ++i) {
    DROVER_TRY(Part part, read_part((*array)[i], fmt::format("parts[{}]", i)));
    parts.push_back(std::move(part));
  }
  const auto key = [](const Part& part) { return std::tie(part.kind, part.slot); };
  std::sort(parts.begin(), parts.end(),
            [&](const Part& a, const Part& b) { return key(a) < key(b); });
  const auto twin = std::adjacent_find(
      parts.begin(), parts.end(), [&](const Part& a, const Part& b) { return key(a) == key(b); });
  if (twin != parts.end()) {
    return wrong("parts", fmt::format("{} {} appears twice", twin->kind, twin->slot));
  }
  return parts;
}

}  // namespace drover::os
