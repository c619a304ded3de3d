#!/bin/sh
# Drover's figures beside their floors, measured in the same run on this machine: ratios, CPU and
# memory. Never part of the tests. Usage: bench.sh [--quick] [NODES] (default 10000, quickly 1000); ends
# with 1 when a part did not reach its end, which the others do not care about. --quick shows in a few
# minutes that every part starts and ends; its figures say nothing. NODES are 1000 at least.
set -eu
QUICK=""
if [ "${1:-}" = --quick ]; then
  QUICK=quick
  shift
fi
BIN=${DROVER_BIN:-$(cd "$(dirname "$0")/.." && pwd)/build/release/bin}
NODES=${1:-$([ -n "$QUICK" ] && echo 1000 || echo 10000)}
LIMIT=600  # seconds for a part: none takes more than five minutes with 10,000 nodes
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
FAILED=""

printf 'machine: %s x %s, %s, load %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" "$(cut -d' ' -f1 /proc/loadavg)"
echo "Client and server share these cores, and so may others (the load says it): take the ratios, and CPU
rather than the clock, not the absolute figures."

# part NAME TITLE COMMAND..: runs it, shows what it says, and keeps that for the table of ratios.
part() {
  name=$1
  printf '\n== %s\n' "$2"
  shift 2
  began=$(date +%s)
  { timeout "$LIMIT" "$@" || echo "NOT FINISHED: $name ended with $?" | tee "$OUT/$name.failed"; } | tee "$OUT/$name"
  printf '(%s s)\n' "$(($(date +%s) - began))"
  [ ! -e "$OUT/$name.failed" ] || FAILED="$FAILED $name"
}

# full FULL QUICK: the arguments of a part.
args() { if [ -n "$QUICK" ]; then echo "$2"; else echo "$1"; fi; }

# shellcheck disable=SC2046  # lists of arguments
part floor "the floor of the links: bare epoll and OpenSSL, $NODES connections" "$BIN/bench_floor_echo" \
  "$NODES" $(args "10 30" "1 2")
# shellcheck disable=SC2046
part tree "the tree: $NODES nodes on the real protocol, master and aggregator together" "$BIN/bench_tree" \
  "$NODES" $(args "10 30" "1 2")
part store "the store beside plain SQLite" "$BIN/bench_store" "$(args 200000 2000)" "$OUT"
# shellcheck disable=SC2046
part net "streams and HTTP" "$BIN/bench_net" $(args "" "100 1")
[ "$(id -u)" -ne 0 ] || part names "a host's name through the C library, beside /etc/hosts" \
  sh "$(dirname "$0")/name_bench.sh" "$(dirname "$BIN")"
# shellcheck disable=SC2046
part cli "noderanges and the command line" "$BIN/bench_cli" $(args "" "1000 2")
# shellcheck disable=SC2046
part boot "the boot protocols, without sockets" "$BIN/bench_boot" "$NODES" "$(args 2 0.1)"
part wire "the boot services on a link, beside kea-dhcp4, tftpd-hpa and dnsmasq where they are installed" \
  env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/boot_wire_bench.py" "$NODES" "$(args 6 1)"
if command -v nginx > /dev/null; then
  # shellcheck disable=SC2046
  part http "a blob and boot scripts over HTTP, beside nginx" \
    env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/http_bench.py" $(args "300 7" "20 1")
fi
if [ "$(id -u)" -eq 0 ] && [ -e /usr/lib/ipxe/undionly.kpxe ]; then
  part storm "a storm of $NODES booting machines against a master and a boot daemon" \
    env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/boot_storm_bench.py" "$NODES"
  if command -v qemu-system-x86_64 dnsmasq nginx > /dev/null; then
    # shellcheck disable=SC2046
    part power "from power on to up in QEMU, beside dnsmasq and nginx" \
      env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/power_on_bench.py" $(args "3" "1 bios")
  fi
fi
part host "what a node pays" "$BIN/bench_host"
part model "the model, its API and the command line on $NODES nodes" \
  env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/model_bench.py" "$NODES" "$((NODES / 2))"
# shellcheck disable=SC2046
part smd "SMD's interface on $NODES nodes" \
  env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/smd_bench.py" "$NODES" $(args 2000 100)

# shellcheck disable=SC2046
part discover "from a network to nodes: scan, collect and adopt of emulated BMCs" \
  env DROVER_BIN="$BIN" /usr/bin/python3 -B "$(dirname "$0")/discover_bench.py" $(args "1000 50" "50 5")

floor() { sed -n "s/$1/\\1/p" "$OUT/floor" | head -n 1; }
tree() { sed -n "s/$1/\\1/p" "$OUT/tree" | head -n 1; }
row() { awk -v what="$1" -v ours="$2" -v floor="$3" -v unit="$4" -v budget="$5" \
  'BEGIN { printf "%-44s %9.1f %9.1f %-10s %5.2f x   %s\n", what, ours, floor, unit, (floor > 0 ? ours / floor : 0), budget }'; }

printf '\n%-44s %9s %9s %-10s %7s   %s\n' "ratios" "Drover" "floor" "" "" "budget of the blueprint"
row "heartbeat and sample at 1 Hz, CPU" "$(tree '.*Hz, CPU *\([0-9.]*\) %.*')" \
  "$(floor '^heartbeat.*server *\([0-9.]*\) %.*')" "% of core" "2.2 x (10 % over 4.6 %)"
row "memory per node" "$(tree 'memory per node *\([0-9.]*\) KiB')" \
  "$(floor '^heartbeat.*core, *\([0-9.]*\) KiB.*')" "KiB" "40 KiB"
names() { sed -n "s/^$1.*$2 *\([0-9.]*\) ms, floor *\([0-9.]*\).*/\\$3/p" "$OUT/cli" | head -n 1; }
row "100,000 names of n[1-N] expanded, CPU" "$(names 'n\[' expand 1)" "$(names 'n\[' expand 2)" "ms" "50 ms"
row "the same folded, CPU" "$(names 'n\[' fold 1)" "$(names 'n\[' fold 2)" "ms" "50 ms"
row "a shuffled list of 100,000 expanded, CPU" "$(names 'a shuffled' expand 1)" "$(names 'a shuffled' expand 2)" "ms" "50 ms"
row "the same folded, CPU" "$(names 'a shuffled' fold 1)" "$(names 'a shuffled' fold 2)" "ms" "50 ms"
row "call to all, folded, p50" "$(tree 'call to all.* \([0-9]*\) ms p50.*')" \
  "$(floor '^fan-out.*median *\([0-9.]*\) ms.*')" "ms" "1.6 x (400 ms over 253 ms)"

printf '\n'
for part in wire http storm power; do
  [ ! -e "$OUT/$part" ] || grep -aE '^(ratio|blob:|scripts|[a-z-]+ +ratio|[0-9]+ of [0-9]+ machines)' "$OUT/$part" || true
done

[ -z "$FAILED" ] || { printf '\nnot finished:%s\n' "$FAILED"; exit 1; }
