// The codec: a struct with one describe(Visitor&) yields JSON text, reading with exact error paths
// and JSON Schema. The visitor is type-erased over a closed set of basic types, so that a
// description compiles once, in a .cpp file, without the JSON library.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

class Visitor;

/// Any JSON, kept as compact text: bodies of changes, results of calls.
struct RawJson {
  std::string text = "null";
  bool operator==(const RawJson&) const = default;
};

/// An enum takes part by `constexpr std::span<const std::string_view> enum_names(E)` beside it,
/// with one name per enumerator, whose values count up from 0.
template <typename E>
concept DescribedEnum = std::is_enum_v<E> && requires(E e) {
  { enum_names(e) } -> std::convertible_to<std::span<const std::string_view>>;
};

/// A struct takes part by `static constexpr std::string_view kTypeName` (its name in schemas) and
/// `void describe(Visitor&)`, which names each field once, in the order in which it is written.
template <typename T>
concept Described = requires(T& value, Visitor& visitor) {
  value.describe(visitor);
  { T::kTypeName } -> std::convertible_to<std::string_view>;
};

template <DescribedEnum E>
std::string_view enum_name(E value) {
  return enum_names(value)[static_cast<size_t>(value)];
}
/// The enumerator called `text`; nothing when there is none.
template <DescribedEnum E>
std::optional<E> enum_from_name(std::string_view text) {
  const auto names = enum_names(E{});
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

/// What input may leave out. Output always has every field.
enum class Presence {
  required,
  optional,  ///< absent keeps the value that the struct had; null is for std::optional and times
  patch,     ///< of a std::optional: absent means "leave as it is", null is refused
};

/// Walks a described struct. Implementations: the text writer, the reader and the schema maker
/// (describe.cpp, describe_schema.cpp). The writer never changes a value.
class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  virtual ~Visitor() = default;

  /// Names one field. `doc` is one sentence for the API's description.
  template <typename T>
  void field(std::string_view name, T& value, std::string_view doc,
             Presence presence = Presence::required) {
    if (!enter_field(name, doc, presence)) return;
    visit(value);
    leave_field();
  }

  template <typename T>
  void visit(T& value);

 protected:
  virtual bool enter_field(std::string_view name, std::string_view doc, Presence presence) = 0;
  virtual void leave_field() = 0;

  virtual void string(std::string& value) = 0;
  virtual void boolean(bool& value) = 0;
  virtual void integer(int64_t& value, int64_t least, int64_t most) = 0;
  virtual void natural(uint64_t& value, uint64_t most) = 0;
  virtual void number(double& value) = 0;
  /// Zero (the epoch) means "not known" and is null.
  virtual void time(WallTime& value) = 0;
  virtual void choice(size_t& index, std::span<const std::string_view> names) = 0;
  virtual void raw(RawJson& value) = 0;

  /// False: do not go into the struct (wrong type in input, schema already known).
  virtual bool begin_object(std::string_view type_name) = 0;
  virtual void end_object() = 0;
  /// Given what the struct holds, says how many elements to visit.
  virtual size_t begin_list(size_t held) = 0;
  virtual void element(size_t index) = 0;
  virtual void end_list() = 0;
  virtual size_t begin_map(size_t held) = 0;
  /// The key of the next element: writers give back `held`.
  virtual std::string key(size_t index, std::string_view held) = 0;
  virtual void end_map() = 0;
  /// True when values are put into the struct, false when they are taken out of it.
  [[nodiscard]] virtual bool fills() const = 0;
  /// True: visit the value inside.
  virtual bool begin_optional(bool held) = 0;
  virtual void end_optional() = 0;

 private:
  template <typename T>
  void visit_optional(std::optional<T>& value);
  template <typename T>
  void visit_list(std::vector<T>& value);
  template <typename T>
  void visit_map(std::map<std::string, T>& value);
  template <typename T>
  void visit_integer(T& value);
};

/// Compact JSON text, fields in described order.
template <Described T>
void append_json(std::string& out, const T& value);
template <Described T>
std::string encode(const T& value) {
  std::string out;
  append_json(out, value);
  return out;
}

/// How input is read: a request refuses what it does not know; a stored document may come from a
/// newer version and keeps working.
enum class Unknown { refuse, ignore };

/// Reads into a default-made T. Errors (invalid_argument) name the path and what was expected, e.g.
/// "phase.state: expected one of up, lost, got 7". An unknown field names the nearest known one.
template <Described T>
Result<T> decode(const json::value& value, Unknown unknown = Unknown::refuse);
template <Described T>
Result<T> decode_text(std::string_view text, Unknown unknown = Unknown::refuse);

