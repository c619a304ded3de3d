#!/bin/sh
# A host's name looked up through the C library: libnss_drover beside /etc/hosts, 100 and 10,000 names.
# usage: name_bench.sh BUILD_FOLDER   (root: it needs a mount namespace of its own)
set -e
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/drover"
for names in 100 10000; do
  "$build/bin/bench_name_file" "$names" "$work/drover/master.names"
  awk -v n="$names" 'BEGIN { for (i = 0; i < n; i++)
    printf "10.77.%d.%d n%d.cluster.internal n%d\n", i / 256, i % 256, i, i }' >"$work/hosts"
  for source in drover files; do
    echo "hosts: $source" >"$work/nsswitch.conf"
    printf '%6d names, %-6s ' "$names" "$source"
    LD_LIBRARY_PATH="$build/lib" unshare -m --propagation private sh -c 'mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
      mount --bind "$1/hosts" /etc/hosts; mount -t tmpfs none /run; mkdir /run/drover
      mount --bind "$1/drover" /run/drover; exec "$2" "$3" 2' sh "$work" "$build/bin/bench_name_lookup" "$names"
  done
done
