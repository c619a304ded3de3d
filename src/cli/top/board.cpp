#include "cli/top/board.hpp"

#include "base/text.hpp"
#include "cli/output.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cli::top {
namespace {

using Kind = Key::Kind;

constexpr size_t kMostChanges = 500;
constexpr std::array<std::string_view, 6> kSortNames{"name", "phase",  "load",
                                                     "cpu",  "memory", "since"};

/// Each word of the filter must be somewhere in the node.
bool matches(const TopNode& node, std::string_view filter) {
  const std::string text = fmt::format("{} {} {} {} {} {}", node.name, node.role, node.phase,
                                       node.service, node.primary, node.why);
  while (!filter.empty()) {
    const size_t blank = std::min(filter.find(' '), filter.size());
    const std::string_view word = filter.substr(0, blank);
    if (!word.empty() && text.find(word) == std::string::npos) return false;
    filter.remove_prefix(std::min(blank + 1, filter.size()));
  }
  return true;
}

double share_of_memory(const TopNode& node) {
  if (!node.memory_used || !node.memory_total || *node.memory_total <= 0) return -1;
  return *node.memory_used / *node.memory_total;
}

/// Three-way; what is not known comes last when descending.
int compare(const TopNode& a, const TopNode& b, Board::Sort by) {
  const auto order = [](double left, double right) {
    return static_cast<int>(left > right) - static_cast<int>(left < right);
  };
  switch (by) {
    case Board::Sort::phase:
      return a.phase.compare(b.phase);
    case Board::Sort::load:
      return -order(a.load.value_or(-1), b.load.value_or(-1));
    case Board::Sort::cpu:
      return -order(a.cpu.value_or(-1), b.cpu.value_or(-1));
    case Board::Sort::memory:
      return -order(share_of_memory(a), share_of_memory(b));
    case Board::Sort::since:
      return -a.since.compare(b.since);
    case Board::Sort::name:
      break;
  }
  return 0;
}

}  // namespace

std::string_view sort_name(Board::Sort sort) {
  return kSortNames.at(static_cast<size_t>(sort));
}

void Board::take(TopData data) {
  data_ = std::move(data);
  name_width_ = 4;
  for (const TopNode& node : data_.nodes) {
    name_width_ = std::max(name_width_, display_width(node.name));
  }
  arrange();
}

void Board::take_details(std::vector<std::pair<std::string, std::string>> details) {
  details_ = std::move(details);
}

void Board::take_change(std::string line) {
  changes_.push_back(std::move(line));
  if (changes_.size() > kMostChanges) changes_.pop_front();
}

void Board::arrange() {
  shown_.clear();
  for (const TopNode& node : data_.nodes) {
    if (matches(node, filter_)) shown_.push_back(&node);
  }
  std::sort(shown_.begin(), shown_.end(), [&](const TopNode* a, const TopNode* b) {
    const int order = compare(*a, *b, sort_);
    if (order != 0) return reversed_ ? order > 0 : order < 0;
    const int names = natural_compare(a->name, b->name);
    return reversed_ && sort_ == Sort::name ? names > 0 : names < 0;
  });
  if (view_ != View::nodes) return;
  const auto it = std::find_if(shown_.begin(), shown_.end(),
                               [&](const TopNode* node) { return node->name == selected_; });
  if (it != shown_.end()) at_ = static_cast<size_t>(it - shown_.begin());
  move(0);
}

size_t Board::length() const {
  switch (view_) {
    case View::nodes:
      return shown_.size();
    case View::daemons:
      return data_.daemons.size() + data_.problems.size() * 2 + 2;
    case View::changes:
      return changes_.size();
    case View::node:
      return details_.size();
    case View::help:
      break;
  }
  return 0;
}

void Board::move(long by) {
  const auto most = static_cast<long>(length()) - 1;
  const long to = std::clamp(static_cast<long>(at_) + by, 0L, std::max(most, 0L));
  at_ = static_cast<size_t>(to);
  if (view_ == View::nodes) selected_ = at_ < shown_.size() ? shown_[at_]->name : std::string();
}

void Board::leave_view() {
  view_ = View::nodes;
  top_ = 0;
  at_ = 0;
  details_.clear();
  arrange();
}

std::optional<std::string> Board::wanted_node() const {
  if (view_ != View::node) return std::nullopt;
  return selected_;
}

void Board::on_filter_key(const Key& key) {
  if (key.kind == Kind::text) {
    filter_ += key.text;
  } else if (key.kind == Kind::erase) {
    while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xc0) == 0x80) {
      filter_.pop_back();
    }
    if (!filter_.empty()) filter_.pop_back();
  } else if (key.kind == Kind::escape) {
    filter_ = filter_before_;
    typing_ = false;
  } else if (key.kind == Kind::enter) {
    typing_ = false;
  }
  arrange();
}

bool Board::on_text(const std::string& text) {
  const auto show = [&](View view) {
    const bool same = view_ == view;
    leave_view();
    if (same) return;
    view_ = view;
    at_ = 0;
  };
  if (text == "q") {
    if (view_ == View::nodes) return false;
    leave_view();
  } else if (text == "?" || text == "h") {
    show(View::help);
  } else if (text == "d") {
    show(View::daemons);
  } else if (text == "c") {
    show(View::changes);
  } else if (text == "/") {
    if (view_ != View::nodes) leave_view();
    typing_ = true;
    filter_before_ = filter_;
  } else if (text == "s") {
    sort_ = static_cast<Sort>((static_cast<size_t>(sort_) + 1) % kSortNames.size());
    arrange();
  } else if (text == "r") {
    reversed_ = !reversed_;
    arrange();
  } else if (text == "j") {
    move(1);
  } else if (text == "k") {
    move(-1);
  } else if (text == "g") {
    move(-static_cast<long>(length()));
  } else if (text == "G") {
    move(static_cast<long>(length()));
  } else if (text == " ") {
    move(static_cast<long>(page_));
  }
  return true;
}

bool Board::on_key(const Key& key) {
  if (typing_ && key.kind != Kind::up && key.kind != Kind::down) {
    on_filter_key(key);
    return true;
  }
  switch (key.kind) {
    case Kind::text:
      return on_text(key.text);
    case Kind::up:
      move(-1);
      break;
    case Kind::down:
      move(1);
      break;
    case Kind::page_up:
      move(-static_cast<long>(page_));
      break;
    case Kind::page_down:
      move(static_cast<long>(page_));
      break;
    case Kind::home:
      move(-static_cast<long>(length()));
      break;
    case Kind::end:
      move(static_cast<long>(length()));
      break;
    case Kind::enter:
    case Kind::right:
      if (view_ == View::nodes && !selected_.empty()) {
        view_ = View::node;
        at_ = 0;
        top_ = 0;
      }
      break;
    case Kind::escape:
    case Kind::left:
    case Kind::erase:
      if (view_ != View::nodes) {
        leave_view();
      } else if (key.kind == Kind::escape) {
        filter_.clear();
        arrange();
      }
      break;
  }
  return true;
}

}  // namespace drover::cli::top
