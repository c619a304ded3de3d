#include "cli/complete.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/client.hpp"
#include "cli/complete_settings.hpp"
#include "cli/contract_kinds.hpp"
#include "cli/fields.hpp"
#include "cli/output.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/settings.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// A person at a prompt does not wait longer for names.
constexpr Duration kPatience = std::chrono::milliseconds(300);
constexpr size_t kMostNames = 200;

/// What the value of a parameter names, by the parameter's name: the table's own convention.
enum class Takes {
  text,
  range,
  node,
  group,
  profile,
  network,
  image,
  setting,
  metric,
  fields,
  test,
  change,
  unset,
  attribute,
  file,
  kind,
  topic
};

struct Meaning {
  std::string_view name;
  Takes takes;
};
constexpr std::array kPositionals{
    Meaning{"noderange", Takes::range}, Meaning{"nodes", Takes::range},
    Meaning{"name", Takes::range},      Meaning{"node", Takes::node},
    Meaning{"group", Takes::group},     Meaning{"profile", Takes::profile},
    Meaning{"network", Takes::network}, Meaning{"image", Takes::image},
    Meaning{"other", Takes::image},     Meaning{"source", Takes::file},
    Meaning{"key", Takes::setting},     Meaning{"metric", Takes::metric},
    Meaning{"what", Takes::kind},       Meaning{"setting", Takes::change},
    Meaning{"file", Takes::file},       Meaning{"topic", Takes::topic},
    Meaning{"field", Takes::unset}};
constexpr std::array kOptions{Meaning{"nodes", Takes::range},
                              Meaning{"diff", Takes::range},
                              Meaning{"range", Takes::range},
                              Meaning{"add", Takes::range},
                              Meaning{"remove", Takes::range},
                              Meaning{"group", Takes::group},
                              Meaning{"profile", Takes::profile},
                              Meaning{"profiles", Takes::profile},
                              Meaning{"attribute", Takes::attribute},
                              Meaning{"columns", Takes::fields},
                              Meaning{"sort", Takes::fields},
                              Meaning{"fields", Takes::fields},
                              Meaning{"filter", Takes::test},
                              Meaning{"socket", Takes::file},
                              Meaning{"images", Takes::file},
                              Meaning{"agent", Takes::file},
                              Meaning{"initrd", Takes::file},
                              Meaning{"modules", Takes::file},
                              Meaning{"kernel", Takes::file},
                              Meaning{"cert", Takes::file},
                              Meaning{"key", Takes::file},
                              Meaning{"ca", Takes::file},
                              Meaning{"dir", Takes::file},
                              Meaning{"file", Takes::file},
                              Meaning{"config", Takes::file},
                              Meaning{"out", Takes::file}};

/// Where a name means something else under one noun.
struct NounMeaning {
  std::string_view noun;
  std::string_view name;
  bool dashed;
  Takes takes;
};
constexpr std::array kInNoun{NounMeaning{"node", "to", false, Takes::text},
                             NounMeaning{"setting", "setting", false, Takes::setting}};

bool is_dashed(const Parameter& parameter) {
  return parameter.kind == Kind::option || parameter.kind == Kind::flag ||
         parameter.kind == Kind::repeated;
}

Takes takes(std::string_view noun, const Parameter& parameter) {
  for (const NounMeaning& here : kInNoun) {
    if (here.noun == noun && here.name == parameter.name && here.dashed == is_dashed(parameter)) {
      return here.takes;
    }
  }
  const auto look = [&](const auto& list) {
    const auto* it = std::find_if(list.begin(), list.end(),
                                  [&](const Meaning& m) { return m.name == parameter.name; });
    return it == list.end() ? Takes::text : it->takes;
  };
  return is_dashed(parameter) ? look(kOptions) : look(kPositionals);
}

