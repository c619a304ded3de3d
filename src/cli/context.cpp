#include "cli/context.hpp"

#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/list_text.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

/// Without the setting: a rack of one-unit nodes is asked about, a chassis is not.
constexpr size_t kConfirmAbove = 16;

/// "links.0.peer" as far as a field's name goes: a place in a list is no field of its own.
std::string without_places(const std::string& path) {
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    const size_t end = std::min(path.find('.', dot + 1), path.size());
    const std::string_view part = std::string_view(path).substr(dot + 1, end - dot - 1);
    if (part.find_first_not_of("0123456789") == std::string_view::npos) return path.substr(0, dot);
  }
  return path;
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

Result<std::unique_ptr<Context>> Context::make(const Given& globals, Surroundings& surroundings) {
  std::unique_ptr<Context> out(new Context(globals, surroundings));
  OutputOptions& output = out->output_;
  if (globals.has("output")) {
    DROVER_TRY(output.format, format_from_name(globals.text("output")));
  }
  if (globals.has("columns")) output.columns = split_list(globals.text("columns"));
  output.header = !globals.has("no-header");
  const auto no_color = surroundings.environment.find("NO_COLOR");  // no-color.org: set, not empty
  output.colour = surroundings.out_is_terminal && !globals.has("no-color") &&
                  (no_color == surroundings.environment.end() || no_color->second.empty());
  output.width =
      surroundings.out_is_terminal && output.format != Format::wide ? surroundings.width : 0;
  if (globals.has("timeout")) {
    DROVER_TRY(out->timeout_, parse_duration(globals.text("timeout")));
    if (*out->timeout_ <= Duration::zero()) {
      return fail(Code::invalid_argument, "--timeout must be more than nothing");
    }
  }
  for (const std::string& text : globals.all("filter")) {
    DROVER_TRY(FieldTest test, parse_field_test(text));
    out->filters_.push_back(std::move(test));
  }
  if (globals.has("sort")) {
    DROVER_TRY(out->sort_, parse_sort(globals.text("sort")));
  }
  output.now = surroundings.loop.wall();
  return out;
}

Result<Client*> Context::client() {
  if (client_ == nullptr) {
    DROVER_TRY(client_, Client::make(globals_, surroundings_));
  }
  return client_.get();
}

std::string Context::variable(const std::string& name) const {
  const auto it = surroundings_.environment.find(name);
  return it == surroundings_.environment.end() ? std::string() : it->second;
}

std::string Context::server_option() const {
  return globals_.has("server") ? globals_.text("server") : variable("DROVER_SERVER");
}

Duration Context::timeout(Duration standard) const {
  return timeout_.value_or(standard);
}

void Context::warn(std::string_view text) {
  const std::string line = printable(text) + "\n";
  captured_ ? captured_(line) : surroundings_.err(line);
}

void Context::report_degraded() {
  if (client_ == nullptr) return;
  const Degraded degraded = client_->take_degraded();
  if (degraded.why.empty()) return;
  std::string line = "warning: the daemon is degraded: " + degraded.why;
  if (!degraded.age_seconds.empty()) {
    line += fmt::format("; this answer is {} s old", degraded.age_seconds);
  }
  warn(line);
}

Result<json::array> Context::refined(json::array items, const ListView& view) const {
  return refine(std::move(items), view, filters_, sort_);
}

std::vector<std::string> Context::fields_for(const ListView& view) const {
  std::vector<std::string> paths;
  if (output_.format == Format::name) {
    paths.push_back(view.name_path);
  } else if (for_people() || output_.format == Format::csv) {
    const bool all = output_.format != Format::table;
    for (const Column& column : view.columns) {
      if (output_.columns.empty() && (all || !column.wide)) paths.push_back(column.path);
    }
    for (const std::string& asked : output_.columns) paths.push_back(path_of(asked, view));
    if (!view.fold_path.empty()) paths.push_back(view.fold_path);
  } else {
    return {};
  }
  for (const SortKey& key : sort_) paths.push_back(path_of(key.path, view));
  for (const FieldTest& test : filters_) paths.push_back(path_of(test.path, view));
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::string field = without_places(path);
    if (std::find(out.begin(), out.end(), field) == out.end()) out.push_back(std::move(field));
  }
  return out;
}

Result<int> Context::print_list(json::array items, const ListView& view, int exit_code) {
  if (!filters_.empty() || !sort_.empty()) {
    DROVER_TRY(json::array chosen, refined(std::move(items), view));
    return print_chosen(std::move(chosen), view, exit_code);
  }
  return print_chosen(std::move(items), view, exit_code);
}

Result<int> Context::print_chosen(json::array items, const ListView& view, int exit_code) {
  if (on_list_) on_list_(items, view);
  DROVER_TRY(const std::string text, render_list(std::move(items), view, output_));
  print(text);
  return exit_code;
}

