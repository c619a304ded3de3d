// drover explain knows all that the API serves.
#include "cli/contract_kinds.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cli/explain.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

const FieldKind* kind_called(std::string_view name) {
  const auto& all = explained_kinds();
  const auto it = std::ranges::find(all, name, &FieldKind::name);
  return it == all.end() ? nullptr : &*it;
}

/// The fields at the top of what a GET gives, or of one item of its list.
std::set<std::string> top_fields(const json::value& document, const json::value& schema) {
  const json::object& object = schema.as_object();
  if (const auto* ref = object.if_contains("$ref")) {
    const std::string_view text(ref->as_string());
    const auto& schemas = document.at("components").at("schemas");
    return top_fields(document, schemas.at(text.substr(text.rfind('/') + 1)));
  }
  std::set<std::string> out;
  const auto* properties = object.if_contains("properties");
  if (properties == nullptr) return out;
  if (const auto* items = properties->as_object().if_contains("items")) {
    if (const auto* each = items->as_object().if_contains("items")) {
      return top_fields(document, *each);
    }
  }
  for (const auto& [name, field] : properties->as_object()) out.emplace(name);
  return out;
}

TEST(ContractKinds, EveryFieldThatAGetGivesIsExplained) {
  std::ostringstream text;
  text << std::ifstream(DROVER_SOURCE_DIR "/api/openapi.yaml").rdbuf();
  const auto document = parse_yaml(text.str());
  ASSERT_TRUE(document) << document.error().text();
  size_t checked = 0;
  for (const auto& [path, methods] : document->at("paths").as_object()) {
    const auto* get = methods.as_object().if_contains("get");
    if (get == nullptr) continue;
    // JWKS is RFC 7517's, and what is not below /api are OpenCHAMI's forms: not ours to explain.
    const bool foreign = path == "/api/v1/jwks" || !std::string_view(path).starts_with("/api/v1/");
    if (foreign) continue;
    const json::value& content = get->at("responses").at("200").at("content");
    const auto* answer = content.as_object().if_contains("application/json");
    if (answer == nullptr) answer = content.as_object().if_contains("text/event-stream");
    if (answer == nullptr) continue;
    const auto fields = top_fields(*document, answer->at("schema"));
    if (fields.empty()) continue;
    ++checked;
    EXPECT_TRUE(std::ranges::any_of(explained_kinds(), [&](const FieldKind& kind) {
      return std::ranges::all_of(
          fields, [&](const std::string& name) { return find_field(kind, name) != nullptr; });
    })) << std::string(path);
  }
  EXPECT_GT(checked, 25U);
}

TEST(ContractKinds, HaveFieldsWithASentenceEach) {
  std::set<std::string> seen;
  for (const FieldKind& kind : explained_kinds()) {
    EXPECT_TRUE(seen.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.fields.empty()) << kind.name;
    for (const FieldInfo& field : kind.fields) {
      EXPECT_FALSE(field.doc.empty()) << kind.name << '.' << field.path;
    }
  }
}

TEST(ContractKinds, ChangesOperationsAndMembersAreExplained) {
  EXPECT_EQ(explain("group.members").value()[0].text, "Who is in it now, folded.");
  EXPECT_EQ(explain("change").value()[0].what, "kind");
  EXPECT_EQ(explain("operation.state").value()[0].name, "operation.state");
  ASSERT_NE(kind_called("change"), nullptr);
  EXPECT_NE(find_field(*kind_called("change"), "actor"), nullptr);
  EXPECT_FALSE(explain("change.nothing"));
}

}  // namespace
}  // namespace drover::cli
