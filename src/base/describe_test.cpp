#include "base/describe.hpp"

#include "base/json_values.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover {
namespace {

enum class Colour { red, green };
std::span<const std::string_view> enum_names(Colour) {
  static constexpr std::array<std::string_view, 2> kNames{"red", "green"};
  return kNames;
}

struct Wheel {
  static constexpr std::string_view kTypeName = "Wheel";
  uint32_t inches = 0;
  std::optional<Colour> colour;
  bool operator==(const Wheel&) const = default;
  void describe(Visitor& v) {
    v.field("inches", inches, "Diameter.");
    v.field("colour", colour, "Of the rim.", Presence::optional);
  }
};

struct Car {
  static constexpr std::string_view kTypeName = "Car";
  std::string name;
  bool sold = false;
  int64_t balance = 0;
  double weight = 0;
  WallTime built{};
  Colour colour = Colour::red;
  std::vector<Wheel> wheels;
  std::map<std::string, std::string> labels;
  std::map<std::string, double> metrics;
  std::optional<Wheel> spare;
  RawJson extra;
  bool operator==(const Car&) const = default;
  void describe(Visitor& v) {
    v.field("name", name, "What it is called.");
    v.field("sold", sold, "", Presence::optional);
    v.field("balance", balance, "", Presence::optional);
    v.field("weight", weight, "", Presence::optional);
    v.field("built", built, "", Presence::optional);
    v.field("colour", colour, "", Presence::optional);
    v.field("wheels", wheels, "", Presence::optional);
    v.field("labels", labels, "", Presence::optional);
    v.field("metrics", metrics, "", Presence::optional);
    v.field("spare", spare, "", Presence::optional);
    v.field("extra", extra, "", Presence::optional);
  }
};

struct CarPatch {
  static constexpr std::string_view kTypeName = "CarPatch";
  std::optional<std::string> name;
  void describe(Visitor& v) { v.field("name", name, "New name.", Presence::patch); }
};

std::string why(std::string_view text) {
  const auto car = decode_text<Car>(text);
  EXPECT_FALSE(car.has_value()) << text;
  return car ? "" : car.error().message;
}

TEST(Describe, WritesFieldsInOrder) {
  Car car;
  car.name = "a\"b\\\n\x01\xC3\xBC";
  car.built = from_unix_ms(1795296797123);
  car.wheels = {{17, Colour::green}, {18, std::nullopt}};
  car.labels = {{"k", "v"}};
  car.extra.text = R"({"deep":[1]})";
  EXPECT_EQ(
      encode(car),
      R"({"name":"a\"b\\\n\u0001)"
      "\xC3\xBC"
      R"(","sold":false,"balance":0,"weight":0,"built":"2026-11-21T21:33:17.123Z",)"
      R"("colour":"red","wheels":[{"inches":17,"colour":"green"},{"inches":18,"colour":null}],)"
      R"("labels":{"k":"v"},"metrics":{},"spare":null,"extra":{"deep":[1]}})");
}

TEST(Describe, BytesThatAreNotUtf8NeverReachTheOutput) {
  Car car;
  for (const char* bad :
       {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\x80z"}) {
    car.name = bad;
    EXPECT_TRUE(decode_text<Car>(encode(car)).has_value()) << encode(car);
    EXPECT_NE(encode(car).find("\xEF\xBF\xBD"), std::string::npos);
  }
  car.weight = std::nan("");
  EXPECT_NE(encode(car).find("\"weight\":null"), std::string::npos);
}

TEST(Describe, ErrorsNameThePathAndWhatWasExpected) {
  EXPECT_EQ(why("[]"), "expected an object, got a list");
  EXPECT_EQ(why("{}"), "name: is required");
  EXPECT_EQ(why(R"({"name":7})"), "name: expected a string, got 7");
  EXPECT_EQ(why(R"({"name":"x","colour":"blue"})"),
            R"(colour: expected one of red, green, got "blue")");
  EXPECT_EQ(why(R"({"name":"x","wheels":[{"inches":1},{"inches":-1}]})"),
            "wheels[1].inches: expected a whole number from 0 to 4294967295, got -1");
  EXPECT_EQ(why(R"({"name":"x","wheels":[{"inches":1.5}]})"),
            "wheels[0].inches: expected a whole number from 0 to 4294967295, got 1.5E0");
  EXPECT_EQ(why(R"({"name":"x","labels":{"a":1}})"), "labels.a: expected a string, got 1");
  EXPECT_EQ(why(R"({"name":"x","spare":[]})"), "spare: expected an object, got a list");
  EXPECT_EQ(why(R"({"name":"x","built":"yesterday"})"),
            R"(built: expected a time like 2026-11-21T21:33:17.123Z, got "yesterday")");
  EXPECT_EQ(why(R"({"name":"x","sold":null})"), "sold: expected true or false, got null");
  EXPECT_EQ(why(R"({"name":"x","color":"red"})"),
            "color: is not a known field; did you mean 'colour'?");
  EXPECT_EQ(why(R"({"name":"x","spare":{"inches":1,"zzzzzz":2}})"),
            "spare.zzzzzz: is not a known field; known are inches, colour");
  EXPECT_NE(why("{").find("not valid JSON"), std::string::npos);
}

TEST(Describe, StoredDocumentsMayHaveMoreFields) {
  EXPECT_TRUE(decode_text<Wheel>(R"({"inches":1,"new":2})", Unknown::ignore).has_value());
  EXPECT_FALSE(decode_text<Wheel>(R"({"inches":1,"new":2})").has_value());
}

TEST(Describe, PatchTellsAbsentFromNull) {
  EXPECT_EQ(decode_text<CarPatch>("{}")->name, std::nullopt);
  EXPECT_EQ(decode_text<CarPatch>(R"({"name":"x"})")->name, "x");
  EXPECT_EQ(decode_text<CarPatch>(R"({"name":null})").error().message,
            "name: cannot be removed; give a value or leave it out");
}

RC_GTEST_PROP(Describe, WhatIsWrittenIsReadBack, ()) {
  Car car;
  car.name = *rc::gen::string<std::string>();
  for (char& c : car.name) c = static_cast<char>(c & 0x7F);
  car.balance = *rc::gen::arbitrary<int64_t>();
  // Boost.JSON 1.81 reads other doubles to within one unit in the last place only.
  car.weight = *rc::gen::inRange(-1000, 1000) / 8.0;
  car.built = from_unix_ms(*rc::gen::inRange<int64_t>(1, 4'000'000'000'000));
  car.wheels.resize(*rc::gen::inRange<size_t>(0, 4));
  for (Wheel& wheel : car.wheels) wheel.inches = *rc::gen::arbitrary<uint32_t>();
  if (*rc::gen::arbitrary<bool>()) car.spare = Wheel{3, Colour::green};
  car.labels[car.name] = car.name;
  car.metrics["m"] = 0.1;
  const auto back = decode_text<Car>(encode(car));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == car);
}

