// Paths and accounts are checked here, and again by the node that writes the files.
#include "cluster/content/overlay.hpp"

#include "base/base64.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/node_spec.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 2> kEncodingNames{"text", "base64url"};

/// Formulas are short and files are long: each line is a text of its own.
Status check_template(const std::string& field, std::string_view content) {
  size_t number = 1;
  for (size_t at = 0; at < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', at), content.size());
    const std::string_view line = content.substr(at, end - at);
    at = end + 1;
    if (!has_formula(line)) continue;
    const Status good = check_formula(line);
    if (!good) {
      return bad_field(fmt::format("{}, line {}", field, number), line, good.error().message);
    }
  }
  return {};
}

Status normalise_file(const std::string& at, OverlayFile& file) {
  const auto bits = mode_bits(file.mode);
  if (!bits) return bad_field(at + ".mode", file.mode, "expected octal digits, such as 0644");
  file.mode = fmt::format("{:04o}", *bits);
  DROVER_CHECK_OK(check_account(at + ".user", file.user));
  DROVER_CHECK_OK(check_account(at + ".group", file.group));
  if (file.encoding == FileEncoding::base64url) {
    if (file.is_template) {
      return bad_field(at + ".template", "true", "a template is text");
    }
    if (!from_base64url(file.content)) {
      return bad_field(at + ".content", file.content, "expected base64 of RFC 4648 section 5");
    }
  }
  return file.is_template ? check_template(at + ".content", file.content) : Status();
}

}  // namespace

std::span<const std::string_view> enum_names(FileEncoding) {
  return kEncodingNames;
}

void OverlayFile::describe(Visitor& v) {
  v.field("content", content, "What is in it.", Presence::optional);
  v.field("encoding", encoding, "How the content is written here.", Presence::optional);
  v.field("mode", mode, "Its permissions, in octal digits.", Presence::optional);
  v.field("user", user, "Whose it is: a name or number of the node's own accounts.",
          Presence::optional);
  v.field("group", group, "And its group.", Presence::optional);
  v.field("template", is_template,
          "Whether the content holds formulas, which are evaluated for each node.",
          Presence::optional);
}

void Overlay::describe(Visitor& v) {
  v.field("name", name, "Whose it is: node/NAME, group/NAME or profile/NAME.");
  v.field("files", files, "The files by their absolute paths.", Presence::optional);
}

Status normalise(Overlay& overlay) {
  DROVER_TRY(const Owner owner, parse_owner("name", overlay.name));
  overlay.name = owner.text();
  if (overlay.files.size() > kMaxOverlayFiles) {
    return bad_field("files", fmt::format("{} files", overlay.files.size()),
                     fmt::format("expected at most {}", kMaxOverlayFiles));
  }
  size_t bytes = 0;
  for (auto& [path, file] : overlay.files) {
    const std::string at = fmt::format("files.{}", path);
    DROVER_CHECK_OK(check_node_path(at, path));
    DROVER_CHECK_OK(normalise_file(at, file));
    bytes += path.size() + file.content.size();
  }
  if (bytes <= kMaxOverlayBytes) return {};
  return fail(Code::too_large,
              fmt::format("files: {} bytes in all; at most {} are taken", bytes, kMaxOverlayBytes),
              "an image is the place for what is large");
}

}  // namespace drover::cluster
