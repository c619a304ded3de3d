// Handing a process over: the new program gets arguments and variables, and a missing one is said.
#include "os/become.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::os {
namespace {

TEST(BecomeTest, TheOtherProgramGetsArgumentsAndVariables) {
  const pid_t child = ::fork();
  if (child == 0) {
    (void)become("/bin/sh", {"-c", "test \"$LAB_TEST\" = 'a b' && exit \"$1\"", "sh", "42"},
                 {{"LAB_TEST", "a b"}});
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(BecomeTest, AProgramThatIsNotThereIsNamed) {
  const Status done = become("/nonesuch/program", {}, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::not_found);
  EXPECT_NE(done.error().context.find("/nonesuch/program"), std::string::npos);
}

}  // namespace
}  // namespace drover::os
