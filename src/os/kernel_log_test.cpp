// Records of the kernel's log: real ones, and lines that are none.
#include "os/kernel_log.hpp"

#include "os/test_folder.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(KernelLogTest, ReadsARecord) {
  const auto message = parse_kernel_message("6,339,5140900,-;NET: Registered protocol family 10");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->level, 6);
  EXPECT_EQ(message->facility, 0);
  EXPECT_EQ(message->sequence, 339U);
  EXPECT_EQ(message->time_us, 5140900U);
  EXPECT_EQ(message->text, "NET: Registered protocol family 10");
}

TEST(KernelLogTest, LaterFieldsAndFacilitiesAreTaken) {
  const auto message = parse_kernel_message("30,1,2,c,caller=T1;a;b");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->level, 6);
  EXPECT_EQ(message->facility, 3);
  EXPECT_EQ(message->text, "a;b");
}

TEST(KernelLogTest, WhatIsNoRecordIsNothing) {
  for (const std::string_view line :
       {"", ";", "6", "6,", "6,1", "6,1,2", "6,1,2,-", "6,1;text", "x,1,2,-;t", "6,-1,2,-;t",
        "6,1,99999999999999999999,-;t", "70000,1,2,-;t", " SUBSYSTEM=acpi"}) {
    EXPECT_FALSE(parse_kernel_message(line)) << line;
  }
}

TEST(KernelLogTest, AFileThatIsNoLogSaysSo) {
  EXPECT_EQ(KernelLog::open("/nonesuch/kmsg").error().code, Code::not_found);
}

}  // namespace
}  // namespace drover::os
