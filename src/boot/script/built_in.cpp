// Each try asks the server anew, so that a change made meanwhile counts, the token is fresh, and
// the wait before the next one can grow.
#include "boot/script/built_in.hpp"

#include <array>

namespace drover::boot::script {
namespace {

// iPXE: `a && b ||` is how a condition that may fail ends without ending the script. `imgfree`
// leaves the script itself alone. `initrd=` is what the EFI stub of a kernel looks for; BIOS passes
// it by. `errno` is a number that https://ipxe.org/err explains.
constexpr std::string_view kIpxeNetwork = R"(#!ipxe
# {{name}}: {{mode}} mode, image {{image}} {{image.digest}}
echo
echo Drover: {{name}} boots {{image}} ({{mode}} mode, Linux {{kernel.version}})
{{arch.check}}
kernel --name kernel {{kernel.url}} {{args}} || goto boot_retry
{{each initrds}}
initrd --name {{initrd.name}} {{initrd.url}} || goto boot_retry
{{end}}
boot || goto boot_retry

:boot_retry
echo Drover: {{name}} could not fetch or start it (error ${errno}, see https://ipxe.org/err/)
goto boot_again

:wrong_arch
echo Drover: {{name}} cannot run the image {{image}}, which is for {{arch}}; this is ${buildarch}
goto boot_again

:boot_again
echo Drover: {{tries}} tries before this one; asking again in {{delay}} s
imgfree
sleep {{delay}}
chain --replace --autofree {{again}} || goto boot_again
)";

constexpr std::string_view kIpxeDisk = R"(#!ipxe
# {{name}}: its own disk
echo
echo Drover: {{name}} boots from its own disk
# UEFI goes on with the next entry of its boot order.
iseq ${platform} efi && exit ||
sanboot --no-describe --drive 0x80 || goto boot_again

:boot_again
echo Drover: {{name}} has no disk to boot from (error ${errno}); asking again in {{delay}} s
sleep {{delay}}
chain --replace --autofree {{again}} || goto boot_again
)";

constexpr std::string_view kIpxeUnknown = R"(#!ipxe
echo
echo Drover: no node is known by this machine.
echo   MAC     {{mac}}
echo   address {{source}}
echo   UUID    ${uuid}
echo   serial  ${serial}
echo Make it one: drover node add NAME eth0.mac={{mac}}
goto boot_again

:boot_again
echo Asking again in {{delay}} s
sleep {{delay}}
chain --replace --autofree {{again}} || goto boot_again
)";

constexpr std::string_view kIpxeRefused = R"(#!ipxe
# {{name}}
echo
echo Drover: {{name}} cannot boot: {{problem}}
{{if fix}}
echo   {{fix}}
{{end}}
goto boot_again

:boot_again
echo Asking again in {{delay}} s
sleep {{delay}}
chain --replace --autofree {{again}} || goto boot_again
)";

// As BSS writes it, but for what keeps a machine that waits for hours from nesting its scripts.
constexpr std::string_view kIpxeGiven = R"(#!ipxe
kernel --name kernel {{kernel.url}} {{args}} || goto boot_retry
{{each initrds}}
initrd --name {{initrd.name}} {{initrd.url}} || goto boot_retry
{{end}}
boot || goto boot_retry

:boot_retry
imgfree
sleep {{delay}}
chain --replace --autofree {{again}} || goto boot_retry

)";

// GRUB as Debian signs it speaks TFTP and no HTTP, and loads nothing more under Secure Boot. A
// script that comes to its end goes back to the first file (daemons/boot/tftp_files.cpp), which
// waits as long as it is told and asks again: `configfile` would go one level deeper with each try.
constexpr std::string_view kGrubNetwork =
    R"(# {{name}}: {{mode}} mode, image {{image}} {{image.digest}}
echo 'Drover: {{name}} boots {{image}} ({{mode}} mode, Linux {{kernel.version}})'
if linux '(tftp,{{address}}){{kernel.path}}' {{args.quoted}}; then
  if initrd {{each initrds}}'(tftp,{{address}}){{initrd.path}}' {{end}}; then
    boot
  fi
fi
set drover_tries={{tries.next}}
set drover_wait={{delay}}
echo 'Drover: {{name}} could not fetch or start it; asking again in {{delay}} s'
)";

constexpr std::string_view kGrubDisk = R"(# {{name}}: its own disk
echo 'Drover: {{name}} boots from its own disk'
exit
)";

constexpr std::string_view kGrubUnknown = R"(echo 'Drover: no node is known by this machine.'
echo '  MAC     {{mac}}'
echo '  address {{source}}'
echo 'Make it one: drover node add NAME eth0.mac={{mac}}'
set drover_tries={{tries.next}}
set drover_wait={{delay}}
echo 'Asking again in {{delay}} s'
)";

constexpr std::string_view kGrubRefused = R"(# {{name}}
echo 'Drover: {{name}} cannot boot:'
echo '  {{problem}}'
{{if fix}}
echo '  {{fix}}'
{{end}}
set drover_tries={{tries.next}}
set drover_wait={{delay}}
echo 'Asking again in {{delay}} s'
)";

constexpr std::string_view kGrubGiven = R"(# {{name}}
echo 'Drover: {{name}} boots a kernel by URL, which GRUB cannot fetch'
set drover_tries={{tries.next}}
set drover_wait={{delay}}
echo 'Asking again in {{delay}} s'
)";

// Read by nodeboot: what is no command line is not one by what it says.
constexpr std::string_view kArgsNetwork = "{{args}}\n";
constexpr std::string_view kArgsDisk = "# {{name}}: its own disk\n";
constexpr std::string_view kArgsUnknown = "# no node is known by {{mac}}\n";
constexpr std::string_view kArgsRefused = "# {{name}} cannot boot: {{problem}}\n";

constexpr std::string_view kArgsGiven = "# {{name}}: a kernel by URL\n";

constexpr std::array kTexts{
    std::array{kIpxeNetwork, kIpxeDisk, kIpxeUnknown, kIpxeRefused, kIpxeGiven},
    std::array{kGrubNetwork, kGrubDisk, kGrubUnknown, kGrubRefused, kGrubGiven},
    std::array{kArgsNetwork, kArgsDisk, kArgsUnknown, kArgsRefused, kArgsGiven}};
constexpr std::array kNames{
    std::array{"ipxe/network", "ipxe/disk", "ipxe/unknown", "ipxe/refused", "ipxe/given"},
    std::array{"grub/network", "grub/disk", "grub/unknown", "grub/refused", "grub/given"},
    std::array{"disk/network", "disk/disk", "disk/unknown", "disk/refused", "disk/given"}};

using Parsed = std::array<std::array<Template, kTexts[0].size()>, kTexts.size()>;

Parsed parse_all() {
  Parsed out;
  for (size_t loader = 0; loader < out.size(); ++loader) {
    for (size_t purpose = 0; purpose < out[loader].size(); ++purpose) {
      auto parsed = Template::parse(kNames.at(loader).at(purpose), kTexts.at(loader).at(purpose));
      if (parsed) out.at(loader).at(purpose) = *std::move(parsed);
    }
  }
  return out;
}

}  // namespace

const Template& built_in(Loader loader, Purpose purpose) {
  static const Parsed all = parse_all();
  return all.at(static_cast<size_t>(loader)).at(static_cast<size_t>(purpose));
}

}  // namespace drover::boot::script
