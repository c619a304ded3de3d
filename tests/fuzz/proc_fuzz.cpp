// The parsers of /proc and of text from /sys.
#include "fuzz.hpp"
#include "os/host/metrics.hpp"
#include "os/host/text.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover::os;
  RawMetrics::Load load;
  RawMetrics::Memory memory;
  RawMetrics::Cpu cpu;
  RawMetrics::Disk disk;
  (void)parse_loadavg(input, load);
  (void)parse_meminfo(input, memory);
  (void)parse_stat(input, cpu);
  std::string_view rest = input;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    std::string_view name;
    uint64_t rx = 0;
    uint64_t tx = 0;
    (void)parse_net_line(line, name, rx, tx);
    (void)parse_disk_line(line, name, disk);
  }
  const std::string text = clean(input);
  drover::fuzz::require(clean(text) == text, "what is clean stays as it is");
  const auto numbers = parse_list(input);
  drover::fuzz::require(numbers.size() <= 65536, "lists are bounded");
}
