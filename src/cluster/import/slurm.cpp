// slurm.conf: NodeName, PartitionName and NodeSet lines (man 5 slurm.conf). Keys in any case;
// comments with #; a backslash at the end continues a line.
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/import/import.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;  ///< key in lower case, value

struct Statement {
  size_t line = 0;
  Pairs pairs;
};

/// "Key=Value Key=\"a b\" ...", or "Include FILE".
Pairs pairs_in(std::string_view text) {
  Pairs out;
  const auto words = words_in(text);
  if (words.size() == 2 && lower_case(words[0]) == "include") {
    return {{"include", std::string(words[1])}};
  }
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const size_t equals = text.find('=', at);
    if (equals == std::string_view::npos) break;
    std::string key = lower_case(trimmed(text.substr(at, equals - at)));
    at = equals + 1;
    std::string value;
    if (at < text.size() && text[at] == '"') {
      const size_t close = text.find('"', at + 1);
      value = text.substr(at + 1, close == std::string_view::npos ? close : close - at - 1);
      at = close == std::string_view::npos ? text.size() : close + 1;
    } else {
      const size_t end = std::min(text.find_first_of(" \t", at), text.size());
      value = text.substr(at, end - at);
      at = end;
    }
    out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

std::vector<Statement> statements_in(std::string_view text) {
  std::vector<Statement> out;
  std::string held;
  size_t first = 0;
  for (const TextLine& line : lines_in(text)) {
    std::string_view part = trimmed(line.text.substr(0, line.text.find('#')));
    if (held.empty()) first = line.number;
    const bool continues = part.ends_with('\\');
    if (continues) part.remove_suffix(1);
    held += fmt::format("{}{}", held.empty() ? "" : " ", part);
    if (continues) continue;
    if (Pairs pairs = pairs_in(held); !pairs.empty()) out.push_back({first, std::move(pairs)});
    held.clear();
  }
  if (Pairs pairs = pairs_in(held); !pairs.empty()) out.push_back({first, std::move(pairs)});
  return out;
}

const std::string* value_of(const Pairs& pairs, std::string_view key) {
  // The last one counts: a line's own values come after those of DEFAULT.
  const auto it = std::find_if(pairs.rbegin(), pairs.rend(),
                               [&](const auto& pair) { return pair.first == key; });
  return it == pairs.rend() ? nullptr : &it->second;
}

/// Most names that all hostlists of a file may hold together.
constexpr size_t kMostNames = 200'000;

/// Slurm's hostlist is a noderange without operators.
std::vector<std::string> hostlist(const std::string& text, size_t line, size_t& budget,
                                  Imported& out) {
  const auto count = count_names(text);
  if (count && *count > budget) {
    out.note_once("too many", line,
                  fmt::format("left out: hostlists of more than {} names", kMostNames));
    return {};
  }
  auto names = expand_names(text);
  if (!names) {
    out.note(line, fmt::format("left out: the hostlist \"{}\": {}", printable(text),
                               names.error().message));
    return {};
  }
  budget -= std::min(budget, names->size());
  return *std::move(names);
}

class Reader {
 public:
  explicit Reader(Imported& out) : out_(out) {}

  void add(const Statement& statement) {
    const std::string& kind = statement.pairs.front().first;
    if (kind == "nodename") {
      node_line(statement);
    } else if (kind == "partitionname") {
      partitions_.push_back(statement);
    } else if (kind == "nodeset") {
      node_sets_.push_back(statement);
    } else if (kind == "include") {
      out_.note(statement.line, "not followed: import the included file by itself");
    }
  }
  /// Partitions and sets may name nodes that come further down.
  void finish() {
    for (const Statement& statement : node_sets_) node_set(statement);
    for (const Statement& statement : partitions_) partition(statement);
  }

 private:
  void node_line(const Statement& statement) {
    if (statement.pairs.front().second == "DEFAULT") {
      defaults_.insert(defaults_.end(), statement.pairs.begin() + 1, statement.pairs.end());
      return;
    }
    Pairs pairs = defaults_;
    pairs.insert(pairs.end(), statement.pairs.begin(), statement.pairs.end());
    const auto names = hostlist_in_order(statement.pairs.front().second, statement.line);
    const auto addresses = parallel(pairs, "nodeaddr", names.size(), statement.line);
    const auto hosts = parallel(pairs, "nodehostname", names.size(), statement.line);
    for (size_t i = 0; i < names.size(); ++i) {
      const auto name = out_.node_name(names[i], statement.line);
      if (!name) continue;
      slurm_names_[names[i]] = *name;
      ImportedNode& node = out_.nodes[*name];
      if (!addresses.empty()) add_address(node, *name, addresses[i], statement.line);
      if (!hosts.empty() && hosts[i] != names[i]) {
        if (auto alias = out_.node_name(hosts[i], statement.line)) node.aliases.push_back(*alias);
      }
      for (const auto& [key, value] : pairs) attribute(node, key, value);
    }
  }

  /// In the order written, as addresses pair with names by place.
  std::vector<std::string> hostlist_in_order(const std::string& text, size_t line) {
    std::vector<std::string> out;
    for (const std::string& term : terms_of(text)) {
      for (std::string& name : hostlist(term, line, budget_, out_)) out.push_back(std::move(name));
    }
    return out;
  }

  /// The parts between commas outside brackets.
  static std::vector<std::string> terms_of(const std::string& text) {
    std::vector<std::string> out(1);
    int depth = 0;
    for (const char c : text) {
      if (c == '[') ++depth;
      if (c == ']') --depth;
      if (c == ',' && depth <= 0) {
        out.emplace_back();
      } else {
        out.back().push_back(c);
      }
    }
    std::erase(out, std::string());
    return out;
  }

  std::vector<std::string> parallel(const Pairs& pairs, std::string_view key, size_t count,
                                    size_t line) {
    const std::string* text = value_of(pairs, key);
    if (text == nullptr) return {};
    auto values = hostlist_in_order(*text, line);
    if (values.size() == count) return values;
    out_.note(line, fmt::format("left out: {} names {} of {} nodes", key, values.size(), count));
    return {};
  }

  void add_address(ImportedNode& node, const std::string& name, const std::string& text,
                   size_t line) {
    if (is_ip_address(text)) {
      node.interface("eth0").addresses = {lower_case(text)};
    } else if (auto alias = out_.node_name(text, line); alias && *alias != name) {
      node.aliases.push_back(*alias);
    }
  }

  static void attribute(ImportedNode& node, const std::string& key, const std::string& value) {
    // State and Reason are of the moment; names and addresses have places of their own.
    constexpr std::array<std::string_view, 6> kElsewhere{"nodename", "nodeaddr", "nodehostname",
                                                         "state",    "reason",   "port"};
    if (std::find(kElsewhere.begin(), kElsewhere.end(), key) != kElsewhere.end()) return;
    node.attributes[foreign_attribute("slurm", key == "features" ? "feature" : key)] = value;
  }

  void members(ImportedGroup& group, const std::string& text, size_t line) {
    for (const std::string& term : terms_of(text)) {
      if (lower_case(term) == "all") {
        for (const auto& [name, node] : out_.nodes) group.nodes.insert(name);
        continue;
      }
      if (const auto set = sets_.find(term); set != sets_.end()) {
        group.nodes.insert(set->second.begin(), set->second.end());
        continue;
      }
      for (const std::string& name : hostlist(term, line, budget_, out_)) {
        const auto known = slurm_names_.find(name);
        if (known != slurm_names_.end()) {
          group.nodes.insert(known->second);
        } else {
          out_.note(line, fmt::format("left out of the group: no NodeName line has \"{}\"",
                                      printable(name)));
        }
      }
    }
  }

  void node_set(const Statement& statement) {
    const std::string& given = statement.pairs.front().second;
    ImportedGroup& group = out_.groups[out_.group_name(given, statement.line)];
    group.description = "Slurm node set";
    if (const auto* nodes = value_of(statement.pairs, "nodes")) {
      members(group, *nodes, statement.line);
    }
    if (const auto* feature = value_of(statement.pairs, "feature")) {
      for (const auto& [name, node] : out_.nodes) {
        const auto it = node.attributes.find("x.slurm.feature");
        if (it == node.attributes.end()) continue;
        const auto features = parts_of_list(it->second);
        if (std::find(features.begin(), features.end(), *feature) != features.end()) {
          group.nodes.insert(name);
        }
      }
    }
    sets_[given] = group.nodes;
  }

  void partition(const Statement& statement) {
    const std::string& given = statement.pairs.front().second;
    if (given == "DEFAULT") {
      partition_defaults_.insert(partition_defaults_.end(), statement.pairs.begin() + 1,
                                 statement.pairs.end());
      return;
    }
    Pairs pairs = partition_defaults_;
    pairs.insert(pairs.end(), statement.pairs.begin(), statement.pairs.end());
    ImportedGroup& group = out_.groups[out_.group_name(given, statement.line)];
    group.description = "Slurm partition";
    if (const auto* nodes = value_of(pairs, "nodes")) members(group, *nodes, statement.line);
  }

  Imported& out_;
  size_t budget_ = kMostNames;
  Pairs defaults_;
  Pairs partition_defaults_;
  std::vector<Statement> partitions_;
  std::vector<Statement> node_sets_;
  std::map<std::string, std::string> slurm_names_;
  std::map<std::string, std::set<std::string, NaturalLess>> sets_;
};

}  // namespace

Result<Imported> import_slurm(std::string_view text) {
  Imported out;
  Reader reader(out);
  for (const Statement& statement : statements_in(text)) reader.add(statement);
  reader.finish();
  out.finish();
  return out;
}

}  // namespace drover::cluster
