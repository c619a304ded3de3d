// The names that are answered for: an interface to look one up, and a table of hosts that has it.
#pragma once

#include "boot/dns/name.hpp"
#include "boot/wire/address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::boot::dns {

/// What one name has.
struct Records {
  std::vector<Ipv4> addresses4;
  std::vector<Ipv6> addresses6;
  std::vector<Name> hosts;    ///< PTR, of a reverse name
  std::optional<Name> alias;  ///< CNAME; then there is nothing else
  [[nodiscard]] bool empty() const {
    return addresses4.empty() && addresses6.empty() && hosts.empty() && !alias;
  }
};

/// What the server asks. `name` is Name::lowered().
class Table {
 public:
  Table() = default;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  virtual ~Table() = default;
  /// Nothing for a name without records. Valid until the table changes.
  [[nodiscard]] virtual const Records* find(const Name& name) const = 0;
  /// True when some name with records lies below: such a name exists, though it has nothing
  /// (RFC 8020).
  [[nodiscard]] virtual bool has_below(const Name& name) const = 0;
};

/// Hosts with their addresses, their reverse names kept beside them. Look-ups take constant time
/// and allocate nothing.
class HostTable final : public Table {
 public:
  /// Adds addresses to a host, and the host to their reverse names.
  void add_host(const Name& host, const std::vector<Ipv4>& addresses4,
                const std::vector<Ipv6>& addresses6 = {});
  /// Another name for a host (CNAME). False when the name has records already.
  bool add_alias(const Name& alias, const Name& host);
  /// Takes a host or alias away, with its reverse names. False when there was none.
  bool remove(const Name& name);
  void clear() {
    records_.clear();
    below_.clear();
  }
  [[nodiscard]] size_t size() const { return records_.size(); }

  [[nodiscard]] const Records* find(const Name& name) const override;
  [[nodiscard]] bool has_below(const Name& name) const override;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  template <typename Value>
  using ByName = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  Records& records_of(const Name& name);
  void drop(const Name& name);
  void drop_pointer(const Name& reverse, const Name& host);

  ByName<Records> records_;
  ByName<size_t> below_;  ///< how many names with records lie below a name
};

/// "10.77.0.113" as 113.0.77.10.in-addr.arpa, and the same for IPv6.
Name reverse_name(Ipv4 address);
Name reverse_name(const Ipv6& address);

}  // namespace drover::boot::dns
