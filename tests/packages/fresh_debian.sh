#!/usr/bin/env bash
# usage: fresh_debian.sh BUILD_FOLDER
# Packs what was built, installs the packages into a fresh Debian 12, boots that under systemd-nspawn
# and runs inside.sh in it: a cluster of every role, made as an administrator would make it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1

skip() { echo "skipped: $*"; exit 77; }
[[ $(id -u) -eq 0 ]] || skip "only root can boot a container"
for tool in mmdebstrap systemd-nspawn dpkg-deb cpack; do
  command -v "$tool" >/dev/null || skip "there is no $tool"
done

work=$(mktemp -d /tmp/drover-packages.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT

cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/debs" >"$work/cpack.log" ||
  { cat "$work/cpack.log"; exit 1; }
debs=("$work"/debs/*.deb)
echo "packed: ${debs[*]##*/}"

# The fresh Debian with what the packages depend on, kept until that changes: Debian's mirror is asked
# once, and dpkg then installs ours without any network.
depends=$(for deb in "${debs[@]}"; do dpkg-deb -f "$deb" Depends; done |
  tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -v drover | sort -u | paste -sd,)
include="systemd,systemd-sysv,dbus,procps,iproute2,man-db,$depends"
cache="$build/fresh-debian-$(echo "$include" | sha256sum | cut -c1-16).tar"
if [[ ! -s $cache ]]; then
  rm -f "$build"/fresh-debian-*.tar
  mmdebstrap --quiet --variant=minbase --include="$include" bookworm "$work/new.tar" 2>"$work/mmdebstrap.log" ||
    { tail -5 "$work/mmdebstrap.log"; skip "no fresh Debian can be made here (is a mirror in reach?)"; }
  mv "$work/new.tar" "$cache"
fi
mkdir "$work/root"
tar -C "$work/root" -xf "$cache"

install -d "$work/root/drover"
cp "${debs[@]}" "$here/inside.sh" "$work/root/drover/"
cat >"$work/root/etc/systemd/system/inside.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c '/bin/bash /drover/inside.sh >/drover/log 2>&1; echo $? >/drover/status'
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
install -d "$work/root/etc/systemd/system/multi-user.target.wants"
ln -s ../inside.service "$work/root/etc/systemd/system/multi-user.target.wants/inside.service"

# Its own mounts, with an empty /run/systemd: this machine's may belong to no systemd at all.
unshare -m --propagation private sh -c 'mkdir -p /run/systemd; mount -t tmpfs none /run/systemd
  exec timeout -k 5 240 systemd-nspawn -q -D "$1" --machine=drover-packages --register=no --keep-unit \
    --private-network --console=passive -b </dev/null >"$2" 2>&1' sh "$work/root" "$work/console" || true

cat "$work/root/drover/log" 2>/dev/null || { tail -40 "$work/console"; echo "the container said nothing"; exit 1; }
status=$(cat "$work/root/drover/status" 2>/dev/null || echo none)
[[ $status == 0 ]] || { echo "failed inside: status $status"; exit 1; }
