// Boot parameters as BSS's clients know them, found in the one model: of a node they are its
// attributes kernel, initrd and kernel_args, of a role or group those of a group, of Default those
// of the profile `default`; what is said of machines that are no nodes lies in profiles
// (boot/site/given.hpp). Nothing is kept twice.
#pragma once

#include "api/smd/interface_rows.hpp"
#include "base/result.hpp"
#include "cluster/attributes.hpp"
#include "cluster/model.hpp"
#include "cluster/xname_map.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::bss {

/// What is said; empty: nothing.
struct BootWords {
  std::string params;
  std::string kernel;
  std::string initrd;
  bool operator==(const BootWords&) const = default;
  [[nodiscard]] bool any() const { return !(params.empty() && kernel.empty() && initrd.empty()); }
};
BootWords words_of(const std::map<std::string, std::string>& attributes);

/// How BSS calls it.
enum class KeyKind : uint8_t { host, mac, nid };
struct Key {
  KeyKind kind = KeyKind::host;
  std::string text;
  bool operator==(const Key&) const = default;
};

/// Whose boot parameters.
struct Owner {
  cluster::AttributeSource source = cluster::AttributeSource::node;
  std::string name;
  Key key;
  /// Of a node: profiles with what was said of it before it was one.
  std::vector<std::string> before;
  [[nodiscard]] bool same_as(const Owner& other) const {
    return source == other.source && name == other.name;
  }
};

/// Finds owners. Valid while the model does not change.
class Owners {
 public:
  explicit Owners(const cluster::Model& model) : model_(model), xnames_(model) {}
  /// An xname, name or alias of a node, a role, a group, Default, Global, Unknown-..; the xname of
  /// a node that is not there yet is taken too. invalid_argument for anything else.
  Result<Owner> of_host(std::string_view text);
  /// A MAC of a node, or of a machine that is none. invalid_argument for what is no MAC.
  Result<Owner> of_mac(std::string_view text);
  Owner of_nid(uint64_t nid);
  Result<Owner> of(const Key& key);

 private:
  [[nodiscard]] Owner of_node(const cluster::Node& node, Key key) const;
  const cluster::Model& model_;
  cluster::XnameIndex xnames_;
  std::optional<smd::InterfaceRows> interfaces_;
};

/// What is said of it now; nothing at all: it has no entry.
BootWords words_of(const cluster::Model& model, const Owner& owner);

/// Everything that is said, nodes by xname first.
struct Entry {
  Key key;
  BootWords words;
};
std::vector<Entry> all_entries(const cluster::Model& model);

/// [{"hosts":[..],"macs":[..],"nids":[..],"params":..,"kernel":..,"initrd":..}]: entries that say
/// the same are one.
std::string entries_text(const std::vector<Entry>& entries);

/// Changes inside one mutation.
/// The words of an owner as they are there.
Result<BootWords> read_words(store::Transaction& tx, const Owner& owner);
/// Replaces them. Groups of roles and profiles of machines are made, and go with their last word.
Status write_words(store::Transaction& tx, const Owner& owner, const BootWords& words);

/// Whether machines would get it as it is written.
Status check_boot_words(const BootWords& words);

}  // namespace drover::api::bss
