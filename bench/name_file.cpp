// Writes a file of names for name_bench.sh: bench_name_file NAMES PATH.
#include "nss/name_file_writer.hpp"
#include "os/public_file.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int names = std::atoi(argv[1]);
  drover::nss::NameFileWriter writer;
  for (int i = 0; i < names; ++i) {
    drover::nss::NamedHost host;
    host.names = {fmt::format("n{}.cluster.internal", i), fmt::format("n{}", i)};
    host.addresses4.push_back(
        {10, 77, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i & 255)});
    writer.add(host);
  }
  const auto written = drover::os::write_public_file(argv[2], writer.finish(1));
  if (!written) std::fprintf(stderr, "%s\n", written.error().text().c_str());
  return written ? 0 : 1;
}