/// How far the words before the last one have led.
struct Place {
  std::string noun;
  const Command* command = nullptr;
  size_t positionals = 0;               ///< given so far
  const Parameter* awaiting = nullptr;  ///< an option whose value comes next
};

const Parameter* find_option(const Command* command, std::string_view word) {
  const auto among = [&](const std::vector<Parameter>& all) -> const Parameter* {
    for (const Parameter& parameter : all) {
      if (!is_dashed(parameter)) continue;
      const bool is_long = word.starts_with("--") && word.substr(2) == parameter.name;
      const bool is_short = word.size() == 2 && word[1] == parameter.letter;
      if (is_long || is_short) return &parameter;
    }
    return nullptr;
  };
  const Parameter* own = command == nullptr ? nullptr : among(command->parameters);
  return own != nullptr ? own : among(global_parameters());
}

const Command* find_command(std::string_view noun, std::string_view verb) {
  for (const Command& command : commands()) {
    if (command.noun == noun && command.verb == verb) return &command;
  }
  return nullptr;
}

void take_word(Place& place, const std::string& word, Given& globals) {
  if (place.awaiting != nullptr) {
    globals.set(std::exchange(place.awaiting, nullptr)->name, {word});
    return;
  }
  if (word.starts_with('-') && word.size() > 1) {
    const size_t equals = std::min(word.find('='), word.size());
    const Parameter* option = find_option(place.command, word.substr(0, equals));
    if (option == nullptr || option->kind == Kind::flag) return;
    if (equals < word.size()) {
      globals.set(option->name, {word.substr(equals + 1)});
    } else {
      place.awaiting = option;
    }
    return;
  }
  if (place.noun.empty()) {
    place.noun = word;
    place.command = find_command(word, "");
  } else if (place.command == nullptr) {
    place.command = find_command(place.noun, word);
  } else {
    ++place.positionals;
  }
}

/// Whether every further word is of this parameter.
bool takes_all(Parameter::Kind kind) {
  return kind == Parameter::Kind::many || kind == Parameter::Kind::any;
}

class Completer {
 public:
  Completer(Completion& out, const Place& place, std::string_view word)
      : out_(out), place_(place), word_(word) {}

  void run() {
    if (place_.awaiting != nullptr) return value_of(*place_.awaiting, word_);
    if (word_.starts_with('-')) return options();
    if (place_.noun.empty()) return nouns_and_commands();
    if (place_.command == nullptr) return verbs();
    size_t left = place_.positionals;
    for (const Parameter& parameter : place_.command->parameters) {
      if (is_dashed(parameter)) continue;
      if (left == 0 || takes_all(parameter.kind)) return value_of(parameter, word_);
      --left;
    }
  }

 private:
  /// `text` is the whole word but for what head_ holds already.
  void offer(std::string_view text, std::string_view help = {}) {
    const std::string whole = head_ + std::string(text);
    if (!whole.starts_with(word_)) return;
    const bool known = std::any_of(out_.candidates.begin(), out_.candidates.end(),
                                   [&](const Candidate& c) { return c.text == whole; });
    if (!known) out_.candidates.push_back({whole, std::string(help)});
  }

  void nouns_and_commands() {
    for (const Noun& noun : nouns()) offer(noun.name, noun.help);
    for (const Command& command : commands()) {
      if (command.verb.empty()) offer(command.noun, command.help);
    }
  }

  void verbs() {
    for (const Command& command : commands()) {
      if (command.noun == place_.noun) offer(command.verb, command.help);
    }
  }

  void options() {
    if (const size_t equals = word_.find('='); equals != std::string_view::npos) {
      const Parameter* option = find_option(place_.command, word_.substr(0, equals));
      if (option == nullptr || option->kind == Kind::flag) return;
      head_ = word_.substr(0, equals + 1);
      return value_of(*option, word_.substr(equals + 1));
    }
    const auto each = [&](const std::vector<Parameter>& all) {
      for (const Parameter& parameter : all) {
        if (is_dashed(parameter)) offer("--" + parameter.name, parameter.help);
      }
    };
    if (place_.command != nullptr) each(place_.command->parameters);
    each(global_parameters());
    offer("--help", "Show this help");
  }