Result<int> Context::print_each_at(const std::string& path, const ListView& view,
                                   Callback<void(json::value& item)> prepare) {
  DROVER_TRY(Client* const client, this->client());
  DROVER_TRY(ListText text, ListText::make(view, output_));
  const bool shows = output_.format != Format::name;
  DROVER_CHECK_OK(client->each_item(path, timeout(), [&](json::value& item) {
    if (shows && prepare) prepare(item);
    text.add(item);
  }));
  if (text.count() == 0 && for_people() && !view.when_empty.empty()) warn(view.when_empty);
  DROVER_TRY(const std::string whole, text.finish());
  print(whole);
  return 0;
}

Result<int> Context::print_list_at(const std::string& path, const ListView& view,
                                   Callback<void(json::value& item)> prepare) {
  DROVER_TRY(Client* const client, this->client());
  const bool columns =
      for_people() || output_.format == Format::csv || output_.format == Format::name;
  if (columns && filters_.empty() && sort_.empty() && !on_list_) {
    return print_each_at(path, view, std::move(prepare));
  }
  if (!prints_as_it_comes()) {
    DROVER_TRY(json::array items, client->list(path, timeout()));
    if (items.empty() && for_people() && !view.when_empty.empty()) warn(view.when_empty);
    if (columns && prepare) std::ranges::for_each(items, std::ref(prepare));
    return print_list(std::move(items), view);
  }
  using Layout = ItemsText::Layout;
  const bool yaml = output_.format == Format::yaml;  // safe by itself
  const Layout layout = yaml                             ? Layout::yaml
                        : output_.format == Format::json ? Layout::indented
                                                         : Layout::lines;
  DROVER_CHECK_OK(client->list_text(path, timeout(), layout, [this, yaml](std::string text) {
    print(yaml ? text : terminal_safe_json(std::move(text)));
  }));
  return 0;
}

Result<int> Context::print_document(const json::value& document, int exit_code) {
  if (on_list_) on_list_(json::array{document}, {});
  const bool chosen = for_people() || output_.format == Format::csv;
  for (const std::string& column : output_.columns) {
    if (!chosen || find_path(document, column) != nullptr) continue;
    return fail(Code::invalid_argument,
                fmt::format("--columns: there is no \"{}\" in the answer", printable(column)),
                "-o json shows every path");
  }
  print(render_document(document, output_));
  return exit_code;
}

size_t Context::confirm_above() {
  std::string text = variable("DROVER_CONFIRM_ABOVE");
  if (text.empty()) {
    if (auto connection = client()) {
      const auto setting = (*connection)->get("/api/v1/settings/confirm.above", timeout());
      if (setting) text = text_at(*setting, "value");
    }
  }
  size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool number = !text.empty() && error == std::errc{} && end == text.data() + text.size();
  return number ? out : kConfirmAbove;
}

Status Context::confirm_many(size_t count, std::string_view what) {
  if (count < 2 || globals_.has("yes") || count <= confirm_above()) return {};
  if (!surroundings_.in_is_terminal || !surroundings_.answer) {
    return fail(Code::invalid_argument,
                fmt::format("this would {}: {} at once, and nobody is here to be asked",
                            printable(what), count),
                "add --yes, or look first with --dry-run");
  }
  surroundings_.err(fmt::format("This will {}: {} at once. Go on? [y/N] ", printable(what), count));
  const auto answer = surroundings_.answer();
  if (answer && (*answer == "y" || *answer == "Y" || *answer == "yes")) return {};
  if (!answer) surroundings_.err("\n");
  return fail(Code::cancelled, "nothing was changed");
}

Status check_range(std::string_view range) {
  const auto mistake = find_mistake(range);
  if (!mistake) return {};
  constexpr size_t kShown = 60;
  std::string message = "noderange: " + mistake->what;
  if (range.empty()) message = "the noderange is empty";
  const size_t from = mistake->offset > kShown / 2 ? mistake->offset - kShown / 2 : 0;
  const std::string before = printable(range.substr(from, mistake->offset - from));
  const std::string after = printable(range.substr(mistake->offset).substr(0, kShown));
  message += fmt::format("\n  {}{}\n  {}^", before, after, std::string(display_width(before), ' '));
  return fail(Code::invalid_argument, message, "drover nodes expand --help   shows examples");
}

std::string nodes_query(std::string_view range) {
  return range.empty() ? std::string() : "?nodes=" + net::percent_encode(range);
}

std::string list_query(std::string_view range, const std::vector<std::string>& fields) {
  std::string out = nodes_query(range);
  if (fields.empty()) return out;
  return fmt::format("{}{}fields={}", out, out.empty() ? "?" : "&",
                     net::percent_encode(fmt::format("{}", fmt::join(fields, ","))));
}

Result<std::vector<std::string>> ask_nodes(Context& context, std::string_view range) {
  DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->get("/api/v1/noderange/expand" + nodes_query(range), context.timeout()));
  const json::value* items = find_path(answer, "items");
  std::vector<std::string> out;
  if (items == nullptr || !items->is_array()) {
    return fail(Code::corrupt, "the daemon's answer holds no list of nodes");
  }
  for (const json::value& item : items->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return out;
}

}  // namespace drover::cli
