#include "cluster/boot_template.hpp"

#include "base/text.hpp"
#include "cluster/attribute_catalogue.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::string_view kAttribute = "attr.";
constexpr std::string_view kInitrd = "initrd.";
constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_known(std::string_view name) {
  if (name.starts_with(kAttribute)) {
    return check_attribute_name("", name.substr(kAttribute.size())).has_value();
  }
  return std::ranges::any_of(boot_variables(),
                             [&](const BootVariableRow& row) { return row.name == name; });
}

std::string suggestion(std::string_view name) {
  std::vector<std::string_view> known;
  for (const BootVariableRow& row : boot_variables()) known.push_back(row.name);
  const std::string_view near = nearest(name, known);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

const std::string* find(const BootValues& values, const BootValues::Map* initrd,
                        std::string_view name) {
  const BootValues::Map& map =
      name.starts_with(kInitrd) && initrd != nullptr ? *initrd : values.all;
  const auto it = map.find(name);
  return it == map.end() || it->second.empty() ? nullptr : &it->second;
}

}  // namespace

const std::vector<BootVariableRow>& boot_variables() {
  static const std::vector<BootVariableRow> rows{
      {"name", "The node's name."},
      {"nid", "Its number."},
      {"mac", "The hardware address that it boots by."},
      {"mode", "lean, image or disk."},
      {"image", "The image's name."},
      {"image.digest", "What the image is, by its content."},
      {"arch", "The image's architecture: x86_64, aarch64."},
      {"arch.check", "A line of iPXE that leaves for wrong_arch on a machine of another kind."},
      {"kernel.url", "Where the kernel is fetched."},
      {"kernel.path", "The same without the server, for GRUB."},
      {"kernel.sha256", "SHA-256 of the kernel."},
      {"kernel.version", "The kernel's version."},
      {"args", "The kernel's command line."},
      {"args.quoted", "The same with every word in quotes, for GRUB."},
      {"root.sha256", "SHA-256 of the root, which only a boot with a root has."},
      {"initrd.name", "Inside each initrds: what the kernel calls it."},
      {"initrd.url", "Inside each initrds: where it is fetched."},
      {"initrd.path", "The same without the server, for GRUB."},
      {"initrd.sha256", "Inside each initrds: SHA-256 of it."},
      {"initrd.what", "Inside each initrds: where it came from."},
      {"problem", "Why the node cannot boot; only in the script that says so."},
      {"fix", "What an administrator can do about it; may be absent."},
      {"server", "This server's address as the machine sees it."},
      {"http", "This server by plain HTTP: http://ADDRESS:PORT."},
      {"http.host", "ADDRESS:PORT of it."},
      {"address", "Its address without the brackets that URLs have, for TFTP."},
      {"again", "Where the script is asked for again, counting the tries."},
      {"again.path", "The same without the server."},
      {"tries", "How often the machine has tried before."},
      {"tries.next", "That and one."},
      {"delay", "Seconds to wait before the next try; they grow with the tries."},
      {"source", "The machine's address, as this request came from it."},
      {"token", "The token of this boot."}};
  return rows;
}

std::string boot_variables_markdown() {
  std::string out = "| Variable | What it stands for |\n|---|---|\n";
  for (const BootVariableRow& row : boot_variables()) {
    out += fmt::format("| `{{{{{}}}}}` | {} |\n", row.name, row.help);
  }
  return out + "| `{{attr.NAME}}` | The node's attribute of that name. |\n";
}

/// Reads a template from front to back; `open` are the ifs and eaches that wait for their end.
struct BootTemplate::Parser {
  BootTemplate& out;
  std::string_view text;
  size_t line = 1;
  std::vector<size_t> open = {};

  tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::invalid_argument,
                fmt::format("template {}, line {}: {}", out.name_, line, what));
  }

  Status run() {
    if (text.size() > kMaxText) return wrong(fmt::format("longer than {} bytes", kMaxText));
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      DROVER_CHECK_OK(read_line(text.substr(0, end)));
      text.remove_prefix(end);
      ++line;
    }
    if (open.empty()) return {};
    line = out.parts_[open.back()].line;
    return wrong("what begins here has no {{end}}");
  }

  Status read_line(std::string_view rest) {
    const std::string_view bare =
        trimmed(rest.ends_with('\n') ? rest.substr(0, rest.size() - 1) : rest);
    if (bare.starts_with(kOpen) && bare.ends_with(kClose)) {
      const std::string_view inside = trimmed(bare.substr(2, bare.size() - 4));
      if (inside.find(kClose) == std::string_view::npos && is_directive(inside)) {
        return directive(inside);
      }
    }
    while (!rest.empty()) {
      const size_t at = rest.find(kOpen);
      add(Kind::text, rest.substr(0, at));
      if (at == std::string_view::npos) return {};
      const size_t close = rest.find(kClose, at);
      if (close == std::string_view::npos) return wrong("{{ without }}");
      DROVER_CHECK_OK(directive(trimmed(rest.substr(at + 2, close - at - 2))));
      rest.remove_prefix(close + 2);
    }
    return {};
  }

  static bool is_directive(std::string_view inside) {
    return inside == "end" || inside.starts_with("if ") || inside.starts_with("each ");
  }

  void add(Kind kind, std::string_view what) {
    if (kind == Kind::text && what.empty()) return;
    if (kind == Kind::text && !out.parts_.empty() && out.parts_.back().kind == Kind::text) {
      out.parts_.back().text += what;
      return;
    }
    out.parts_.push_back({kind, std::string(what), line, 0});
  }

  Status directive(std::string_view inside) {
    if (inside == "end") {
      if (open.empty()) return wrong("{{end}} without a beginning");
      out.parts_[open.back()].end = out.parts_.size();
      open.pop_back();
      add(Kind::end, "");
      return {};
    }
    const bool condition = inside.starts_with("if ");
    if (condition || inside.starts_with("each ")) {
      const std::string_view what = trimmed(inside.substr(condition ? 3 : 5));
      if (open.size() == kMaxDepth) return wrong(fmt::format("nested deeper than {}", kMaxDepth));
      if (condition) DROVER_CHECK_OK(check_variable(what));
      if (!condition && what != "initrds") {
        return wrong(fmt::format("there is no list '{}': expected initrds", printable(what)));
      }
      if (!condition && in_each()) return wrong("{{each}} inside {{each}}");
      open.push_back(out.parts_.size());
      add(condition ? Kind::if_set : Kind::each_initrd, what);
      return {};
    }
    DROVER_CHECK_OK(check_variable(inside));
    add(Kind::variable, inside);
    return {};
  }

  [[nodiscard]] bool in_each() const {
    return std::ranges::any_of(open,
                               [&](size_t at) { return out.parts_[at].kind == Kind::each_initrd; });
  }

  [[nodiscard]] Status check_variable(std::string_view name) const {
    if (!is_known(name)) {
      return wrong(fmt::format("there is no variable '{}'{}", printable(name), suggestion(name)));
    }
    if (name.starts_with(kInitrd) && !in_each()) {
      return wrong(fmt::format("{} is known inside {{{{each initrds}}}} alone", name));
    }
    return {};
  }
};

Result<BootTemplate> BootTemplate::parse(std::string_view name, std::string_view text) {
  BootTemplate out;
  out.name_ = name;
  DROVER_CHECK_OK((Parser{out, text}.run()));
  return out;
}

Status BootTemplate::render_parts(const BootValues& values, const BootValues::Map* initrd,
                                  size_t from, size_t to, std::string& out) const {
  for (size_t i = from; i < to; ++i) {
    const Part& part = parts_[i];
    switch (part.kind) {
      case Kind::text:
        out += part.text;
        break;
      case Kind::variable: {
        const std::string* value = find(values, initrd, part.text);
        if (value == nullptr) {
          return fail(
              Code::invalid_argument,
              fmt::format("template {}, line {}: {} has no value", name_, part.line, part.text),
              fmt::format("put the line between {{{{if {}}}}} and {{{{end}}}}", part.text));
        }
        out += *value;
        break;
      }
      case Kind::if_set:
        if (find(values, initrd, part.text) != nullptr) {
          DROVER_CHECK_OK(render_parts(values, initrd, i + 1, part.end, out));
        }
        i = part.end;
        break;
      case Kind::each_initrd:
        for (const BootValues::Map& each : values.initrds) {
          DROVER_CHECK_OK(render_parts(values, &each, i + 1, part.end, out));
        }
        i = part.end;
        break;
      case Kind::end:
        break;
    }
  }
  return {};
}

std::vector<std::string> BootTemplate::attributes() const {
  std::vector<std::string> out;
  for (const Part& part : parts_) {
    const bool names_one = part.kind == Kind::variable || part.kind == Kind::if_set;
    if (names_one && part.text.starts_with(kAttribute)) {
      out.push_back(part.text.substr(kAttribute.size()));
    }
  }
  std::ranges::sort(out);
  const auto again = std::ranges::unique(out);
  out.erase(again.begin(), again.end());
  return out;
}

Result<std::string> BootTemplate::render(const BootValues& values) const {
  std::string out;
  DROVER_CHECK_OK(render_parts(values, nullptr, 0, parts_.size(), out));
  return out;
}

}  // namespace drover::cluster
