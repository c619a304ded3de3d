// Reading what is in force, planning against it and writing the difference, all in one transaction.
#include "cluster/declare/apply.hpp"

#include "base/json_reader.hpp"
#include "base/json_values.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/declare/brief.hpp"
#include "cluster/declare/object_form.hpp"
#include "cluster/declare/whole.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/mutations.hpp"
#include "cluster/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Bytes of one remembered piece: well below the store's longest body.
constexpr size_t kPiece = size_t{512} << 10;

std::string_view store_kind(Section section) {
  switch (section) {
    case Section::settings:
      return kSettingKind;
    case Section::networks:
      return kNetworkKind;
    case Section::profiles:
      return kProfileKind;
    case Section::groups:
      return kGroupKind;
    case Section::nodes:
      return kNodeKind;
    case Section::cloud_init:
      return kCloudInitKind;
    case Section::steps:
      return kStepsKind;
    case Section::overlays:
      return kOverlayKind;
  }
  return {};
}

tl::unexpected<Error> unreadable(const ObjectName& object, const Error& error) {
  return fail(Code::corrupt, fmt::format("the stored {} '{}' cannot be read: {}",
                                         kind_of(object.section), object.name, error.message));
}

std::string prefix_of(std::string_view name) {
  return fmt::format("{}/", name);
}

Result<std::string> read_applied_text(store::Transaction& tx, std::string_view name) {
  store::ListQuery query;
  query.kind = kAppliedKind;
  query.prefix = prefix_of(name);
  DROVER_TRY(const auto pieces, tx.list(query));
  std::string out;
  for (const store::Object& piece : pieces) {
    auto text = parse_json(piece.body);
    if (!text || !text->is_string()) {
      return fail(Code::corrupt,
                  fmt::format("what was applied last as \"{}\" cannot be read", name));
    }
    out += std::string_view(text->get_string());
  }
  return out;
}

/// Pieces that did not change are not written.
Status remember(store::Transaction& tx, std::string_view name, std::string_view text) {
  store::ListQuery query;
  query.kind = kAppliedKind;
  query.prefix = prefix_of(name);
  DROVER_TRY(const auto before, tx.list(query));
  size_t index = 0;
  while (!text.empty()) {
    const std::string body = json::serialize(json::string_view(text.substr(0, kPiece)));
    const std::string key = fmt::format("{}{:06}", prefix_of(name), index);
    const bool same =
        index < before.size() && before[index].key == key && before[index].body == body;
    if (!same) DROVER_CHECK_OK(tx.put_quiet(kAppliedKind, key, body));
    text.remove_prefix(std::min(kPiece, text.size()));
    ++index;
  }
  for (; index < before.size(); ++index) {
    const auto erased = tx.erase_quiet(kAppliedKind, before[index].key);
    if (!erased) return tl::unexpected<Error>(erased.error());
  }
  return {};
}

Status write_node_object(store::Transaction& tx, DefinitionWriter& writer,
                         const PlannedObject& planned, FreshIds& fresh_ids) {
  if (planned.action == PlanAction::change) {
    DROVER_TRY(Node node, read_node(tx, planned.object.name));
    DROVER_CHECK_OK(put_into(node, planned.result));
    return writer.put_node(std::move(node));
  }
  Node node;
  DROVER_CHECK_OK(put_into(node, planned.result));
  const auto made =
      writer.add_node(planned.object.name, node.role, std::move(node.spec), fresh_ids());
  return made ? Status() : tl::unexpected<Error>(made.error());
}

Status write_object(store::Transaction& tx, DefinitionWriter& writer, const PlannedObject& planned,
                    FreshIds& fresh_ids) {
  switch (planned.object.section) {
    case Section::settings:
      return set_setting(tx, planned.object.name, to_setting(planned.result));
    case Section::networks: {
      DROVER_TRY(Network network, to_network(planned.object.name, planned.result));
      return writer.put_network(std::move(network));
    }
    case Section::profiles: {
      DROVER_TRY(Profile profile, to_profile(planned.object.name, planned.result));
      return writer.put_profile(std::move(profile));
    }
    case Section::groups: {
      DROVER_TRY(Group group, to_group(planned.object.name, planned.result));
      return writer.put_group(std::move(group));
    }
    case Section::nodes:
      return write_node_object(tx, writer, planned, fresh_ids);
    case Section::cloud_init: {
      DROVER_TRY(CloudInit definition, to_cloud_init(planned.object.name, planned.result));
      return put_content(tx, std::move(definition));
    }
    case Section::steps: {
      DROVER_TRY(StepList list, to_steps(planned.object.name, planned.result));
      return put_content(tx, std::move(list));
    }
    case Section::overlays: {
      DROVER_TRY(Overlay overlay, to_overlay(planned.object.name, planned.result));
      return put_content(tx, std::move(overlay));
    }
  }
  return {};
}

