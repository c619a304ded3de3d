#!/bin/sh
# A cluster of machines with nothing on their disks, on this machine: an isolated network (a namespace with a
# bridge), a manager in it (master, aggregator, drover-boot), and QEMU machines that boot from it like real ones,
# each switched on and off by a BMC of its own (drover-sim, Redfish over TLS). The manager finds the machines by
# their BMCs: no node is defined by hand.
#
#   lab.sh up [--nodes N] [--uefi | --uefi-http] [--memory MIB]   make it and show every stage until all are up
#   lab.sh status                                                 what runs, and the nodes
#   lab.sh possible                                               whether it can be made here; says why not
#   lab.sh down                                                   end exactly what was started, and remove it
#
# Needs root and the packages qemu-system-x86 ipxe-qemu ipxe iproute2 linux-image-cloud-amd64 openssl, with --uefi
# ovmf.
# Nothing of it can be reached from outside, and nothing outside from it.
set -eu

BIN=${DROVER_BIN:-$(cd "$(dirname "$0")/.." && pwd)/build/dev/bin}
SELF=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
RUN=${DROVER_LAB_DIR:-/run/drover-lab}
NET=${DROVER_LAB_NET:-drover-lab}
HERE=10.77.0.1
export DROVER_SOCKET="$RUN/master.sock"
# A package has the daemons in sbin, and the BMCs beside its libraries; what was named comes first.
export PATH="$BIN:/usr/lib/drover:/usr/sbin:/sbin:$PATH"

say() { printf '\n== %s\n' "$*"; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }
inside() { ip netns exec "$NET" "$@"; }

need() {
  [ "$(id -u)" -eq 0 ] || die "only root can make a network namespace"
  for tool in ip qemu-system-x86_64 openssl; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install --no-install-recommends qemu-system-x86 ipxe-qemu ipxe iproute2 linux-image-cloud-amd64 openssl ovmf"
  done
  for program in drover-boot drover-sim; do
    command -v "$program" >/dev/null || die "$program is neither at $BIN nor installed"
  done
  [ ! -e "$RUN" ] || die "there is a lab already at $RUN; end it with: lab down"
}

