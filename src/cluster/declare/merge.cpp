// One rule for each field; containers (an interface, the BMC) go as a whole when the document drops
// them as a whole.
#include "cluster/declare/merge.hpp"

#include "base/json_values.hpp"

#include <algorithm>
#include <set>

namespace drover::cluster {
namespace {

std::string value_in(const Fields& fields, std::string_view field) {
  const auto it = fields.find(field);
  return it == fields.end() || it->second == kNoValue ? std::string() : it->second;
}

bool any_within(const Fields& fields, std::string_view prefix) {
  const auto it = fields.lower_bound(prefix);
  for (auto each = it; each != fields.end() && each->first.starts_with(prefix); ++each) {
    if (is_within(each->first, prefix) && each->second != kNoValue) return true;
  }
  return false;
}

void erase_within(FieldSet& set, std::string_view prefix) {
  std::erase_if(set.fields, [&](const auto& each) { return is_within(each.first, prefix); });
  std::erase_if(set.interfaces, [&](const std::string& name) {
    return !set.fields.contains("interfaces/" + name + "/name");
  });
}

class Merger {
 public:
  Merger(Section section, const FieldSet* in_force, const Entry* base, const Entry& entry,
         bool force)
      : section_(section), in_force_(in_force), base_(base), entry_(entry), force_(force) {
    out_.result = in_force == nullptr ? read_object(section, {}) : *in_force;
    // What was removed and made anew since does not count as changed by others.
    if (in_force == nullptr) base_ = nullptr;
  }

  Merged run() {
    for (const auto& [field, value] : entry_.set.fields) {
      if (value == kNoValue) {
        clear(field);
      } else {
        set(field, value);
      }
    }
    if (base_ != nullptr) {
      for (const auto& [field, value] : base_->set.fields) {
        if (value != kNoValue && !entry_.set.fields.contains(field)) drop(field, value);
      }
    }
    order_interfaces();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string in_force(std::string_view field) const {
    return in_force_ == nullptr ? std::string() : value_in(in_force_->fields, field);
  }
  [[nodiscard]] std::string base(std::string_view field) const {
    return base_ == nullptr ? std::string() : value_in(base_->set.fields, field);
  }

  void assign(const std::string& field, const std::string& value) {
    out_.result.fields[field] = value;
  }

  void set(const std::string& field, const std::string& value) {
    const std::string now = in_force(field);
    if (now == value) return;
    const std::string before = base(field);
    if (force_ || before.empty() || now == before) return assign(field, value);
    const Difference difference{field, before, value, now};
    (before == value ? out_.kept : out_.conflicts).push_back(difference);
  }

  /// The document says that there is none.
  void clear(const std::string& field) {
    if (in_force_ == nullptr || !any_within(in_force_->fields, field)) return;
    const bool as_before = base_ != nullptr && base_->set.fields.contains(field) &&
                           base_->set.fields.at(field) == kNoValue;
    if (as_before && !force_) {
      out_.kept.push_back({field, std::string(kNoValue), std::string(kNoValue), "something"});
    } else {
      erase_within(out_.result, field);
    }
  }

  /// The document no longer says what it said.
  void drop(const std::string& field, const std::string& before) {
    const std::string container(container_of(field));
    const bool whole = !container.empty() && !any_within(entry_.set.fields, container) &&
                       !entry_.set.fields.contains(container);
    if (whole) return drop_container(container);
    const std::string now = in_force(field);
    const std::string standard(default_value(section_, field).value_or(""));
    if (now == standard || now.empty()) return;
    if (now != before && !force_) {
      out_.conflicts.push_back({field, before, "", now});
    } else if (standard.empty()) {
      out_.result.fields.erase(field);
    } else {
      assign(field, standard);
    }
  }

  void drop_container(const std::string& container) {
    if (!dropped_.insert(container).second || in_force_ == nullptr) return;
    if (!any_within(in_force_->fields, container)) return;
    const size_t conflicts = out_.conflicts.size();
    for (const auto& [field, before] : base_->set.fields) {
      if (!is_within(field, container) || before == kNoValue) continue;
      const std::string now = in_force(field);
      if (!force_ && now != before) out_.conflicts.push_back({field, before, "", now});
    }
    if (out_.conflicts.size() == conflicts) erase_within(out_.result, container);
  }

  /// The order in force stays where others chose it and the document has not changed its own.
  void order_interfaces() {
    std::vector<std::string>& order = out_.result.interfaces;
    const auto exists = [&](const std::string& name) {
      return out_.result.fields.contains("interfaces/" + name + "/name");
    };
    const auto& wanted = entry_.set.interfaces;
    const bool keep = base_ != nullptr && base_->set.interfaces == wanted && !force_;
    std::vector<std::string> all;
    const auto add = [&](const std::vector<std::string>& names) {
      for (const std::string& name : names) {
        if (exists(name) && std::find(all.begin(), all.end(), name) == all.end()) {
          all.push_back(name);
        }
      }
    };
    if (keep) {
      add(order);
      add(wanted);
    } else {
      // Those that the document names follow one another as it says, in the places that they had;
      // the others stay where they are.
      auto next = wanted.begin();
      for (const std::string& name : order) {
        const bool named = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
        if (!named) add({name});
        if (named && next != wanted.end()) add({*next++});
      }
      add({next, wanted.end()});
    }
    order = std::move(all);
  }

  Section section_;
  const FieldSet* in_force_;
  const Entry* base_;
  const Entry& entry_;
  bool force_;
  Merged out_;
  std::set<std::string, std::less<>> dropped_;
};

std::string order_text(const std::vector<std::string>& names) {
  json::array out;
  for (const std::string& name : names) out.emplace_back(name);
  return json::serialize(out);
}

}  // namespace

Merged merge(Section section, const FieldSet* in_force, const Entry* base, const Entry& entry,
             bool force) {
  return Merger(section, in_force, base, entry, force).run();
}

std::vector<FieldChange> changes_between(Section section, const FieldSet* before,
                                         const FieldSet& after) {
  static const FieldSet kNothing;
  const FieldSet& old = before == nullptr ? kNothing : *before;
  std::vector<FieldChange> out;
  auto left = old.fields.begin();
  auto right = after.fields.begin();
  while (left != old.fields.end() || right != after.fields.end()) {
    const bool gone =
        right == after.fields.end() || (left != old.fields.end() && left->first < right->first);
    const bool fresh =
        left == old.fields.end() || (right != after.fields.end() && right->first < left->first);
    if (gone) {
      if (default_value(section, left->first) != left->second) {
        out.push_back({left->first, left->second, ""});
      }
      ++left;
    } else if (fresh) {
      // Of something new only what was said: a default is no news, the name of an interface is.
      if (default_value(section, right->first) != right->second) {
        out.push_back({right->first, "", right->second});
      }
      ++right;
    } else {
      if (left->second != right->second) {
        out.push_back({left->first, left->second, right->second});
      }
      ++left;
      ++right;
    }
  }
  std::vector<std::string> a = old.interfaces;
  std::vector<std::string> b = after.interfaces;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (before != nullptr && a == b && old.interfaces != after.interfaces) {
    out.push_back({"interfaces", order_text(old.interfaces), order_text(after.interfaces)});
  }
  return out;
}

}  // namespace drover::cluster