  void value_of(const Parameter& parameter, std::string_view value) {
    for (const std::string& choice : parameter.choices) offer(choice);
    if (!parameter.choices.empty()) return;
    switch (takes(place_.noun, parameter)) {
      case Takes::text:
        return;
      case Takes::range:
        return range(value);
      case Takes::node:
        return live({"node"}, value);
      case Takes::group:
        return live({"group"}, value);
      case Takes::profile:
        return live({"profile"}, last_of_list(value));
      case Takes::network:
        return live({"network"}, value);
      case Takes::image:
        return live({"image"}, value);
      case Takes::setting:
        if (place_.command->verb == "set") return change(value);
        return live({"setting"}, value);
      case Takes::metric:
        return live({"metric"}, value);
      case Takes::fields:
        return field_names(last_of_list(value));
      case Takes::test:
        return test_of_field("node", value);
      case Takes::change:
        return change(value);
      case Takes::unset:
        for (const Candidate& name : settable_names(place_.noun)) offer(name.text, name.help);
        return;
      case Takes::attribute:
        return live({"attribute"}, value);
      case Takes::file:
        out_.files = true;
        return;
      case Takes::kind:
        return live_kind(value);
      case Takes::topic:
        return topics(value);
    }
  }

  void live(std::vector<std::string> kinds, std::string_view prefix) {
    out_.kinds = std::move(kinds);
    out_.head = head_;
    out_.prefix = prefix;
  }

  /// "node/n1" of histories.
  void live_kind(std::string_view value) {
    const size_t slash = value.find('/');
    if (slash == std::string_view::npos) {
      for (const char* kind : {"node", "group", "profile", "network", "setting"}) offer(kind);
      return;
    }
    head_ += value.substr(0, slash + 1);
    live({std::string(value.substr(0, slash))}, value.substr(slash + 1));
  }

  std::string_view last_of_list(std::string_view value) {
    const size_t comma = value.rfind(',');
    if (comma == std::string_view::npos) return value;
    head_ += value.substr(0, comma + 1);
    return value.substr(comma + 1);
  }

  void field_names(std::string_view value) {
    if (value.starts_with('-')) head_ += "-";
    for (const FieldInfo& field : find_field_kind("node")->fields) {
      if (!field.holds_fields) offer(field.path, field.doc);
    }
  }

  /// phase.state=up and the like: first the field, then what it may be.
  void test_of_field(std::string_view kind, std::string_view value) {
    const FieldKind& fields = *find_field_kind(kind);
    const size_t end = value.find_first_of("=!<>");
    if (end == std::string_view::npos) {
      for (const FieldInfo& field : fields.fields) {
        if (!field.holds_fields && field.path != "why") offer(field.path + "=", field.doc);
      }
      return;
    }
    const size_t begin = std::min(value.find_first_not_of("=!<>~", end), value.size());
    head_ += value.substr(0, begin);
    const FieldInfo* field = find_field(fields, value.substr(0, end));
    if (field == nullptr || field->holds_fields) {
      field = find_field(fields, std::string(value.substr(0, end)) + ".state");
    }
    if (field == nullptr) return;
    for (const std::string& choice : field->choices) offer(choice);
    if (field->type == "true or false") {
      offer("true");
      offer("false");
    }
  }

