// What a look-up of a host costs the program that makes it, through the C library and whatever
// /etc/nsswitch.conf names: bench_name_lookup NAMES SECONDS PREFIX. name_bench.sh runs it beside
// /etc/hosts.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <netdb.h>

int main(int argc, char** argv) {
  const int names = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1.0;
  std::vector<char> space(8192);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  long done = 0;
  long missed = 0;
  double taken = 0;
  while (taken < seconds) {
    for (int i = 0; i < 16; ++i, ++done) {
      const std::string name = "n" + std::to_string(done * 7919 % names);
      hostent host{};
      hostent* found = nullptr;
      int error = 0;
      const int rc =
          ::gethostbyname2_r(name.c_str(), 2, &host, space.data(), space.size(), &found, &error);
      if (rc != 0 || found == nullptr) ++missed;
    }
    taken = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::printf("%.0f ns a look-up, %ld missed of %ld\n", taken * 1e9 / static_cast<double>(done),
              missed, done);
  return missed == 0 ? 0 : 1;
}
