// The codec's schema maker: walks a scratch struct and notes what each field is.
#include "base/describe.hpp"
#include "base/json_values.hpp"

namespace drover {
namespace {

/// Builds one named schema per described struct; structs inside are "$ref"s.
class SchemaMaker final : public Visitor {
 public:
  explicit SchemaMaker(std::map<std::string, std::string>& schemas) : schemas_(schemas) {}

 private:
  struct Level {
    std::string type_name;
    json::object properties;
    json::array required;
  };
  struct Field {
    std::string name;
    std::string doc;
    Presence presence;
  };

  bool enter_field(std::string_view name, std::string_view doc, Presence presence) override {
    fields_.push_back({std::string(name), std::string(doc), presence});
    return true;
  }
  void leave_field() override {
    const Field field = std::move(fields_.back());
    fields_.pop_back();
    Level& level = levels_.back();
    json::object schema = std::exchange(made_, {});
    if (!field.doc.empty()) schema["description"] = field.doc;
    level.properties[field.name] = std::move(schema);
    if (field.presence == Presence::required) level.required.emplace_back(field.name);
  }

  void string(std::string&) override { made_ = {{"type", "string"}}; }
  void boolean(bool&) override { made_ = {{"type", "boolean"}}; }
  void integer(int64_t&, int64_t least, int64_t most) override {
    made_ = {{"type", "integer"}};
    if (least != std::numeric_limits<int64_t>::min()) made_["minimum"] = least;
    if (most != std::numeric_limits<int64_t>::max()) made_["maximum"] = most;
  }
  void natural(uint64_t&, uint64_t most) override {
    made_ = {{"type", "integer"}, {"minimum", 0}};
    if (most != std::numeric_limits<uint64_t>::max()) made_["maximum"] = most;
  }
  void number(double&) override { made_ = {{"type", "number"}}; }
  void time(WallTime&) override {
    made_ = {{"type", json::array{"string", "null"}}, {"format", "date-time"}};
  }
  void choice(size_t&, std::span<const std::string_view> names) override {
    made_ = {{"type", "string"}, {"enum", json::array(names.begin(), names.end())}};
  }
  void raw(RawJson&) override { made_ = {}; }

  bool begin_object(std::string_view type_name) override {
    const std::string name(type_name);
    const bool is_new = schemas_.emplace(name, "").second;
    if (!is_new) {
      refer_to(name);
      return false;
    }
    levels_.push_back({name, {}, {}});
    return true;
  }
  void end_object() override {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    json::object schema{{"type", "object"}, {"properties", std::move(level.properties)}};
    if (!level.required.empty()) schema["required"] = std::move(level.required);
    schema["additionalProperties"] = false;
    schemas_[level.type_name] = json::serialize(schema);
    refer_to(level.type_name);
  }
  size_t begin_list(size_t) override { return 1; }
  void element(size_t) override {}
  void end_list() override { made_ = {{"type", "array"}, {"items", std::exchange(made_, {})}}; }
  size_t begin_map(size_t) override { return 1; }
  std::string key(size_t, std::string_view) override { return "key"; }
  void end_map() override {
    made_ = {{"type", "object"}, {"additionalProperties", std::exchange(made_, {})}};
  }
  [[nodiscard]] bool fills() const override { return true; }
  bool begin_optional(bool) override { return true; }
  void end_optional() override {
    if (!fields_.empty() && fields_.back().presence == Presence::patch) return;  // null is refused
    if (const auto* type = made_.if_contains("type"); type != nullptr && type->is_string()) {
      const json::value plain = *type;
      made_["type"] = json::array{plain, "null"};
      if (auto* names = made_.if_contains("enum")) names->as_array().emplace_back(nullptr);
    } else if (made_.contains("$ref")) {
      made_ = {{"oneOf", json::array{std::exchange(made_, {}), json::object{{"type", "null"}}}}};
    }
  }

  void refer_to(const std::string& name) { made_ = {{"$ref", "#/components/schemas/" + name}}; }

  std::map<std::string, std::string>& schemas_;
  std::vector<Level> levels_;
  std::vector<Field> fields_;
  json::object made_;
};

}  // namespace

void SchemaSet::add_object(void (*visit)(void*, Visitor&), void* object) {
  SchemaMaker maker(schemas_);
  visit(object, maker);
}

}  // namespace drover
