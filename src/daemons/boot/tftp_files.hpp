// What TFTP serves: the loaders, and to GRUB, which may speak nothing else, the machine's script
// and the kernels and first roots of images.
#pragma once

#include "boot/io/boot_handler.hpp"
#include "boot/io/loader_shelf.hpp"
#include "boot/tftp/transfer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// One thread. Paths besides those of loaders:
///
///     grub/grub.cfg              GRUB's first file, for all machines (grub/x86_64-efi/.. as well)
///     grub/script/MAC/TRIES      the script of a machine
///     boot/blobs/SHA256          a kernel or first root; what needs a token is refused
class TftpFiles final : public boot::tftp::Files {
 public:
  /// Files of images that are held in memory, as packets are made of it: those used last.
  static constexpr size_t kHeld = 8;

  /// What is referred to outlives this.
  TftpFiles(const boot::LoaderShelf& loaders, boot::BootHandler& handler, boot::BlobSource& blobs)
      : loaders_(loaders), handler_(handler), blobs_(blobs) {}
  [[nodiscard]] std::optional<boot::tftp::File> find(std::string_view path) const override;
  [[nodiscard]] std::optional<boot::tftp::File> find_for(
      std::string_view path, const boot::tftp::Asker& asker) const override;

 private:
  struct Held {
    std::string sha256;
    std::shared_ptr<const std::string> bytes;
  };
  [[nodiscard]] std::optional<boot::tftp::File> script(std::string_view rest,
                                                       const boot::tftp::Asker& asker) const;
  [[nodiscard]] std::optional<boot::tftp::File> blob(const std::string& sha256,
                                                     const boot::tftp::Asker& asker) const;

  const boot::LoaderShelf& loaders_;
  boot::BootHandler& handler_;
  boot::BlobSource& blobs_;
  mutable std::vector<Held> held_;  ///< the one used last is the last
};

}  // namespace drover::daemons
