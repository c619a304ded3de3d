#include "api/smd/component_input.hpp"

#include "api/smd/words.hpp"
#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/node_spec.hpp"

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::SmdFlag;
using cluster::SmdState;

constexpr std::string_view kNoMatch = "a required argument did not match any valid input";

template <DescribedEnum E>
std::optional<E> choice(std::string_view text) {
  const auto word = word_of(enum_names(E{}), text);
  return word ? enum_from_name<E>(*word) : std::nullopt;
}
std::optional<SmdFlag> flag_of(std::string_view text) {
  return lower(text) == "warn" ? SmdFlag::warning : choice<SmdFlag>(text);
}

tl::unexpected<Error> invalid(std::string_view what, std::string_view value) {
  constexpr size_t kShown = 80;
  return bad(fmt::format("couldn't validate components: {} '{}' is invalid", what,
                         printable(value.substr(0, kShown))));
}

Status take_word(Members& from, std::string_view member, std::string_view what,
                 std::span<const std::string_view> words, std::optional<std::string>& into) {
  const auto text = from.text(member);
  if (!text || text->empty()) return {};
  const auto word = word_of(words, *text);
  if (!word) return invalid(what, *text);
  into = std::string(*word);
  return {};
}

Status take_nid(Members& from, std::optional<uint64_t>& into) {
  const auto number = from.number("NID");
  if (!number) return {};
  if (*number < 0 || static_cast<uint64_t>(*number) > cluster::kMaxNid) {
    return invalid("NID", std::to_string(*number));
  }
  into = static_cast<uint64_t>(*number);
  return {};
}

Status take_one_line(Members& from, std::string_view member, std::optional<std::string>& into) {
  auto text = from.text(member);
  if (!text) return {};
  constexpr size_t kMost = 255;
  const bool fits = text->size() <= kMost && printable(*text) == *text;
  if (!fits) return invalid(member, *text);
  into = std::move(text);
  return {};
}

Result<ComponentSays> read_says(Members& from) {
  ComponentSays says;
  const auto state = from.text("State");
  says.state = state ? choice<SmdState>(*state) : std::nullopt;
  if (!says.state) return invalid("state", state.value_or(""));
  if (const auto flag = from.text("Flag"); flag && !flag->empty()) {
    says.flag = flag_of(*flag);
    if (!says.flag) return invalid("flag", *flag);
  }
  says.enabled = from.truth("Enabled");
  says.locked = from.truth("Locked");
  says.no_reservations = from.truth("ReservationDisabled");
  DROVER_CHECK_OK(take_one_line(from, "SoftwareStatus", says.software_status));
  DROVER_CHECK_OK(take_word(from, "Role", "role", roles(), says.role));
  DROVER_CHECK_OK(take_word(from, "SubRole", "subRole", sub_roles(), says.sub_role));
  DROVER_CHECK_OK(take_nid(from, says.nid));
  DROVER_CHECK_OK(take_one_line(from, "Subtype", says.subtype));
  DROVER_CHECK_OK(take_word(from, "NetType", "netType", net_types(), says.net_type));
  DROVER_CHECK_OK(take_word(from, "Arch", "arch", archs(), says.arch));
  DROVER_CHECK_OK(take_word(from, "Class", "class", classes(), says.hw_class));
  return says;
}

void take_one(ComponentInput& out, const json::value& value, const cluster::Xname* at) {
  Members from(value);
  NamedComponent one;
  const auto id = from.text("ID");
  if (at != nullptr) {
    one.id = *at;
  } else if (!id || id->empty()) {
    if (!from.wrong().empty()) out.malformed = from.wrong();
    return;
  } else if (auto parsed = cluster::parse_xname(*id)) {
    one.id = *std::move(parsed);
  } else {
    out.error = invalid("xname ID", *id).value();
    return;
  }
  auto says = read_says(from);
  if (!from.wrong().empty()) {
    out.malformed = from.wrong();
  } else if (!says) {
    out.error = says.error();
  } else {
    one.says = std::make_shared<const ComponentSays>(*std::move(says));
    out.components.push_back(std::move(one));
  }
}

