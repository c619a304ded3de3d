// Folds names into brackets: names of one shape are rows of numbers, and rows that differ in one
// column alone become one row with a set in that column, column after column.
#include "base/noderange_ast.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <unordered_map>

namespace drover {
namespace {

using noderange::append_number;
using noderange::is_digit;
using noderange::kMaxDigits;
using noderange::kMaxNameBytes;

/// Number fields that folding looks at; what lies further right in a name stays text.
constexpr size_t kMaxColumns = 16;

using Numbers = std::vector<uint64_t>;

struct Field {
  uint64_t value = 0;
  uint8_t digits = 0;
  bool padded = false;  ///< begins with a zero that is not the whole number
};

/// Names that share their text around the numbers.
struct Family {
  std::vector<std::string> literals;  ///< one more than columns
  std::vector<Field> fields;          ///< row after row
  [[nodiscard]] size_t columns() const { return literals.size() - 1; }
};

/// One piece of the answer and the first name in it, by which pieces are ordered.
struct Piece {
  std::string first;
  std::string text;
};

bool can_stand_bare(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), noderange::is_name_byte);
}

std::string quote(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

/// Cuts names into families. Consecutive names are mostly of one family, so that is tried first.
class Families {
 public:
  void add(std::string_view name) {
    cut(name);
    if (last_ == nullptr || !std::equal(literals_.begin(), literals_.end(), last_->literals.begin(),
                                        last_->literals.end())) {
      key_.clear();
      for (const std::string_view literal : literals_) {
        key_ += literal;
        key_.push_back('\0');
      }
      auto [it, fresh] = index_.try_emplace(key_, all_.size());
      if (fresh) all_.push_back({{literals_.begin(), literals_.end()}, {}});
      last_ = &all_[it->second];
    }
    last_->fields.insert(last_->fields.end(), fields_.begin(), fields_.end());
  }
  std::vector<Family>& all() { return all_; }

 private:
  void cut(std::string_view name) {
    literals_.clear();
    fields_.clear();
    size_t literal = 0;
    size_t at = 0;
    while (at < name.size()) {
      if (!is_digit(name[at])) {
        ++at;
        continue;
      }
      const size_t number = at;
      while (at < name.size() && is_digit(name[at])) ++at;
      const size_t digits = at - number;
      if (digits > kMaxDigits || fields_.size() == kMaxColumns) continue;
      Field field{0, static_cast<uint8_t>(digits), digits > 1 && name[number] == '0'};
      std::from_chars(name.data() + number, name.data() + at, field.value);
      fields_.push_back(field);
      literals_.push_back(name.substr(literal, number - literal));
      literal = at;
    }
    literals_.push_back(name.substr(literal));
  }

  std::vector<Family> all_;
  std::unordered_map<std::string, size_t> index_;
  Family* last_ = nullptr;
  std::vector<std::string_view> literals_;
  std::vector<Field> fields_;
  std::string key_;
};

/// Sets of numbers, equal ones once; an id stands for one.
class SetPool {
 public:
  uint64_t id_of(Numbers set) {
    const auto [it, fresh] = ids_.try_emplace(std::move(set), sets_.size());
    if (fresh) sets_.push_back(&it->first);
    return it->second;
  }
  [[nodiscard]] const Numbers& at(uint64_t id) const { return *sets_[id]; }

 private:
  std::map<Numbers, uint64_t> ids_;
  std::vector<const Numbers*> sets_;
};

/// Rows of `width` numbers each, flat.
struct Rows {
  size_t width = 0;
  Numbers cells;
  [[nodiscard]] size_t size() const { return cells.size() / width; }
  [[nodiscard]] const uint64_t* row(size_t i) const { return &cells[i * width]; }
};

/// Orders rows by every column but `last`, then by `last`. Equal rows are dropped.
Rows sort_for(const Rows& rows, size_t last) {
  std::vector<size_t> order(rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto compare = [&](size_t a, size_t b) {
    const uint64_t* left = rows.row(a);
    const uint64_t* right = rows.row(b);
    for (size_t c = 0; c < rows.width; ++c) {
      if (c != last && left[c] != right[c]) return left[c] < right[c] ? -1 : 1;
    }
    return left[last] == right[last] ? 0 : left[last] < right[last] ? -1 : 1;
  };
  const auto less = [&](size_t a, size_t b) { return compare(a, b) < 0; };
  if (!std::is_sorted(order.begin(), order.end(), less))
    std::sort(order.begin(), order.end(), less);
  Rows out{rows.width, {}};
  out.cells.reserve(rows.cells.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && compare(order[i - 1], order[i]) == 0) continue;
    out.cells.insert(out.cells.end(), rows.row(order[i]), rows.row(order[i]) + rows.width);
  }
  return out;
}

bool same_but(const uint64_t* a, const uint64_t* b, size_t width, size_t except) {
  for (size_t c = 0; c < width; ++c) {
    if (c != except && a[c] != b[c]) return false;
  }
  return true;
}

/// Turns `column` from numbers into ids of sets, one row for all rows that agree elsewhere.
Rows merge_column(const Rows& rows, size_t column, SetPool& sets) {
  const Rows sorted = sort_for(rows, column);
  Rows out{rows.width, {}};
  for (size_t start = 0; start < sorted.size();) {
    size_t end = start;
    Numbers set;
    while (end < sorted.size() &&
           same_but(sorted.row(start), sorted.row(end), rows.width, column)) {
      set.push_back(sorted.row(end++)[column]);
    }
    out.cells.insert(out.cells.end(), sorted.row(start), sorted.row(start) + rows.width);
    out.cells[out.cells.size() - rows.width + column] = sets.id_of(std::move(set));
    start = end;
  }
  return out;
}

/// Numbers from `set[at]` on that one item of a bracket can hold: a run, or a stepped run.
struct Run {
  size_t length = 1;
  uint64_t step = 1;
};
Run run_at(const Numbers& set, size_t at, bool steps) {
  if (at + 1 == set.size()) return {};
  const uint64_t step = set[at + 1] - set[at];
  if (step != 1 && !steps) return {};
  size_t end = at + 1;
  while (end + 1 < set.size() && set[end + 1] - set[end] == step) ++end;
  const size_t length = end - at + 1;
  return step == 1 || length > 2 ? Run{length, step} : Run{};
}

void append_set(std::string& out, const Numbers& set, uint32_t width, bool steps) {
  for (size_t at = 0; at < set.size();) {
    if (at > 0) out.push_back(',');
    const Run run = run_at(set, at, steps);
    append_number(out, set[at], width);
    if (run.length > 1) {
      out.push_back('-');
      append_number(out, set[at + run.length - 1], width);
    }
    if (run.step > 1) {
      out.push_back('/');
      append_number(out, run.step, 1);
    }
    at += run.length;
  }
}

/// A name by itself. One with a dash may read as a span (a1-a3); quotation stops that.
std::string lone_name(const std::string& name) {
  const bool span = name.find('-') != std::string::npos && noderange::parse_span(name, '-');
  return span ? quote(name) : name;
}

/// Writes the pieces of one family whose columns have these paddings.
class FamilyWriter {
 public:
  FamilyWriter(const std::vector<std::string>& literals, std::vector<uint8_t> widths,
               FoldOptions options, std::vector<Piece>& out)
      : literals_(literals), widths_(std::move(widths)), options_(options), out_(out) {}

  void write(Rows rows) {
    for (size_t column = rows.width; column-- > 0;) rows = merge_column(rows, column, sets_);
    for (size_t i = 0; i < rows.size(); ++i) write_row(rows.row(i));
  }

 private:
  void write_row(const uint64_t* row) {
    Piece piece{literals_.front(), literals_.front()};
    bool bracketed = false;
    for (size_t c = 0; c < widths_.size(); ++c) {
      const Numbers& set = sets_.at(row[c]);
      append_number(piece.first, set.front(), widths_[c]);
      if (set.size() > 1) piece.text.push_back('[');
      append_set(piece.text, set, widths_[c], options_.steps);
      if (set.size() > 1) piece.text.push_back(']');
      bracketed |= set.size() > 1;
      piece.first += literals_[c + 1];
      piece.text += literals_[c + 1];
    }
    if (!bracketed) piece.text = lone_name(piece.text);
    out_.push_back(std::move(piece));
  }

  const std::vector<std::string>& literals_;
  std::vector<uint8_t> widths_;
  FoldOptions options_;
  std::vector<Piece>& out_;
  SetPool sets_;
};

/// The padding that a number without leading zeros belongs to: the widest one seen in its column
/// that it fills by itself (16 beside 01), else none.
uint8_t width_beside(const Field& field, uint32_t padded_widths) {
  if (field.padded) return field.digits;
  for (uint8_t width = field.digits; width > 1; --width) {
    if ((padded_widths >> width & 1U) != 0) return width;
  }
  return 1;
}

void fold_family(const Family& family, FoldOptions options, std::vector<Piece>& out) {
  const size_t columns = family.columns();
  if (columns == 0) {
    out.push_back({family.literals.front(), lone_name(family.literals.front())});
    return;
  }
  std::array<uint32_t, kMaxColumns> padded{};
  for (size_t i = 0; i < family.fields.size(); ++i) {
    if (family.fields[i].padded) padded.at(i % columns) |= 1U << family.fields[i].digits;
  }
  std::map<std::vector<uint8_t>, Rows> by_width;
  std::vector<uint8_t> widths(columns);
  Rows* rows = nullptr;
  std::vector<uint8_t> current;
  for (size_t start = 0; start < family.fields.size(); start += columns) {
    for (size_t c = 0; c < columns; ++c) {
      widths[c] = width_beside(family.fields[start + c], padded.at(c));
    }
    if (rows == nullptr || widths != current) {
      rows = &by_width.try_emplace(widths, Rows{columns, {}}).first->second;
      current = widths;
    }
    for (size_t c = 0; c < columns; ++c) rows->cells.push_back(family.fields[start + c].value);
  }
  for (auto& [width, group] : by_width) {
    FamilyWriter(family.literals, width, options, out).write(std::move(group));
  }
}

}  // namespace

std::string fold_names(const std::vector<std::string>& names, FoldOptions options) {
  // A lone name is written as it is, unless it looks like a span.
  if (names.size() == 1 && can_stand_bare(names.front()) &&
      names.front().find('-') == std::string::npos) {
    return names.front();
  }
  Families families;
  std::vector<Piece> pieces;
  for (const std::string& name : names) {
    if (can_stand_bare(name)) {
      families.add(name);
    } else {
      pieces.push_back({name, quote(name)});
    }
  }
  for (const Family& family : families.all()) fold_family(family, options, pieces);
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    const int order = natural_compare(a.first, b.first);
    return order != 0 ? order < 0 : a.text < b.text;
  });
  const auto same = [](const Piece& a, const Piece& b) { return a.text == b.text; };
  pieces.erase(std::unique(pieces.begin(), pieces.end(), same), pieces.end());
  std::string out;
  for (const Piece& piece : pieces) {
    if (!out.empty()) out.push_back(',');
    out += piece.text;
  }
  return out;
}

}  // namespace drover