Status remove_object(store::Transaction& tx, DefinitionWriter& writer, RemoveNode& remove_node,
                     const ObjectName& object) {
  switch (object.section) {
    case Section::settings: {
      const auto erased = unset_setting(tx, object.name);
      return erased ? Status() : tl::unexpected<Error>(erased.error());
    }
    case Section::networks:
      return writer.remove_network(object.name);
    case Section::profiles:
      return writer.remove_profile(object.name);
    case Section::groups:
      return writer.remove_group(object.name);
    case Section::nodes:
      return remove_node(tx, writer, object.name);
    case Section::cloud_init:
    case Section::steps:
    case Section::overlays: {
      const auto erased = erase_content(tx, store_kind(object.section), object.name);
      return erased ? Status() : tl::unexpected<Error>(erased.error());
    }
  }
  return {};
}

}  // namespace

Result<InForce> read_in_force(store::Transaction& tx) {
  InForce out;
  for (const Section section : kSections) {
    store::ListQuery query;
    query.kind = store_kind(section);
    DROVER_TRY(const auto objects, tx.list(query));
    for (const store::Object& object : objects) {
      const auto body = parse_json(object.body);
      if (!body) {
        return unreadable({section, object.key}, body.error());
      }
      out.emplace(ObjectName{section, object.key}, section == Section::nodes
                                                       ? fields_of_node(*body)
                                                       : fields_of_object(section, *body));
    }
  }
  return out;
}

Result<std::vector<BriefObject>> read_brief(store::Transaction& tx,
                                            Callback<bool(const ObjectName&)> takes) {
  std::vector<BriefObject> out;
  JsonReader reader;
  for (const Section section : kSections) {
    DROVER_TRY(auto objects, tx.list({.kind = std::string(store_kind(section))}));
    for (store::Object& object : objects) {
      ObjectName name{section, std::move(object.key)};
      if (!takes(name)) continue;
      const auto body = reader.read(object.body);
      if (!body) return unreadable(name, body.error());
      static const json::object nothing;
      const auto* fields = (*body)->if_object();
      std::string& text = out.emplace_back(std::move(name), std::string()).fields;
      append_brief(text, section, fields == nullptr ? nothing : *fields);
    }
  }
  return out;
}

Result<std::optional<Document>> read_applied(store::Transaction& tx, std::string_view name) {
  DROVER_TRY(const std::string text, read_applied_text(tx, name));
  if (text.empty()) return std::nullopt;
  DROVER_TRY(Document document, decode_applied(text));
  return document;
}

Result<Prepared> prepare(store::Transaction& tx, const ApplyRequest& request) {
  DROVER_TRY(const InForce in_force, read_in_force(tx));
  std::optional<Document> base = request.base;
  std::string remembered;
  if (!base) {
    DROVER_TRY(remembered, read_applied_text(tx, request.name));
    if (!remembered.empty()) {
      DROVER_TRY(base, decode_applied(remembered));
    }
  }
  Prepared out;
  out.plan = make_plan(in_force, base ? &*base : nullptr, request.document, request.options);
  if (out.plan.problems.empty() && !out.plan.changes_nothing()) {
    DROVER_CHECK_OK(check_whole(tx, in_force, request.document, out.plan));
  }
  if (!request.base) out.remembers = encode_applied(out.plan.applied) != remembered;
  return out;
}

Status carry_out(store::Transaction& tx, const ApplyRequest& request, const Prepared& prepared,
                 FreshIds fresh_ids, RemoveNode& remove_node, std::string_view why) {
  tx.explain(why);
  DefinitionWriter writer(tx, DefinitionWriter::Mode::together);
  const auto each = [&](Section section, bool removed, auto&& change) -> Status {
    for (const PlannedObject& planned : prepared.plan.objects) {
      const bool is_removed = planned.action == PlanAction::remove;
      if (planned.object.section != section || is_removed != removed) continue;
      DROVER_CHECK_OK(change(planned));
    }
    return {};
  };
  // Members of groups must be nodes, owners come before what they give, and whoever takes a profile
  // must go before it.
  for (const Section section :
       {Section::settings, Section::networks, Section::profiles, Section::nodes, Section::groups,
        Section::cloud_init, Section::steps, Section::overlays}) {
    DROVER_CHECK_OK(each(section, false, [&](const PlannedObject& planned) {
      return write_object(tx, writer, planned, fresh_ids);
    }));
  }
  for (const Section section :
       {Section::overlays, Section::steps, Section::cloud_init, Section::groups, Section::nodes,
        Section::profiles, Section::networks, Section::settings}) {
    DROVER_CHECK_OK(each(section, true, [&](const PlannedObject& planned) {
      return remove_object(tx, writer, remove_node, planned.object);
    }));
  }
  DROVER_CHECK_OK(writer.finish());
  if (!prepared.remembers) return {};
  return remember(tx, request.name, encode_applied(prepared.plan.applied));
}

}  // namespace drover::cluster