  /// service=maintenance, profiles+=gpu: first the name, then what it may be.
  void change(std::string_view value) {
    const size_t equals = value.find('=');
    if (equals == std::string_view::npos) {
      for (const Candidate& name : settable_names(place_.noun)) {
        offer(name.text + "=", name.help);
        if (place_.command->verb != "set" || !is_settable_list(name.text)) continue;
        offer(name.text + "+=", name.help + ": put in");
        offer(name.text + "-=", name.help + ": take out");
      }
      return;
    }
    std::string_view name = value.substr(0, equals);
    if (name.ends_with('+') || name.ends_with('-')) name.remove_suffix(1);
    head_ += value.substr(0, equals + 1);
    const std::string_view rest = value.substr(equals + 1);
    if (name == "image") return live({"image"}, rest);
    if (name == "profiles" || name == "inherits") return live({"profile"}, last_of_list(rest));
    if (place_.noun == "group" && (name == "nodes" || name == "range")) return range(rest);
    for (const std::string& choice : setting_choices(place_.noun, name)) offer(choice);
  }

  /// The name at the end of a noderange; inside brackets there is nothing to say.
  void range(std::string_view value) {
    const size_t open = value.rfind('[');
    if (open != std::string_view::npos && value.find(']', open) == std::string_view::npos) return;
    size_t begin = value.find_last_of(",@&!^(");
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    if (begin < value.size() && begin > 0 && value[begin] == '-') ++begin;
    const std::string_view tail = value.substr(begin);
    if (tail.find_first_of("=<>~") != std::string_view::npos) {
      head_ += value.substr(0, begin);
      return test_of_field("node", tail);
    }
    head_ += value.substr(0, begin);
    live({"node", "group"}, tail);
    if (tail.find('.') != std::string_view::npos) test_of_field("node", tail);
  }

  void topics(std::string_view value);

  Completion& out_;
  const Place& place_;
  std::string_view word_;
  std::string head_;
};

void Completer::topics(std::string_view value) {
  for (const FieldKind& kind : explained_kinds()) {
    offer(kind.name, kind.help);
    const bool inside = value.starts_with(kind.name + ".");
    for (const FieldInfo& field : kind.fields) {
      if (inside) offer(kind.name + "." + field.path, field.doc);
      if (kind.name == "node") offer(field.path, field.doc);
    }
  }
  for (const auto& row : cluster::attribute_catalogue()) offer(row.name, row.help);
  for (const auto& row : cluster::setting_catalogue()) offer(row.option.key, row.option.help);
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    offer(info(static_cast<Code>(i)).name, info(static_cast<Code>(i)).title);
  }
}

/// Asks for the live names; nothing when there is no answer.
void add_live(Completion& completion, Surroundings& surroundings) {
  if (completion.kinds.empty()) return;
  auto client = Client::make(completion.globals, surroundings);
  if (!client) return;
  const auto answer = (*client)->get(
      fmt::format("/api/v1/names?kind={}&prefix={}&limit={}", fmt::join(completion.kinds, ","),
                  net::percent_encode(completion.prefix), kMostNames),
      kPatience);
  const json::value* items = answer ? find_path(*answer, "items") : nullptr;
  if (items == nullptr || !items->is_array()) return;
  for (const json::value& item : items->get_array()) {
    const std::string kind = text_at(item, "kind");
    const std::string help = text_at(item, "help");
    completion.candidates.push_back(
        {completion.head + text_at(item, "name"), help.empty() ? kind : help});
  }
}

}  // namespace

Completion complete(const std::vector<std::string>& words) {
  Completion out;
  if (words.empty()) return out;
  Place place;
  for (size_t i = 0; i + 1 < words.size(); ++i) take_word(place, words[i], out.globals);
  Completer(out, place, words.back()).run();
  return out;
}

int run_complete(Surroundings& surroundings) {
  std::vector<std::string> words(surroundings.arguments.begin() + 1, surroundings.arguments.end());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  Completion completion = complete(words);
  add_live(completion, surroundings);
  std::string out;
  for (const Candidate& candidate : completion.candidates) {
    out += fmt::format("{}\t{}\n", printable(candidate.text), printable(candidate.help));
  }
  if (completion.files && out.empty()) out = ":files\n";
  surroundings.out(out);
  return 0;
}

}  // namespace drover::cli
