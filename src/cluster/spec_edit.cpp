#include "cluster/spec_edit.hpp"

#include "cluster/list_edit.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kHowNames{"add", "remove", "replace"};
constexpr std::array<std::string_view, 6> kFieldNames{"aliases", "profiles", "interface",
                                                      "mac",     "network",  "addresses"};

bool is_single(EditField field) {
  return field == EditField::mac || field == EditField::network;
}

Status check(const SpecEdit& edit) {
  const bool of_interface = edit.field != EditField::aliases && edit.field != EditField::profiles;
  if (of_interface == edit.interface.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("{} {} name in \"interface\"", enum_name(edit.field),
                            of_interface ? "needs a" : "takes no"));
  }
  if (edit.field == EditField::interface && (edit.how != EditHow::remove || !edit.values.empty())) {
    return fail(Code::invalid_argument,
                "an interface as a whole can only be removed, without values");
  }
  if (is_single(edit.field) && (edit.how != EditHow::replace || edit.values.size() > 1)) {
    return fail(Code::invalid_argument,
                fmt::format("{} holds one value: it can only be replaced, by one value at most",
                            enum_name(edit.field)));
  }
  return {};
}

void edit_interface(NodeSpec& spec, const SpecEdit& edit) {
  auto& all = spec.interfaces;
  auto found = std::find_if(all.begin(), all.end(), [&](const Interface& interface) {
    return interface.name == edit.interface;
  });
  if (edit.field == EditField::interface) {
    if (found != all.end()) all.erase(found);
    return;
  }
  if (found == all.end()) {
    // Nothing is taken from what is not there, and a cleared field is no reason to make one.
    if (edit.how == EditHow::remove || edit.values.empty()) return;
    found = all.insert(all.end(), Interface{edit.interface, "", {}, ""});
  }
  if (edit.field == EditField::addresses) {
    return edit_list(found->addresses, edit.how, edit.values);
  }
  std::string& text = edit.field == EditField::mac ? found->mac : found->network;
  text = edit.values.empty() ? std::string() : edit.values.front();
}

}  // namespace

std::span<const std::string_view> enum_names(EditHow) {
  return kHowNames;
}
std::span<const std::string_view> enum_names(EditField) {
  return kFieldNames;
}

void SpecEdit::describe(Visitor& v) {
  v.field("field", field,
          "The list; or mac, network and addresses of an interface; or the interface itself.");
  v.field("how", how, "What is done with the values; an interface can only be removed.",
          Presence::optional);
  v.field("interface", interface, "Which interface; it is made when it is not there.",
          Presence::optional);
  v.field("values", values, "What is put in or taken out.", Presence::optional);
}

Status apply_edits(NodeSpec& spec, std::span<const SpecEdit> edits) {
  if (edits.size() > kMaxEdits) {
    return fail(Code::too_large, fmt::format("edits: more than {}", kMaxEdits));
  }
  for (size_t i = 0; i < edits.size(); ++i) {
    const SpecEdit& edit = edits[i];
    if (Status fits = check(edit); !fits) {
      return fail_in(fmt::format("edits[{}]", i), std::move(fits).error());
    }
    switch (edit.field) {
      case EditField::aliases:
        edit_list(spec.aliases, edit.how, edit.values);
        break;
      case EditField::profiles:
        edit_list(spec.profiles, edit.how, edit.values);
        break;
      default:
        edit_interface(spec, edit);
    }
  }
  return {};
}

}  // namespace drover::cluster