const json::array* list_of(const json::value& body, ComponentInput& out) {
  const json::value* list = Members(body).find("Components");
  if (list != nullptr && !list->is_array()) out.malformed = "Components: expected a list";
  return list == nullptr ? nullptr : list->if_array();
}

template <typename T>
Status required(const std::optional<T>& value, std::string_view name) {
  if (value) return {};
  return bad(fmt::format("Missing {}", name));
}

}  // namespace

ComponentInput read_components(const json::value& body) {
  ComponentInput out;
  if (const auto* list = list_of(body, out)) {
    for (const json::value& each : *list) {
      take_one(out, each, nullptr);
      if (out.error || !out.malformed.empty()) return out;
    }
  }
  if (out.components.empty()) out.error = bad("Missing Components").value();
  return out;
}

ComponentInput read_component(const json::value& body, const cluster::Xname& at) {
  ComponentInput out;
  const json::value* component = Members(body).find("Component");
  if (component == nullptr) {
    out.error = bad("Missing Component").value();
    return out;
  }
  take_one(out, *component, &at);
  return out;
}

Result<ComponentSays> read_patch(const json::value& body, PatchKind kind, std::string& malformed) {
  Members from(body);
  ComponentSays says;
  const auto state = from.text("State");
  const auto flag = from.text("Flag");
  const bool has_flag = flag && !flag->empty();
  switch (kind) {
    case PatchKind::state_data:
      DROVER_CHECK_OK(required(state, "State"));
      says.state = choice<SmdState>(*state);
      if (!says.state) return bad("Argument was not a valid HMS State");
      says.flag = has_flag ? flag_of(*flag) : SmdFlag::ok;
      if (!says.flag) return bad(std::string(kNoMatch));
      break;
    case PatchKind::flag_only:
      if (!has_flag) return bad("Missing Flag");
      says.flag = flag_of(*flag);
      if (!says.flag) return bad(std::string(kNoMatch));
      break;
    case PatchKind::enabled:
      says.enabled = from.truth("Enabled");
      malformed = from.wrong();
      if (malformed.empty()) DROVER_CHECK_OK(required(says.enabled, "Enabled"));
      break;
    case PatchKind::software_status:
      DROVER_CHECK_OK(take_one_line(from, "SoftwareStatus", says.software_status));
      malformed = from.wrong();
      if (malformed.empty()) DROVER_CHECK_OK(required(says.software_status, "SoftwareStatus"));
      break;
    case PatchKind::role: {
      const auto role = from.text("Role");
      DROVER_CHECK_OK(required(role, "Role"));
      const auto word = word_of(roles(), *role);
      if (!word) return bad(std::string(kNoMatch));
      says.role = std::string(*word);
      const auto sub_role = from.text("SubRole").value_or("");
      const auto sub_word = word_of(sub_roles(), sub_role);
      if (!sub_role.empty() && !sub_word) return bad(std::string(kNoMatch));
      says.sub_role = std::string(sub_word.value_or(""));
      break;
    }
    case PatchKind::nid:
      DROVER_CHECK_OK(take_nid(from, says.nid));
      malformed = from.wrong();
      if (malformed.empty()) DROVER_CHECK_OK(required(says.nid, "NID"));
      break;
  }
  if (malformed.empty()) malformed = from.wrong();
  return says;
}

ComponentInput read_nids(const json::value& body) {
  ComponentInput out;
  const auto* list = list_of(body, out);
  if (list == nullptr || list->empty()) {
    if (out.malformed.empty()) out.error = bad("Missing Components").value();
    return out;
  }
  for (const json::value& each : *list) {
    Members from(each);
    const auto id = cluster::parse_xname(from.text("ID").value_or(""));
    auto says = read_patch(each, PatchKind::nid, out.malformed);
    if (!out.malformed.empty()) return out;
    if (!id) says = bad("invalid xname ID");
    if (!says) {
      out.error = says.error();
      return out;
    }
    out.components.push_back({*id, std::make_shared<const ComponentSays>(*std::move(says))});
  }
  return out;
}

}  // namespace drover::api::smd
