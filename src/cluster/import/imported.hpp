// What another system's file says, as Drover's declarative document: the common ground of the
// importers. Pure.
#pragma once

#include "base/json.hpp"
#include "base/text.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

struct ImportedInterface {
  std::string name;
  std::string mac;                     ///< lower case, colons; may be empty
  std::vector<std::string> addresses;  ///< "10.0.0.1" or "10.0.0.1/24"
  std::string network;
};

struct ImportedBmc {
  std::string address;
  std::string protocol;  ///< "redfish", "ipmi" or, not known, empty
  std::string mac;
  std::string user;
};

struct ImportedNode {
  uint64_t nid = 0;
  std::vector<std::string> aliases;
  std::vector<ImportedInterface> interfaces;
  std::optional<ImportedBmc> bmc;
  std::vector<std::string> profiles;  ///< strongest first
  std::map<std::string, std::string> attributes;
  std::string description;

  /// The interface of that name, made when there is none.
  ImportedInterface& interface(std::string_view name);
};

struct ImportedProfile {
  std::string description;
  std::map<std::string, std::string> attributes;
};

struct ImportedGroup {
  std::string description;
  std::set<std::string, NaturalLess> nodes;
  std::string range;  ///< a dynamic group's noderange; then `nodes` is empty
  std::map<std::string, std::string> attributes;
};

/// Something that was left out, changed or guessed, for the person who reviews the document.
struct ImportNote {
  size_t line = 0;  ///< from 1; 0: the whole file
  std::string text;
};

struct Imported {
  std::map<std::string, ImportedProfile, NaturalLess> profiles;
  std::map<std::string, ImportedGroup, NaturalLess> groups;
  std::map<std::string, ImportedNode, NaturalLess> nodes;
  std::vector<ImportNote> notes;

  void note(size_t line, std::string text) { notes.push_back({line, std::move(text)}); }
  /// Notes a thing that may come often, such as an unknown key, the first time only.
  void note_once(const std::string& what, size_t line, std::string text) {
    if (noted_.insert(what).second) note(line, std::move(text));
  }

  /// The end of an import: groups that Drover has by itself, with no more to say, are left out, and
  /// notes come in the order of lines.
  void finish();

  /// A name of a node as Drover allows it: in lower case, '_' as '-'; changes are noted. Nothing,
  /// and a note, when no rule can mend it.
  std::optional<std::string> node_name(std::string_view given, size_t line);
  /// A name of a group or profile: letters, digits, '-', '_' and '.', in lower case; "g-" before
  /// what begins with another character, "-imported" behind the names of groups that are built in.
  std::string group_name(std::string_view given, size_t line);
  /// A MAC as lower-case hexadecimal pairs with colons, from any of the usual spellings.
  std::optional<std::string> mac(std::string_view given, size_t line);
  /// An address, with or without its prefix length. 0.0.0.0 and :: are none.
  std::optional<std::string> address(std::string_view given, size_t line);

 private:
  std::set<std::string, std::less<>> noted_;
};

/// The document, ready for drover apply: profiles, groups, nodes, absent where empty; nodes with
/// equal entries folded into one under their bracket range, and addresses that count with the
/// node's number as a formula where that makes more nodes equal.
json::value to_document(const Imported& imported);

/// Whether `text` is an IPv4 or IPv6 address (no prefix length).
bool is_ip_address(std::string_view text);

/// The name of an attribute for a foreign key: lower case, other characters as '_', behind
/// "x.<system>.".
std::string foreign_attribute(std::string_view system, std::string_view key);
/// The attribute `known` of the catalogue where the value follows its rule, else the foreign one.
std::string attribute_for(std::string_view known, std::string_view system, std::string_view key,
                          std::string_view value);

/// The lines of a text without their ends (\n or \r\n), with numbers from 1.
struct TextLine {
  size_t number = 0;
  std::string_view text;
};
std::vector<TextLine> lines_in(std::string_view text);
/// Words between blanks and tabs.
std::vector<std::string_view> words_in(std::string_view text);
/// The parts of "a,b,c", blanks trimmed, empty ones left out.
std::vector<std::string> parts_of_list(std::string_view text, char separator = ',');
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);

}  // namespace drover::cluster