/// What the careful reader makes of `text`.
Result<Car> read_carefully(std::string_view text, Unknown unknown) {
  Car car;
  DROVER_CHECK_OK(describe_detail::read_text(text, &car, &describe_detail::visit_as<Car>, unknown));
  return car;
}

Car loaded_car() {
  Car car;
  car.name = "n1";
  car.sold = true;
  car.balance = -7;
  car.weight = 12;
  car.built = from_unix_ms(1795296797123);
  car.wheels = {{17, Colour::green}, {18, std::nullopt}};
  car.labels = {{"a", "1"}, {"b", ""}};
  car.metrics = {{"m", 4}};
  car.spare = Wheel{3, Colour::red};
  return car;
}

TEST(Describe, WhatTheWriterWroteIsReadInOnePass) {
  Car car;
  EXPECT_TRUE(
      describe_detail::read_straight(encode(loaded_car()), &car, &describe_detail::visit_as<Car>));
  EXPECT_EQ(car, loaded_car());
}

RC_GTEST_PROP(Describe, BothReadersAgreeOnEveryText, ()) {
  std::string text = encode(loaded_car());
  const auto edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits; ++i) {
    const auto at = *rc::gen::inRange<size_t>(0, text.size());
    const auto length = *rc::gen::inRange<size_t>(0, 12);
    static const std::vector<std::string> kPieces{"",        " ",
                                                  ",",       "\"",
                                                  "{",       "}",
                                                  "[",       "]",
                                                  ":",       "0",
                                                  "-0",      "1.5",
                                                  "1e3",     "null",
                                                  "\\u0041", "\xC3\xBC",
                                                  "\x01",    "true",
                                                  "9",       "{}",
                                                  "\"a\"",   "007",
                                                  "\"a\":",  "\"b\":\"\",",
                                                  "\n",      ",\"sold\":true"};
    text.replace(at, length, *rc::gen::elementOf(kPieces));
    if (text.empty()) text = "{";
  }
  for (const Unknown unknown : {Unknown::refuse, Unknown::ignore}) {
    const auto careful = read_carefully(text, unknown);
    const auto either = decode_text<Car>(text, unknown);
    RC_ASSERT(careful.has_value() == either.has_value());
    if (careful) {
      RC_ASSERT(*careful == *either);
    } else {
      RC_ASSERT(careful.error().message == either.error().message);
    }
  }
}

TEST(Describe, SchemaNamesTypesAndRequiredFields) {
  SchemaSet set;
  set.add<Car>();
  ASSERT_EQ(set.schemas().size(), 2U);
  EXPECT_EQ(set.schemas().at("Wheel"),
            R"({"type":"object","properties":{"inches":{"type":"integer","minimum":0,)"
            R"("maximum":4294967295,"description":"Diameter."},"colour":{"type":["string","null"],)"
            R"("enum":["red","green",null],"description":"Of the rim."}},"required":["inches"],)"
            R"("additionalProperties":false})");
  const auto car = parse_json(set.schemas().at("Car"));
  ASSERT_TRUE(car.has_value());
  const auto& properties = car->at("properties");
  EXPECT_EQ(properties.at("wheels").at("items").at("$ref").as_string(),
            "#/components/schemas/Wheel");
  EXPECT_EQ(properties.at("labels").at("additionalProperties").at("type").as_string(), "string");
  EXPECT_EQ(properties.at("spare").at("oneOf").as_array().size(), 2U);
}

TEST(Rfc3339, ReadsWhatItWritesAndOffsets) {
  EXPECT_EQ(from_rfc3339("2026-11-21T21:33:17.123Z"), from_unix_ms(1795296797123));
  EXPECT_EQ(from_rfc3339("2026-11-21T22:33:17.123+01:00"), from_unix_ms(1795296797123));
  EXPECT_EQ(from_rfc3339("1970-01-01T00:00:00Z"), WallTime{});
  for (const char* bad : {"", "2026", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
                          "2026-11-21T21:33:17", "2026-11-21T21:33:17.Z", "2026-11-21T21:33:17Zx",
                          "-026-11-21T21:33:17Z", "9999-11-21T21:33:17Z"}) {
    EXPECT_EQ(from_rfc3339(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace drover