/// JSON Schemas (draft 2020-12, as OpenAPI 3.1 uses them) of described types, with what they
/// contain.
class SchemaSet {
 public:
  template <Described T>
  void add() {
    T value{};
    add_object([](void* object, Visitor& visitor) { visitor.visit(*static_cast<T*>(object)); },
               &value);
  }
  /// Type name to schema as JSON text.
  [[nodiscard]] const std::map<std::string, std::string>& schemas() const { return schemas_; }

 private:
  void add_object(void (*visit)(void*, Visitor&), void* object);
  std::map<std::string, std::string> schemas_;
};

// --- implementation ---

namespace describe_detail {
using Visit = void (*)(void*, Visitor&);
void write(std::string& out, void* object, Visit visit);
Status read(const json::value& value, void* object, Visit visit, Unknown unknown);
Status read_text(std::string_view text, void* object, Visit visit, Unknown unknown);
/// Reads what the writer wrote, three times as fast as read_text(). False: the text has another
/// form, is wrong, or holds what is not known; `object` may be half filled then, and read_text()
/// decides.
bool read_straight(std::string_view text, void* object, Visit visit);
template <typename T>
void visit_as(void* object, Visitor& visitor) {
  visitor.visit(*static_cast<T*>(object));
}
}  // namespace describe_detail

template <Described T>
void append_json(std::string& out, const T& value) {
  // One description serves both directions, so it takes a mutable struct; the writer only reads it.
  describe_detail::write(out, const_cast<T*>(&value), &describe_detail::visit_as<T>);
}

template <Described T>
Result<T> decode(const json::value& value, Unknown unknown) {
  T out{};
  DROVER_CHECK_OK(describe_detail::read(value, &out, &describe_detail::visit_as<T>, unknown));
  return out;
}

template <Described T>
Result<T> decode_text(std::string_view text, Unknown unknown) {
  T out{};
  if (describe_detail::read_straight(text, &out, &describe_detail::visit_as<T>)) return out;
  out = T{};
  DROVER_CHECK_OK(describe_detail::read_text(text, &out, &describe_detail::visit_as<T>, unknown));
  return out;
}

template <typename T>
void Visitor::visit_optional(std::optional<T>& value) {
  if (begin_optional(value.has_value())) {
    if (!value) value.emplace();
    visit(*value);
  } else {
    value.reset();
  }
  end_optional();
}

template <typename T>
void Visitor::visit_list(std::vector<T>& value) {
  const size_t count = begin_list(value.size());
  value.resize(count);
  for (size_t i = 0; i < count; ++i) {
    element(i);
    visit(value[i]);
  }
  end_list();
}

template <typename T>
void Visitor::visit_map(std::map<std::string, T>& value) {
  const size_t count = begin_map(value.size());
  if (fills()) {
    value.clear();
    for (size_t i = 0; i < count; ++i) visit(value[key(i, {})]);
  } else {
    size_t index = 0;
    for (auto& [name, inner] : value) {
      key(index++, name);
      visit(inner);
    }
  }
  end_map();
}

template <typename T>
void Visitor::visit_integer(T& value) {
  if constexpr (std::is_signed_v<T>) {
    int64_t wide = value;
    integer(wide, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    value = static_cast<T>(wide);
  } else {
    uint64_t wide = value;
    natural(wide, std::numeric_limits<T>::max());
    value = static_cast<T>(wide);
  }
}

namespace describe_detail {
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsList = false;
template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsMap = false;
template <typename T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
}  // namespace describe_detail

template <typename T>
void Visitor::visit(T& value) {
  if constexpr (std::same_as<T, std::string>) {
    string(value);
  } else if constexpr (std::same_as<T, bool>) {
    boolean(value);
  } else if constexpr (std::integral<T>) {
    visit_integer(value);
  } else if constexpr (std::same_as<T, double>) {
    number(value);
  } else if constexpr (std::same_as<T, WallTime>) {
    time(value);
  } else if constexpr (std::same_as<T, RawJson>) {
    raw(value);
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(DescribedEnum<T>, "an enum needs enum_names() beside it");
    size_t index = static_cast<size_t>(value);
    choice(index, enum_names(value));
    value = static_cast<T>(index);
  } else if constexpr (describe_detail::kIsOptional<T>) {
    visit_optional(value);
  } else if constexpr (describe_detail::kIsList<T>) {
    visit_list(value);
  } else if constexpr (describe_detail::kIsMap<T>) {
    visit_map(value);
  } else {
    static_assert(Described<T>, "not a basic type and without describe()");
    if (begin_object(T::kTypeName)) {
      value.describe(*this);
      end_object();
    }
  }
}

}  // namespace drover
