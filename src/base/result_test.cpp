#include "base/result.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Result, EveryCodeHasItsOwnStableName) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_EQ(code_from_name(info(code).name), code);
    EXPECT_GE(info(code).http_status, 400);
    EXPECT_GE(info(code).exit_code, 1);
    EXPECT_LE(info(code).exit_code, 5);
  }
  EXPECT_EQ(code_from_name("a-code-of-a-newer-peer"), Code::internal);
}

TEST(Result, ContextGrowsFromTheInsideOut) {
  const Status inner = fail(Code::io, "disk is full");
  const Status middle = fail_in("writing the spool", inner.error());
  const Status outer = fail_in("storing a record", middle.error());
  EXPECT_EQ(outer.error().text(), "storing a record: writing the spool: disk is full");
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Code::invalid_argument, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  DROVER_TRY(const int first, half(value));
  DROVER_TRY(const int second, half(first));
  return second;
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

}  // namespace
}  // namespace drover
