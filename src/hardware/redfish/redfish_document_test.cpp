#include "hardware/redfish/redfish_document.hpp"

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

TEST(RedfishPath, TakesOnlyPathsOfTheService) {
  EXPECT_EQ(redfish_path("/redfish/v1/Systems/1"), "/redfish/v1/Systems/1");
  EXPECT_EQ(redfish_path("/redfish/v1/"), "/redfish/v1");
  EXPECT_EQ(redfish_path("/redfish/v1/Systems/1/"), "/redfish/v1/Systems/1");
  EXPECT_EQ(redfish_path("/redfish/v1/Chassis/1U/Power#/PowerControl/0"),
            "/redfish/v1/Chassis/1U/Power");
  EXPECT_EQ(redfish_path("/redfish/v1/Systems?$skip=50", true), "/redfish/v1/Systems?$skip=50");
  for (const char* bad :
       {"", "/", "redfish/v1/x", "http://198.51.100.7/redfish/v1/x", "//198.51.100.7/redfish/v1",
        "/redfish/v2/x", "/redfish/v10", "/redfish/v1/../../etc", "/redfish/v1/./x",
        "/redfish/v1/a b", "/redfish/v1/a\r\nX: y", "/redfish/v1//x", "/redfish/v1/x?y",
        "/redfish/v1/\xc3\xa4"}) {
    EXPECT_EQ(redfish_path(bad), "") << bad;
  }
  EXPECT_EQ(redfish_path("/redfish/v1/" + std::string(600, 'x')), "");
  EXPECT_EQ(redfish_path("/redfish/v1/x?a b", true), "");
}

TEST(RedfishDocument, AnswersNothingForWhatIsNotThere) {
  const auto document = RedfishDocument::parse(
      R"({"Id":"1","Count":"8","Size":2.5,"Neg":-1,"Big":1e300,"On":true,"L":[1,"a",{}],
          "Link":{"@odata.id":"/redfish/v1/a"},"Bad":{"@odata.id":7},"Far":{"@odata.id":"http://x/"}})");
  ASSERT_TRUE(document);
  const RedfishNode root = document->root();
  EXPECT_EQ(root.text("Id"), "1");
  EXPECT_EQ(root.natural("Count"), 8U);
  EXPECT_EQ(root.number("Size"), 2.5);
  EXPECT_FALSE(root.natural("Size"));
  EXPECT_FALSE(root.natural("Neg"));
  EXPECT_FALSE(root.natural("Big"));
  EXPECT_FALSE(root.natural32("Missing"));
  EXPECT_EQ(root.boolean("On"), true);
  EXPECT_FALSE(root.boolean("Id"));
  EXPECT_EQ(root.texts("L"), (std::vector<std::string>{"1", "a"}));
  EXPECT_EQ(root.link("Link"), "/redfish/v1/a");
  EXPECT_EQ(root.link("Bad"), "");
  EXPECT_EQ(root.link("Far"), "");
  EXPECT_EQ(root.at("Id").at("deeper").at("still").text("x"), "");
  EXPECT_TRUE(root.items("Id").empty());
}

TEST(RedfishDocument, RefusesWhatIsNoObject) {
  for (const char* bad : {"", "[]", "7", "{", "\x1b[2J", "{\"a\":1}x"}) {
    const auto document = RedfishDocument::parse(bad);
    ASSERT_FALSE(document) << bad;
    EXPECT_EQ(document.error().code, Code::corrupt);
    EXPECT_EQ(document.error().message.find('\x1b'), std::string::npos);
  }
  EXPECT_FALSE(RedfishDocument::parse(std::string(100'000, '[')));
}

TEST(RedfishErrorText, IsOnePrintableLine) {
  EXPECT_EQ(redfish_error_text(R"({"error":{"message":"outer"}})"), "outer");
  EXPECT_EQ(
      redfish_error_text(
          R"({"error":{"message":"o","@Message.ExtendedInfo":[{},{"Message":"a\u001b[31mb"}]}})"),
      "a\\x1b[31mb");
  EXPECT_EQ(redfish_error_text("<html>"), "");
  const std::string long_text = R"({"error":{"message":")" + std::string(5000, 'x') + "\"}}";
  EXPECT_EQ(redfish_error_text(long_text).size(), 200U);
}

}  // namespace
}  // namespace drover::hardware
