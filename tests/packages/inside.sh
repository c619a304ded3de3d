#!/bin/bash
# Runs as root inside the fresh Debian: installs, forms a cluster, harms it, upgrades and purges.
set -euo pipefail
shopt -s inherit_errexit
cd /drover

say() { printf '== %s\n' "$*"; }
die() {
  printf 'FAILED: %s\n' "$*"
  systemctl --no-pager --full status 'drover-*' | tail -60 || true
  journalctl --no-pager -n 60 -u 'drover-*' || true
  exit 1
}
# until_true WHAT COMMAND..: waits up to 60 s for a condition.
until_true() {
  local what=$1 end=$((SECONDS + 60))
  shift
  until "$@" >/drover/last 2>&1; do
    ((SECONDS < end)) || die "$what: not within 60 s; last: $(tail -3 /drover/last)"
    sleep 0.1
  done
  say "$what"
}
check() {
  local what=$1
  shift
  "$@" >/drover/last 2>&1 || die "$what: $(tail -5 /drover/last)"
  say "$what"
}
main_pid() { systemctl show -P MainPID "$1"; }
node_is() { [[ $(drover node list -o json | tr -d ' \n') =~ \"name\":\"$1\".*\"state\":\"$2\" ]]; }

say "install"
dpkg -i drover_*.deb drover-common_*.deb libnss-drover_*.deb drover-{master,aggregator,utility,compute}_*.deb >/drover/last 2>&1 ||
  die "dpkg -i: $(tail -5 /drover/last)"

check "the manual of every program is there" man -w drover drover-master drover-aggregator drover-utility drover-compute
check "completion is there" test -s /usr/share/bash-completion/completions/drover -a \
  -s /usr/share/zsh/vendor-completions/_drover -a -s /usr/share/fish/vendor_completions.d/drover.fish
until_true "the master runs after its installation alone" systemctl is-active drover-master
check "it runs as drover" test "$(ps -o user= -p "$(main_pid drover-master)")" = drover
until_true "the command line finds it" drover node list
for role in aggregator utility compute; do
  check "$role waits until its host has joined" test "$(systemctl is-active drover-$role)" = inactive
done

say "join"
sed -i 's/^#\[tree\]$/[tree]/; s/^#advertise = .*/advertise = ["127.0.0.1:9815"]/' /etc/drover/master.toml
check "a changed setting" systemctl restart drover-master
until_true "the master is back" drover node list
join() {
  local role=$1 name=$2
  shift 2
  drover token create --role "$role" --names "$name" -o json >/drover/token.json 2>/drover/last ||
    die "a token for $name: $(tail -5 /drover/last)"
  sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' /drover/token.json >/drover/token
  check "$name joins" drover join --server https://127.0.0.1:9443 --role "$role" --name "$name" --token @/drover/token "$@"
}
join aggregator agg1 --listen 127.0.0.1:9800
check "the aggregator's own setting" sh -c 'echo "advertise = [\"127.0.0.1:9800\"]" >>/etc/drover/aggregator.toml'
check "agg1 starts" systemctl start drover-aggregator
join utility login1
check "login1 starts" systemctl start drover-utility
join compute n1
check "n1 starts" systemctl start drover-compute
until_true "the compute is up" node_is n1 up
until_true "the login node is up" node_is login1 up
until_true "the cluster answers calls" drover call ping n1
check "the agent is root's, the aggregator is not" test \
  "$(ps -o user= -p "$(main_pid drover-compute)")$(ps -o user= -p "$(main_pid drover-aggregator)")" = rootdrover

say "names"
check "hosts are asked of Drover" grep -Eq '^hosts:.*files drover' /etc/nsswitch.conf
check "a node with an address" drover node add web1 eth0.address=10.99.0.21
until_true "every program finds it, a user's too" runuser -u nobody -- getent hosts web1
check "its name" sh -c '[ "$(getent hosts 10.99.0.21)" = "$(getent hosts web1)" ]'

say "who may what"
check "a user may look" runuser -u nobody -- drover node list
if runuser -u nobody -- drover node set n1 service=maintenance --why no >/drover/last 2>&1; then die "a user may change"; fi
check "state is private" sh -c '[ "$(stat -c %a /var/lib/drover/master)" = 700 ] && [ "$(stat -c %U:%a /var/lib/drover/aggregator/identity/identity.pem)" = drover:600 ]'

say "sandbox"
for unit in master aggregator utility; do
  score=$(systemd-analyze security --no-pager drover-$unit.service | sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
  awk "BEGIN { exit !($score <= 2.5) }" || die "drover-$unit: exposure $score"
  say "drover-$unit: exposure $score"
done
check "systemd finds no fault in the units" sh -c 'systemd-analyze verify drover-master.service drover-aggregator.service drover-utility.service drover-compute.service 2>&1 | grep -i drover | grep . && exit 1 || exit 0'

say "harm"
for unit in master aggregator utility compute; do
  pid=$(main_pid drover-$unit)
  kill -9 "$pid"
  until_true "drover-$unit is back after kill -9" sh -c "[ \$(systemctl show -P MainPID drover-$unit) != $pid ] && systemctl is-active drover-$unit"
done
until_true "the cluster is whole again" drover call ping n1
pid=$(main_pid drover-master)
kill -STOP "$pid"
until_true "the watchdog replaces a hung master" sh -c "[ \$(systemctl show -P MainPID drover-master) != $pid ] && systemctl is-active drover-master"
until_true "and the cluster goes on" drover call ping n1
check "reload" systemctl reload drover-master
check "still there" drover node show n1

say "upgrade: the settings and the state stay"
dpkg -i drover_*.deb drover-common_*.deb libnss-drover_*.deb drover-{master,aggregator,utility,compute}_*.deb >/drover/last 2>&1 ||
  die "dpkg -i again: $(tail -5 /drover/last)"
check "the settings were kept" grep -q '^advertise = \["127.0.0.1:9815"\]' /etc/drover/master.toml
until_true "the node is up again" node_is n1 up

say "stop and purge"
check "everything ends in order" systemctl stop drover-compute drover-utility drover-aggregator drover-master
for unit in master aggregator utility compute; do
  check "drover-$unit ended well" test "$(systemctl show -P Result drover-$unit)" = success
done
dpkg -P drover-master drover-aggregator drover-utility drover-compute libnss-drover drover-common drover >/drover/last 2>&1 ||
  die "purge: $(tail -5 /drover/last)"
check "nothing of it is left" sh -c '! ls -d /etc/drover /var/lib/drover /usr/sbin/drover-* /usr/bin/drover /usr/lib/systemd/system/drover-* 2>/dev/null | grep .'
check "nobody looks for its names" sh -c '! grep drover /etc/nsswitch.conf'
say "done"
