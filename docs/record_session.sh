#!/bin/sh
# Records docs/session.md: a real session with a master of its own, from an empty cluster to 1,000 nodes.
# usage: docs/record_session.sh [FILE]   (default docs/session.md; programs in DROVER_BIN, default build/dev/bin)
set -eu
cd "$(dirname "$0")/.."
BIN=$(cd "${DROVER_BIN:-build/dev/bin}" && pwd)
OUT=$(realpath "${1:-docs/session.md}")
WORK=$(mktemp -d)
PATH=$BIN:$PATH
export PATH DROVER_SOCKET="$WORK/master.sock" NO_COLOR=1 COLUMNS=110

cd "$WORK"
drover-master --state "$WORK/state" --socket "$WORK/master.sock" --name master1 --cluster hall1 \
  --tree-listen 127.0.0.1:0 --tree-advertise 127.0.0.1:9815 --http-listen 127.0.0.1:0 2>"$WORK/log" &
MASTER=$!
trap 'kill $MASTER 2>/dev/null; wait $MASTER 2>/dev/null; rm -rf "$WORK"' EXIT
tries=0
until drover node list >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 300 ] || { cat "$WORK/log"; exit 1; }
  sleep 0.1
done

say() { printf '\n%s\n' "$*"; }
# run COMMAND LINE: shows it and what it printed, with its exit code when that is not 0.
run() {
  printf '\n```console\n$ %s\n' "$1"
  status=0
  sh -c "$1" 2>&1 || status=$?
  [ $status -eq 0 ] || printf '(exit code %s)\n' "$status"
  printf '```\n'
}

exec 3>&1 >"$OUT"
cat <<'END'
# A session: from an empty cluster to 1,000 nodes

Recorded by `docs/record_session.sh` against a real `drover-master`; nothing below was written by hand.
END

say "An empty cluster."
run 'drover node list'
say "What we want it to be: five racks of 200 nodes, said once. Formulas give each node its number, place and addresses."
cat >cluster.yaml <<'END'
kind: drover-cluster
version: 1
profiles:
  default:
    description: what every node gets
    attributes: {arch: x86_64}
  gpu:
    inherits: [default]
    attributes: {x.driver: "550"}
groups:
  rack1: {nodes: "n[0001-0200]", attributes: {rack: r1}}
  rack2: {nodes: "n[0201-0400]", attributes: {rack: r2}}
  rack3: {nodes: "n[0401-0600]", attributes: {rack: r3}}
  rack4: {nodes: "n[0601-0800]", attributes: {rack: r4}}
  rack5: {nodes: "n[0801-1000]", attributes: {rack: r5}, profiles: [gpu]}
  second: {range: "service=maintenance", description: whoever is being mended}
nodes:
  n[0001-1000]:
    interfaces:
      - {name: eth0, network: mgmt, addresses: ["10.1.${(number-1)/250}.${(number-1)%250+1}"]}
    bmc: {address: "10.2.${(number-1)/250}.${(number-1)%250+1}", protocol: redfish}
    attributes: {slot: "${(number-1)%200+1}"}
END
run 'cat cluster.yaml'
run 'drover apply -f cluster.yaml --dry-run'
run 'time -p drover apply -f cluster.yaml --why "the new hall" --yes'
say "The same again changes nothing."
run 'time -p drover apply -f cluster.yaml'
run 'drover nodes count "*"; drover node list'
say "Questions."
run 'drover nodes expand "n[0198-0203]" | tr "\n" " "; drover nodes fold "@rack5,-n[0901-1000],n0001"'
run 'drover node list "@rack5@n[0801-0803]" -o wide'
run 'drover node attributes n0842 --blame'
run 'drover node list "n0001-n0003" -o json | head -40'
say "Changes: one node, then a rack."
run 'drover node set n0842 service=maintenance --why "new DIMM"'
run 'drover node set @rack2 attributes.x.burnin=done --why "burn-in passed" --yes'
run 'drover node list @second'
run 'drover node attributes n0201 --blame'
say "A mistake is refused whole, with its place."
run 'sed "s/protocol: redfish/protocol: telnet/" cluster.yaml >bad.yaml; drover apply -f bad.yaml'
run 'drover node set n9999 service=maintenance --why x'
say "Who changed what, and back again."
run 'drover history n0842 | head -20'
run 'drover history --limit 3'
run 'drover node set n0842 service=in_service flag=warning --why "mended, to be looked at"'
run 'drover history n0842 --limit 1'
run 'drover revert "$(drover history n0842 --limit 1 -o name)" --why "it was another node" --dry-run'
run 'drover revert "$(drover history n0842 --limit 1 -o name)" --why "it was another node"'
run 'drover node list n0842 -o wide'
run 'drover history group rack2'
run 'drover revert 1011-1210 --why "the burn-in was another one" | tail -3'
run 'drover node list "x.burnin=done"'
say "And as a document again."
run 'drover export | head -30; drover export >now.yaml; drover apply -f now.yaml'
exec >&3
echo "written: $OUT"
