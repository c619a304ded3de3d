#include "daemons/boot/tftp_files.hpp"

#include <algorithm>
#include <array>

namespace drover::daemons {
namespace {

constexpr std::string_view kScripts = "grub/script/";
constexpr std::string_view kBlobs = "boot/blobs/";
/// Kernels and first roots are far smaller; a root is not served by TFTP.
constexpr uint64_t kLargest = uint64_t{1} << 30;

/// Where GRUB as distributions sign it looks, with the prefix /grub that is built into it.
constexpr std::array<std::string_view, 3> kEntries{"grub/grub.cfg", "grub/x86_64-efi/grub.cfg",
                                                   "grub/arm64-efi/grub.cfg"};

/// The same for all: GRUB knows its server and its card. Without the loop it would stand at a
/// prompt of its own once a server did not answer.
constexpr std::string_view kEntry =
    R"(# By Drover: fetches the script of the machine with this network card.
set timeout=0
set drover_tries=0
while true; do
  set drover_wait=5
  source "(tftp,$net_default_server)/grub/script/$net_default_mac/$drover_tries"
  sleep $drover_wait
done
)";

boot::tftp::File file_of(std::shared_ptr<const std::string> bytes) {
  const std::string_view view = *bytes;
  return {view, std::move(bytes)};
}

/// All of a body that is here already; null when it could not be read.
std::shared_ptr<const std::string> read_all(const net::HttpBody& body) {
  if (body.size() > kLargest) return nullptr;
  auto out = std::make_shared<std::string>(body.size(), '\0');
  for (size_t done = 0; done < out->size();) {
    const auto got = body.read(done, std::span(out->data() + done, out->size() - done));
    if (!got || *got == 0) return nullptr;
    done += *got;
  }
  return out;
}

}  // namespace

std::optional<boot::tftp::File> TftpFiles::find(std::string_view path) const {
  return find_for(path, {});
}

std::optional<boot::tftp::File> TftpFiles::find_for(std::string_view path,
                                                    const boot::tftp::Asker& asker) const {
  if (std::ranges::find(kEntries, path) != kEntries.end()) {
    return boot::tftp::File{kEntry, nullptr};
  }
  if (path.starts_with(kScripts)) return script(path.substr(kScripts.size()), asker);
  if (path.starts_with(kBlobs)) return blob(std::string(path.substr(kBlobs.size())), asker);
  const boot::LoaderFile* file = loaders_.find(path);
  if (file == nullptr) return {};
  return boot::tftp::File{*file->bytes, file->bytes};
}

std::optional<boot::tftp::File> TftpFiles::script(std::string_view rest,
                                                  const boot::tftp::Asker& asker) const {
  boot::ScriptQuery query;
  const size_t slash = rest.find('/');
  query.mac = rest.substr(0, slash);
  if (slash != std::string_view::npos) query.retry = rest.substr(slash + 1);
  query.format = "grub";
  query.source = asker.client;
  const bool v6 = asker.server.find(':') != std::string::npos;
  query.host = v6 ? "[" + asker.server + "]" : asker.server;
  auto made = handler_.script(query);
  if (!made) return {};
  return file_of(std::make_shared<const std::string>(std::move(made->text)));
}

/// GRUB asks again in a while for what had to be fetched from a master first.
std::optional<boot::tftp::File> TftpFiles::blob(const std::string& sha256,
                                                const boot::tftp::Asker& asker) const {
  if (!handler_.may_have(sha256, "", asker.client)) return {};
  const auto held = std::ranges::find(held_, sha256, &Held::sha256);
  if (held != held_.end()) {
    std::rotate(held, held + 1, held_.end());
    return file_of(held_.back().bytes);
  }
  // What comes later comes into this, which nobody looks at any more.
  const auto found = std::make_shared<std::shared_ptr<const net::HttpBody>>();
  blobs_.find(sha256, [found](Result<std::shared_ptr<const net::HttpBody>> body) {
    if (body) *found = *std::move(body);
  });
  if (*found == nullptr) return {};
  auto bytes = read_all(**found);
  if (bytes == nullptr) return {};
  if (held_.size() == kHeld) held_.erase(held_.begin());
  held_.push_back({sha256, std::move(bytes)});
  return file_of(held_.back().bytes);
}

}  // namespace drover::daemons
