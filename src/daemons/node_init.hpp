// drover-compute as the first process of a machine.
#pragma once

namespace drover::daemons {

/// Keeps the node running until it is told to end: boots it in a child process, which then is its
/// agent. Call when getpid() is 1; does not return in practice.
int run_as_init();

}  // namespace drover::daemons
