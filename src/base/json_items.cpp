// Of each page the events of its items go to the writer of the layout, those beside them are looked
// at for next_page.
#include "base/json_items.hpp"

#include "base/json_text.hpp"
#include "base/yaml.hpp"

#include <utility>

namespace drover {
namespace {

/// Pieces of this size stay in the processor's caches and are few calls of the system.
constexpr size_t kPiece = size_t{128} << 10;

std::unique_ptr<JsonEvents> make_writer(ItemsText::Layout layout, std::string& out) {
  if (layout == ItemsText::Layout::yaml) return std::make_unique<YamlText>(out);
  return std::make_unique<JsonText>(layout == ItemsText::Layout::indented, out);
}

/// Events inside the list go on, `after_item` hears of each item's end.
class ItemEvents final : public JsonEvents {
 public:
  ItemEvents(JsonEvents& writer, Callback<void()> after_item)
      : writer_(writer), after_item_(std::move(after_item)) {}

  [[nodiscard]] bool has_items() const { return has_items_; }
  [[nodiscard]] ItemsText::Page page() { return {count_, std::move(next_page_)}; }

  void object_begins() override {
    if (in_items_) writer_.object_begins();
    ++depth_;
  }
  void array_begins() override {
    if (in_items_) {
      writer_.array_begins();
    } else if (depth_ == 1 && key_ == "items") {
      in_items_ = has_items_ = true;
    }
    ++depth_;
  }
  void ends() override {
    if (--depth_ == 1) {
      in_items_ = false;
      key_.clear();
    }
    if (!in_items_) return;
    writer_.ends();
    value_ended();
  }
  void key(std::string_view text) override {
    if (in_items_) return writer_.key(text);
    if (depth_ == 1) key_ = text;
  }
  void text(std::string_view text) override {
    if (!in_items_) {
      if (depth_ == 1 && key_ == "next_page") next_page_ = text;
      return;
    }
    writer_.text(text);
    value_ended();
  }
  void word(std::string_view text) override {
    if (!in_items_) return;
    writer_.word(text);
    value_ended();
  }
  void real(double value, std::string_view text) override {
    if (!in_items_) return;
    writer_.real(value, text);
    value_ended();
  }

 private:
  static constexpr size_t kInList = 2;  ///< the document and the list around an item
  void value_ended() {
    if (depth_ != kInList) return;
    ++count_;
    after_item_();
  }

  JsonEvents& writer_;
  Callback<void()> after_item_;
  size_t depth_ = 0;
  std::string key_;  ///< the last one of the document itself
  std::string next_page_;
  size_t count_ = 0;
  bool has_items_ = false;
  bool in_items_ = false;
};

}  // namespace

ItemsText::ItemsText(Layout layout, Callback<void(std::string)> to)
    : layout_(layout), to_(std::move(to)), writer_(make_writer(layout, out_)) {
  if (layout_ == Layout::lines) return;
  writer_->object_begins();
  writer_->key("items");
  writer_->array_begins();
}

void ItemsText::hand_over() {
  std::string piece;
  piece.reserve(kPiece + kPiece / 2);
  std::swap(piece, out_);
  if (!piece.empty()) to_(std::move(piece));
}

Result<ItemsText::Page> ItemsText::add(std::string_view document) {
  ItemEvents events(*writer_, [this] {
    if (out_.size() >= kPiece) hand_over();
  });
  DROVER_CHECK_OK(read_json(document, events));
  if (!events.has_items()) return fail(Code::corrupt, "it is not a list");
  return events.page();
}

void ItemsText::finish() {
  if (layout_ != Layout::lines) {
    writer_->ends();
    writer_->ends();
  }
  hand_over();
}

}  // namespace drover
