// Which init is asked, and how.
#include "os/machine_end.hpp"

#include "os/test_folder.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(MachineEndTest, NamesGoBothWays) {
  for (const auto how : {MachineEnd::reboot, MachineEnd::halt, MachineEnd::poweroff}) {
    EXPECT_EQ(machine_end_from(name(how)), how);
  }
  EXPECT_FALSE(machine_end_from("shutdown"));
  EXPECT_FALSE(machine_end_from(""));
}

TEST(MachineEndTest, InitIsKnownByWhatItLeaves) {
  const testing::TestFolder root;
  EXPECT_EQ(find_init(root.path()), Init::unknown);
  root.write("proc/1/cmdline", std::string("/init\0quiet\0", 12));
  root.link("proc/1/exe", "/usr/sbin/drover-compute");
  EXPECT_EQ(find_init(root.path()), Init::keeper);
  root.write("run/systemd/system/unit", "");
  EXPECT_EQ(find_init(root.path()), Init::systemd);
}

TEST(MachineEndTest, AnotherInitIsNotTakenForOurs) {
  const testing::TestFolder root;
  root.write("proc/1/cmdline", std::string("/init\0", 6));
  root.link("proc/1/exe", "/usr/bin/bash");
  EXPECT_EQ(find_init(root.path()), Init::unknown);
  EXPECT_FALSE(end_signal(Init::unknown, MachineEnd::reboot));
}

TEST(MachineEndTest, SignalsAreThoseOfTheInit) {
  EXPECT_EQ(end_signal(Init::systemd, MachineEnd::reboot), SIGRTMIN + 5);
  EXPECT_EQ(end_signal(Init::systemd, MachineEnd::halt), SIGRTMIN + 3);
  EXPECT_EQ(end_signal(Init::systemd, MachineEnd::poweroff), SIGRTMIN + 4);
  EXPECT_EQ(end_signal(Init::keeper, MachineEnd::reboot), SIGTERM);
  EXPECT_EQ(end_signal(Init::keeper, MachineEnd::halt), SIGUSR1);
  EXPECT_EQ(end_signal(Init::keeper, MachineEnd::poweroff), SIGUSR2);
}

}  // namespace
}  // namespace drover::os