# kernel: the newest installed kernel that has its modules.
kernel() {
  for image in $(ls -r /boot/vmlinuz-* 2>/dev/null); do
    version=${image#/boot/vmlinuz-}
    [ ! -e "/lib/modules/$version/modules.dep" ] || { echo "$version"; return; }
  done
  die "no kernel with modules is installed: apt-get install --no-install-recommends linux-image-cloud-amd64"
}

# alive NAME: whether what was started here under that name is running.
alive() {
  [ -f "$RUN/$1.pid" ] || return 1
  read -r pid began <"$RUN/$1.pid"
  [ "$(cut -d' ' -f22 "/proc/$pid/stat" 2>/dev/null)" = "$began" ]
}

# launch NAME COMMAND..: in the lab's network, in the background, noted for down.
launch() {
  name=$1; shift
  ip netns exec "$NET" setsid "$@" >>"$RUN/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(cut -d' ' -f22 "/proc/$pid/stat")" >"$RUN/$name.pid"
}

# wait_for SECONDS WHAT COMMAND..
wait_for() {
  limit=$1; what=$2; shift 2
  tries=$((limit * 5))
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { tail -n 5 "$RUN"/*.log >&2; die "$what did not happen within $limit s; logs: $RUN"; }
    sleep 0.2
  done
}

join() {
  role=$1; name=$2; shift 2
  token=$(drover token create --role "$role" --names "$name" -o name 2>/dev/null)
  inside drover join --server "https://$HERE:9443" --token "$token" --role "$role" --name "$name" \
    --dir "$RUN/$name" >>"$RUN/$name.log" 2>&1 || { cat "$RUN/$name.log" >&2; die "$name could not join"; }
  launch "$name" "drover-$role" --config "$RUN/$name/$role.toml" --socket "$RUN/$name.sock" "$@"
}

network() {
  ip netns add "$NET"
  ip -n "$NET" link set lo up
  ip -n "$NET" link add br0 type bridge stp_state 0 forward_delay 0
  ip -n "$NET" addr add "$HERE/24" dev br0
  ip -n "$NET" addr add fd77::1/64 dev br0 nodad
  ip -n "$NET" link set br0 up
}

mac() { printf '52:54:00:77:00:%02x' "$1"; }

# machine NUMBER: what runs while a machine is on; its BMC starts and ends it.
machine() {
  number=$1
  echo "$$ $(cut -d' ' -f22 "/proc/$$/stat")" >"$RUN/n$number.pid"
  set -- -accel tcg,thread=single -m "$DROVER_LAB_MEMORY" -display none -no-user-config -nodefaults \
    -chardev "socket,id=serial,path=$RUN/consoles/n$number,server=on,wait=off,logfile=$RUN/n$number.console,logappend=on" \
    -serial chardev:serial -qmp "unix:$RUN/n$number.qmp,server=on,wait=off" \
    -smbios "type=1,manufacturer=Drover,product=lab,serial=$(printf 'S%06d-0' "$number")" \
    -netdev "tap,id=n0,ifname=tap$number,script=no,downscript=no" -device virtio-rng-pci
  case $DROVER_LAB_FIRMWARE in
    bios) set -- "$@" -device "virtio-net-pci,netdev=n0,mac=$(mac "$number"),bootindex=1" ;;
    *)
      [ -e "$RUN/n$number.vars" ] || cp /usr/share/OVMF/OVMF_VARS_4M.fd "$RUN/n$number.vars"
      set -- "$@" -M q35 -device "virtio-net-pci,netdev=n0,mac=$(mac "$number"),bootindex=1,romfile=" \
        -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
        -drive "if=pflash,format=raw,file=$RUN/n$number.vars"
      [ "$DROVER_LAB_FIRMWARE" != uefi-http ] || set -- "$@" -fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=n \
        -fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=n ;;
  esac
  exec qemu-system-x86_64 "$@" >>"$RUN/n$number.log" 2>&1
}

# hardware: a port of the network for each machine, and its BMC at $BMCS$((100 + number)), all off.
hardware() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=bmc \
    -keyout "$RUN/bmc.key" -out "$RUN/bmc.pem" 2>>"$RUN/bmc.log"
  password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
  printf '#!/bin/sh\nexec sh "%s" machine "$1"\n' "$SELF" >"$RUN/machine"
  chmod 700 "$RUN/machine"
  for i in $(seq "$NODES"); do
    inside ip tuntap add "tap$i" mode tap
    ip -n "$NET" link set "tap$i" master br0 up
    ip -n "$NET" addr add "$(bmc "$i")/32" dev br0
    launch "bmc$i" env DROVER_LAB_DIR="$RUN" DROVER_LAB_NET="$NET" DROVER_LAB_MEMORY="$MEMORY" \
      DROVER_LAB_FIRMWARE="$FIRMWARE" drover-sim bmcs --first "$i" --host "$(bmc "$i")" --port 443 --user root \
      --password "$password" --certificate "$RUN/bmc.pem" --key "$RUN/bmc.key" --power-time 100 --nics 1 \
      --mac "$(mac "$i")" --machine "$RUN/machine"
  done
  printf %s "$password" | drover power credential default --user root --password-file -
}
bmc() { printf '10.77.0.%d' $((100 + $1)); }

up() {
  NODES=2; FIRMWARE=bios; MEMORY=256
  while [ $# -gt 0 ]; do
    case $1 in
      --nodes) NODES=$2; shift 2 ;;
      --memory) MEMORY=$2; shift 2 ;;
      --uefi) FIRMWARE=uefi; shift ;;
      --uefi-http) FIRMWARE=uefi-http; shift ;;
      *) die "up takes --nodes N, --memory MIB, --uefi and --uefi-http, not '$1'" ;;
    esac
  done
  case $NODES in *[!0-9]* | '' | 0) die "--nodes takes a number from 1 on, not '$NODES'" ;; esac
  need
  version=$(kernel)
  mkdir -m 700 "$RUN"
  trap 'status=$?; [ $status -eq 0 ] || { [ -n "${DROVER_LAB_KEEP:-}" ] || down; }' EXIT

  say "an isolated network, and a manager in it: master, aggregator, drover-boot"
  network
  mkdir "$RUN/consoles"
  launch master drover-master --name master --cluster lab --state "$RUN/master" --socket "$RUN/master.sock" \
    --http-listen "$HERE:9443" --tree-listen "$HERE:9815"
  wait_for 20 "the master's start" drover version
  join aggregator agg1 --listen "$HERE:9800"
  join boot boot1 --images "$RUN/images"
  wait_for 20 "the aggregator's link" aggregator_up

  say "what they boot: Linux $version with Drover's first root"
  drover image import lean --kernel "/boot/vmlinuz-$version" --modules "/lib/modules/$version" \
    --agent "$(command -v drover-compute)" --images "$RUN/images"
  show network add lab prefix=10.77.0.0/24 mode=full gateway="$HERE"
  show setting set "console.sockets=$RUN/consoles"
  show profile add default image=lean console=ttyS0 kernel_args="no_timer_check tsc=reliable" \
    console_by=socket "console_socket=$RUN/consoles/\${name}"

  say "$NODES machines with nothing on their disks, each with a BMC, and no node is known"
  hardware
  wait_for 20 "every BMC" all_listen
  show discover scan 10.77.0.0/24 --patience 1500
  show discover collect --found
  show discover list
  show discover adopt "n[1-$NODES]" --network lab --address '10.77.0.${number+10}/24'
  show power status '@compute'

  say "they are switched on ($FIRMWARE)"
  began=$(date +%s%3N)
  show power on '@compute' --yes
  show_until_up 240
  echo "all up $(($(date +%s%3N) - began)) ms after power-on, measured from the command line"
  drover node list
  cat <<END

socket   $RUN/master.sock     console   drover console n1
try      export DROVER_SOCKET=$RUN/master.sock PATH=$BIN:\$PATH
end      drover lab down
END
}

# show WORDS..: a command as people type it, and what it answers.
show() {
  printf '$ drover'
  for word in "$@"; do
    case $word in *[!a-zA-Z0-9._,:/=@%+-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  drover "$@"
}

# show_until_up SECONDS: every change of the list of nodes, with the time since power-on.
show_until_up() {
  tries=$(($1 * 5)); shown=
  until all_up; do
    now=$(drover node list | tail -n +2)
    if [ "$now" != "$shown" ]; then
      echo "$now" | while read -r line; do printf '%6d ms  %s\n' $(($(date +%s%3N) - began)) "$line"; done
      shown=$now
    fi
    tries=$((tries - 1))
    [ $tries -gt 0 ] || die "not every node came up within $1 s; logs and consoles: $RUN"
    sleep 0.2
  done
}

# all_listen: whether every BMC has bound its port.
all_listen() { [ "$(inside ss -Hltn 'sport = :443' | wc -l)" -ge "$NODES" ]; }
aggregator_up() { drover health -o json | tr -d '\n ' | grep -q '"role":"aggregator","state":"up"'; }
all_up() { [ "$(drover nodes count '@compute@confirmed=true@phase=up')" = "$NODES" ]; }

down() {
  [ -d "$RUN" ] || { echo "no lab is running"; return 0; }
  names=$(cd "$RUN" && ls ./*.pid 2>/dev/null | sed 's,^\./,,; s,\.pid$,,' || true)
  for name in $names; do ! alive "$name" || { read -r pid _ <"$RUN/$name.pid"; kill "$pid" 2>/dev/null || true; }; done
  for name in $names; do
    tries=50
    while alive "$name" && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    ! alive "$name" || { read -r pid _ <"$RUN/$name.pid"; kill -9 "$pid" 2>/dev/null || true; }
  done
  ip netns del "$NET" 2>/dev/null || true
  rm -rf "$RUN"
  echo "the lab is down and its files are gone"
}

status() {
  [ -d "$RUN" ] || { echo "no lab is running"; return 0; }
  for file in "$RUN"/*.pid; do
    name=$(basename "$file" .pid)
    if alive "$name"; then echo "$name runs"; else echo "$name has ended, or is switched off"; fi
  done
  drover node list
}

habit=${1:-}
[ $# -eq 0 ] || shift
case $habit in
  up) up "$@" ;;
  down) down ;;
  possible) (need) && (kernel >/dev/null) ;;
  status) status ;;
  machine) machine "$@" ;;
  *) die "up, down or status, not '$habit'" ;;
esac
