// The one file that knows toml++.
#include "base/config_file.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>
#include <toml++/toml.h>

namespace drover {
namespace {

Result<FileSetting> setting_of(std::string key, const toml::node& node, const std::string& path) {
  FileSetting out{std::move(key), FileKind::other, {}, node.source().begin.line};
  if (const auto* text = node.as_string()) {
    out.kind = FileKind::text;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = FileKind::integer;
    out.text = std::to_string(integer->get());
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = FileKind::boolean;
    out.text = boolean->get() ? "true" : "false";
  } else if (const auto* array = node.as_array()) {
    out.kind = FileKind::list;
    for (const toml::node& element : *array) {
      const auto* text_element = element.as_string();
      if (text_element == nullptr || text_element->get().find(',') != std::string::npos) {
        return fail(Code::invalid_argument,
                    fmt::format("{}:{}: {} must be a list of texts without commas", path,
                                element.source().begin.line, out.key));
      }
      if (&element != &array->front()) out.text.push_back(',');
      out.text += text_element->get();
    }
  }
  return out;
}

Status flatten(const std::string& prefix, const toml::table& table, const std::string& path,
               std::vector<FileSetting>& out) {
  for (const auto& [key, node] : table) {
    std::string full =
        prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      DROVER_CHECK_OK(flatten(full, *inner, path, out));
      continue;
    }
    DROVER_TRY(FileSetting setting, setting_of(std::move(full), node, path));
    out.push_back(std::move(setting));
  }
  return {};
}

}  // namespace

std::string_view name(FileKind kind) {
  switch (kind) {
    case FileKind::text:
      return "a text";
    case FileKind::integer:
      return "an integer";
    case FileKind::boolean:
      return "true or false";
    case FileKind::list:
      return "a list";
    case FileKind::other:
      return "a number with a fraction, a date or a time";
  }
  return "";
}

Result<std::vector<FileSetting>> read_toml(std::string_view text, const std::string& path) {
  std::vector<FileSetting> out;
  try {
    const toml::table table = toml::parse(text, path);
    DROVER_CHECK_OK(flatten({}, table, path, out));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return fail(Code::invalid_argument,
                fmt::format("{}:{}:{}: {}", path, at.line, at.column, error.description()));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.line, a.key) < std::tie(b.line, b.key);
  });
  return out;
}

}  // namespace drover
