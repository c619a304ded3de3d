// What apply, edit and import share: reading a document, showing its plan, carrying it out.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// A document as it was written, so that mistakes can be shown at their lines.
struct DocumentText {
  std::string place;  ///< the file's name, for messages; empty: it was typed into the editor
  std::string text;   ///< YAML or JSON
};

struct ApplyFlags {
  bool dry_run = false;
  bool prune = false;
  bool force = false;
  std::string name;  ///< under which it is remembered; empty: the standard one
  std::string why;
  std::string base = {};  ///< YAML of the document as it was read; empty: what is remembered
};

/// The document's value. invalid_argument with the place of a mistake.
Result<json::value> parse_document(const DocumentText& document);

/// The plan, asked from a master.
Result<json::value> ask_plan(Context& context, const json::value& document,
                             const ApplyFlags& flags);

/// Every problem and conflict of a plan, one a line: "cluster.yaml:12: nodes.n1.mode: ..".
std::vector<std::string> complaints_of(const json::value& plan, const DocumentText& document);

/// The plan for people: + - ~ and the fields below, what is kept, what is no longer in the
/// document.
std::string plan_text(const json::value& plan, const ApplyFlags& flags, bool colour);

/// Plans, shows, asks where it is much, and applies; the command's exit code.
Result<int> run_apply(Context& context, const DocumentText& document, const ApplyFlags& flags);

/// The second half of it, for a plan that has been asked for and has no complaints.
Result<int> carry_out_plan(Context& context, const json::value& document, const json::value& plan,
                           const ApplyFlags& flags);

/// A file's text, or of "-" all of standard input.
Result<std::string> read_text(Context& context, const std::string& path);

}  // namespace drover::cli
