// depmod's tables and the kernel's messages, of whatever version or damage: every order of loading
// ends, with each module once.
#include "fuzz.hpp"
#include "os/kernel_log.hpp"
#include "os/kernel_modules.hpp"

#include <set>

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto message = drover::os::parse_kernel_message(input);
  require(!message || (message->level >= 0 && message->level < 8), "a level is a level");
  const size_t cut = input.find('\0');
  const std::string_view dep = input.substr(0, cut);
  const std::string_view rest =
      cut == std::string_view::npos ? std::string_view() : input.substr(cut + 1);
  const auto index = drover::os::ModuleIndex::parse({dep, rest, dep, rest});
  for (const auto& [name, module] : index.modules()) {
    const auto order = index.load_order(name);
    require(order.has_value(), "what is known can be loaded");
    const std::set<std::string> once(order->begin(), order->end());
    require(once.size() == order->size() && once.contains(module.path), "each once, itself too");
  }
  (void)index.for_device(rest.substr(0, 200));
}
