// Noderanges of 100,000 names, and what a start of `drover` costs: bench_cli [names] [rounds].
// Processor time, which other work on the machine does not change. Floors of the same run: writing,
// sorting and joining the same names plainly, and starting /bin/true.
#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace {

using Names = std::vector<std::string>;

/// Of this process, all its threads.
double own_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Of all children that have ended.
double children_ms() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

/// The middle of so many runs by `clock`.
template <typename Work>
double median_ms(int rounds, Work&& work, double (*clock)() = own_ms) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const double begin = clock();
    work();
    times.push_back(clock() - begin);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void require(bool right, const char* what) {
  if (right) return;
  fmt::print(stderr, "bench_cli: {}\n", what);
  std::exit(1);
}

/// The names themselves, made and put in order by plain means.
struct Plain {
  double making = 0;
  double joining = 0;
};
Plain measure_plainly(const Names& names, bool sorts, int rounds) {
  std::string list;
  Plain out;
  out.making = median_ms(rounds, [&] {
    Names made;
    made.reserve(names.size());
    for (const std::string& name : names) made.push_back(name);
    if (sorts) std::sort(made.begin(), made.end());
  });
  out.joining = median_ms(rounds, [&] {
    list.clear();
    for (const std::string& name : names) (list += name) += ',';
  });
  return out;
}

/// Expands and folds; the answers are compared, so that a quick wrong one does not count.
void measure_range(const char* title, const std::string& range, const Names& given, size_t count,
                   int rounds) {
  Names names;
  std::string folded;
  const double expanding =
      median_ms(rounds, [&] { names = drover::expand_names(range).value_or(Names{}); });
  const double folding = median_ms(rounds, [&] { folded = drover::fold_names(names); });
  require(names.size() == count, "the range gave another number of names");
  require(drover::expand_names(folded).value_or(Names{}) == names, "folding lost names");
  const Plain plain = measure_plainly(given.empty() ? names : given, !given.empty(), rounds);
  fmt::print("{:<34} expand {:6.1f} ms, floor {:5.1f}   fold {:6.1f} ms, floor {:5.1f}\n", title,
             expanding, plain.making, folding, plain.joining);
}

void measure_ranges(size_t count, int rounds) {
  measure_range("n[1-N]", fmt::format("n[1-{}]", count), {}, count, rounds);
  measure_range("rack[..]n[..], two fields", fmt::format("rack[1-{}]n[0001-1000]", count / 1000),
                {}, count / 1000 * 1000, rounds);
  std::string list;
  Names plain;
  for (size_t i = 0; i < count; ++i) {
    plain.push_back(fmt::format("n{}", i * 7919 % count));
    list += (i == 0 ? "" : ",") + plain.back();
  }
  measure_range("a shuffled list of names", list, plain, count, rounds);
}

/// Starts a program with its output thrown away and waits for it.
void start(const std::string& program, const std::vector<const char*>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const char* argument : arguments) argv.push_back(const_cast<char*>(argument));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  require(posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ) == 0,
          "cannot start a program");
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  waitpid(child, &status, 0);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program failed");
}

void measure_starts(const std::string& drover, int rounds) {
  if (access(drover.c_str(), X_OK) != 0) {
    fmt::print("{} is not built; its start is left out\n", drover);
    return;
  }
  const auto row = [&](const char* title, const std::string& program,
                       const std::vector<const char*>& arguments) {
    fmt::print("{:<34} {:14.1f} ms\n", title,
               median_ms(rounds, [&] { start(program, arguments); }, children_ms));
  };
  row("floor: start of /bin/true", "/bin/true", {});
  row("drover --version", drover, {"--version"});
  row("drover node list --help", drover, {"node", "list", "--help"});
  row("drover nodes fold of 3 names", drover, {"nodes", "fold", "n1", "n2", "n3"});
  row("completion of a verb", drover, {"__complete", "--", "node", "l"});
}

}  // namespace

int main(int argc, char** argv) {
  const size_t names = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  require(names >= 1000 && rounds > 0, "usage: bench_cli [NAMES, at least 1000] [ROUNDS]");
  fmt::print("noderanges of {} names, CPU, median of {}\n", names, rounds);
  measure_ranges(names, rounds);
  fmt::print("start of a command, CPU, median of {}\n", rounds);
  std::string folder(argv[0]);
  folder.erase(std::min(folder.rfind('/'), folder.size()));
  measure_starts((folder.empty() ? "." : folder) + "/drover", rounds);
  return 0;
}
