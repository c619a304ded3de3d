// TFTP from anybody on the wire: first packets open a transfer or are refused, paths stay inside,
// and no later packets make a transfer send what is not the file.
#include "boot/tftp/transfer.hpp"
#include "fuzz.hpp"

#include <algorithm>

namespace {

using namespace drover::boot::tftp;  // NOLINT(google-build-using-namespace): one program
using drover::fuzz::require;

struct AnyFile final : Files {
  [[nodiscard]] std::optional<File> find(std::string_view path) const override {
    require(!path.empty() && path.front() != '/' && path.find('\\') == std::string_view::npos,
            "paths are relative");
    require(path != ".." && !path.starts_with("../") && !path.ends_with("/..") &&
                path.find("/../") == std::string_view::npos,
            "and lead nowhere else");
    return File{bytes, nullptr};
  }
  std::string bytes = std::string(5000, 'x');
};

/// The rest of the input are later packets: one length byte each.
void converse(Transfer& transfer, std::string_view rest, drover::MonoTime now) {
  Outgoing out;
  for (int step = 0; step < 200 && transfer.progress() == Progress::running; ++step) {
    size_t due = 0;
    while (transfer.next(out)) {
      require(out.head_size >= 4, "every packet has its head");
      require(out.body.size() <= transfer.block_size(), "no block is longer than agreed");
      require(++due <= transfer.window_size(), "no more than a window at once");
    }
    if (rest.empty()) {
      now = transfer.deadline();
      transfer.tick(now);
      continue;
    }
    const size_t length = std::min<size_t>(static_cast<unsigned char>(rest[0]), rest.size() - 1);
    transfer.receive(rest.substr(1, length), now);
    rest.remove_prefix(1 + length);
  }
  require(transfer.acknowledged() <= transfer.size(), "no more is acknowledged than there is");
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  const AnyFile files;
  const drover::MonoTime now{std::chrono::seconds(1000)};
  std::array<char, 512> out{};
  Opening whole = open(input, files, {}, now, out);
  require(whole.transfer == nullptr || !whole.refusal, "one or the other");
  if (whole.transfer) converse(*whole.transfer, {}, now);
  (void)read_client_packet(input);
  // Split in two: a request and what follows it.
  if (input.size() < 2) return;
  const size_t cut = 1 + static_cast<unsigned char>(input[0]);
  if (cut >= input.size()) return;
  Opening first = open(input.substr(1, cut - 1), files, {}, now, out);
  if (first.transfer) converse(*first.transfer, input.substr(cut), now);
}
