// Lines "key value" in a fixed order; the last one is the SHA-256 of all before it.
#include "nodeboot/disk_mark.hpp"

#include "net/sha256.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr std::string_view kTitle = "drover-disk 1\n";
constexpr std::string_view kSum = "sum ";

bool is_digest(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// Takes the line "key value" off the front; nothing when another one stands there.
std::optional<std::string_view> take(std::string_view& text, std::string_view key) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') {
    return std::nullopt;
  }
  text.remove_prefix(end + 1);
  line.remove_prefix(key.size() + 1);
  return line;
}

}  // namespace

std::string to_sector(const DiskMark& mark) {
  std::string out = fmt::format("{}state {}\ncluster {}\nroot {}\nsize {}\nstart {}\n", kTitle,
                                mark.whole ? "whole" : "begun", mark.cluster, mark.root, mark.size,
                                mark.start.empty() ? "-" : mark.start);
  out += fmt::format("{}{}\n", kSum, net::sha256_hex(out));
  out.resize(kMarkBytes, '\0');
  return out;
}

std::optional<DiskMark> parse_mark(std::string_view sector) {
  std::string_view text = sector.substr(0, kMarkBytes);
  if (!text.starts_with(kTitle)) return std::nullopt;
  const size_t sum_at = text.find("\nsum ");
  if (sum_at == std::string_view::npos) return std::nullopt;
  std::string_view sum = text.substr(sum_at + 1);
  const auto said = take(sum, "sum");
  if (!said || *said != net::sha256_hex(text.substr(0, sum_at + 1))) return std::nullopt;
  if (sum.find_first_not_of('\0') != std::string_view::npos) return std::nullopt;
  text.remove_prefix(kTitle.size());
  const auto state = take(text, "state");
  const auto cluster = take(text, "cluster");
  const auto root = take(text, "root");
  const auto size = take(text, "size");
  const auto start = take(text, "start");
  if (!state || !cluster || !root || !size || !start) return std::nullopt;
  DiskMark out;
  const auto [end, error] = std::from_chars(size->data(), size->data() + size->size(), out.size);
  const bool good = (*state == "whole" || *state == "begun") && is_digest(*cluster) &&
                    is_digest(*root) && error == std::errc{} &&
                    end == size->data() + size->size() && (*start == "-" || is_digest(*start));
  if (!good) return std::nullopt;
  out.whole = *state == "whole";
  out.cluster = *cluster;
  out.root = *root;
  if (*start != "-") out.start = *start;
  return out;
}

}  // namespace drover::nodeboot
