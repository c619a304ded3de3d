// drover edit: objects as YAML in the user's editor, sent back as a merge against what was read.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "cli/common_parameters.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kMark = "# ";

std::string as_comments(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    size_t at = 0;
    while (at <= line.size()) {
      const size_t end = std::min(line.find('\n', at), line.size());
      out += fmt::format("{}{}\n", kMark, line.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

/// Without the comments at the top, which are ours.
std::string without_top(std::string_view text) {
  while (text.starts_with('#')) {
    const size_t end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return std::string(text);
}

Result<std::string> read_objects(Context& context, const std::string& kind,
                                 const std::string& name) {
  std::string path = "/api/v1/export?sections=";
  if (kind == "node") {
    DROVER_CHECK_OK(check_range(name));
    path += fmt::format("nodes&nodes={}", net::percent_encode(name));
  } else {
    path += fmt::format("{}s&name={}", kind, net::percent_encode(name));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value document, client->get(path, context.timeout()));
  return to_yaml(document);
}

/// What is wrong with an edited text, or its plan.
struct Tried {
  std::vector<std::string> complaints;
  Error error;  ///< of the first complaint
  json::value document;
  json::value plan;
};

Result<Tried> try_text(Context& context, const DocumentText& edited, const ApplyFlags& flags) {
  Tried out;
  auto document = parse_document(edited);
  if (!document) {
    out.complaints.push_back(document.error().text());
    out.error = document.error();
    return out;
  }
  out.document = *std::move(document);
  DROVER_TRY(out.plan, ask_plan(context, out.document, flags));
  out.complaints = complaints_of(out.plan, edited);
  if (!out.complaints.empty()) {
    const bool conflict = out.complaints.front().starts_with("conflict");
    out.error = {conflict ? Code::conflict : Code::invalid_argument, out.complaints.front(), "",
                 ""};
  }
  return out;
}

/// Refused for good: the text is kept, so that nothing typed is lost.
tl::unexpected<Error> give_up(Context& context, Error error, const std::string& text) {
  const std::string path =
      fmt::format("drover-edit-{}.yaml", to_unix_ms(context.surroundings().loop.wall()));
  const Status kept = context.surroundings().disk.write_atomic(path, text, 0600);
  if (kept) {
    error.next += fmt::format("{}what you typed is in {}", error.next.empty() ? "" : "; ", path);
  }
  return tl::unexpected<Error>(std::move(error));
}

/// Above a text that was refused.
std::string refusal(std::vector<std::string> complaints) {
  complaints.insert(complaints.begin(), "This was refused, and nothing was changed:");
  complaints.emplace_back("Mend it and save, or leave without a change to give up.");
  return as_comments(complaints);
}

Result<int> edit(Context& context, const Given& given) {
  const std::string& kind = given.text("kind");
  const std::string& name = given.text("name");
  Surroundings& surroundings = context.surroundings();
  if (!surroundings.edit) return fail(Code::unsupported, "there is no terminal to edit on");
  ApplyFlags flags;
  flags.why = given.text("why");
  DROVER_TRY(flags.base, read_objects(context, kind, name));
  const std::string help = as_comments(
      {fmt::format("{} {}: save and leave to apply; no change changes nothing.", kind, name),
       "A field taken out goes back to its default; see drover explain FIELD."});
  std::string text = flags.base;
  std::string top = help;
  Error error;
  while (true) {
    DROVER_TRY(const std::string edited, surroundings.edit(top + text));
    const std::string body = without_top(edited);
    if (body == flags.base || body.find_first_not_of(" \t\r\n") == std::string::npos) {
      context.warn("nothing was changed");
      return 0;
    }
    // Left as it was refused: that is how one gives up.
    if (body == text && !error.message.empty()) return give_up(context, error, body);
    DROVER_TRY(Tried tried, try_text(context, {"", body}, flags));
    if (tried.complaints.empty()) {
      const auto done = carry_out_plan(context, tried.document, tried.plan, flags);
      if (done) return done;
      if (done.error().code != Code::conflict) return give_up(context, done.error(), body);
      // Others were quicker, between the plan and its carrying out.
      tried.error = {Code::conflict, done.error().message, "", ""};
      tried.complaints = {done.error().message};
    }
    text = body;
    error = tried.error;
    top = refusal(std::move(tried.complaints));
  }
}

}  // namespace

std::vector<Command> edit_commands() {
  return {
      {"edit",
       "",
       "Edit nodes, a group, a profile, a network or a setting in $EDITOR",
       {{"kind", Kind::required, "What it is", {"node", "group", "profile", "network", "setting"}},
        {"name", Kind::required, "Its name; of nodes a noderange"},
        why_option()},
       {"drover edit node n1", "drover edit node 'n[1-8]' --why 'new NIC'",
        "drover edit group rack1"},
       edit}};
}

}  // namespace drover::cli
