#!/bin/sh
# A whole cluster on this machine's loopback: a master, two aggregators, a utility and eight computes.
# Shows it, kills the aggregator that serves half of the nodes, shows the failover and the way home,
# and leaves the cluster running. `demo.sh stop` ends exactly what it started.
set -eu

BIN=${DROVER_BIN:-$(cd "$(dirname "$0")/.." && pwd)/build/dev/bin}
RUN=${DROVER_DEMO_DIR:-${XDG_RUNTIME_DIR:-/tmp}/drover-demo-$(id -u)}
PORT=${DROVER_DEMO_PORT:-19443}
TREE_PORT=$((PORT + 372))
NODE_PORT=$((PORT + 357))
HOLD=6s
export DROVER_SOCKET="$RUN/master.sock"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
plain() { printf '\n== %s\n' "$*"; }
[ -t 1 ] || say() { plain "$@"; }
die() { printf 'demo: %s\nnext: see the logs, then ./dev demo stop\n' "$*" >&2; exit 1; }
show() { printf '$ drover %s\n' "$*"; "$BIN/drover" "$@"; }

# alive NAME: whether the daemon of that name, started here, is running.
alive() {
  [ -f "$RUN/$1/started" ] || return 1
  read -r pid program <"$RUN/$1/started"
  case $(readlink "/proc/$pid/exe" 2>/dev/null) in
    "$program" | "$program (deleted)") ;;  # deleted: it was built anew meanwhile
    *) return 1 ;;
  esac
}

# launch ROLE NAME [FLAGS..]: starts a daemon in the background and notes it for stop.
launch() {
  role=$1; name=$2; shift 2
  mkdir -p "$RUN/$name"
  program=$(readlink -f "$BIN/drover-$role")
  setsid "$program" --state "$RUN/$name" --socket "$RUN/$name.sock" "$@" \
    >>"$RUN/$name.log" 2>&1 </dev/null &
  echo "$! $program" >"$RUN/$name/started"
}

# wait_for SECONDS WHAT COMMAND..: until the command succeeds.
wait_for() {
  limit=$1; what=$2; shift 2
  tries=$((limit * 10))
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { tail -n 5 "$RUN"/*.log >&2; die "$what did not happen within $limit s; logs: $RUN/*.log"; }
    sleep 0.1
  done
}

stop() {
  [ -d "$RUN" ] || { echo "no demo is running"; return 0; }
  names=$(cd "$RUN" && ls -d */ 2>/dev/null | tr -d / || true)
  for name in $names; do
    ! alive "$name" || { read -r pid _ <"$RUN/$name/started"; kill "$pid" 2>/dev/null || true; }
  done
  for name in $names; do
    tries=50
    while alive "$name" && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    ! alive "$name" || { read -r pid _ <"$RUN/$name/started"; kill -9 "$pid" 2>/dev/null || true; }
  done
  rm -rf "$RUN"
  echo "the demo is stopped and its files are gone"
}

join() {
  role=$1; name=$2; shift 2
  token=$("$BIN/drover" token create --role "$role" --names "$name" -o name 2>/dev/null)
  "$BIN/drover" join --server "https://127.0.0.1:$PORT" --token "$token" --role "$role" \
    --name "$name" --dir "$RUN/$name" >>"$RUN/$name.log" 2>&1 ||
    { cat "$RUN/$name.log" >&2; die "$name could not join"; }
  launch "$role" "$name" --config "$RUN/$name/$role.toml" "$@"
}

count_up() { "$BIN/drover" nodes count "@compute@confirmed=true@phase=up"; }
all_up() { [ "$(count_up)" = 8 ]; }
served_by() { "$BIN/drover" nodes count "@compute@primary=$1" 2>/dev/null || echo 0; }
redundant() { [ "$("$BIN/drover" nodes count '@compute@secondary=~.')" = 8 ]; }
balanced() { [ "$(served_by agg1)" = 4 ] && [ "$(served_by agg2)" = 4 ] && redundant; }
moved() { [ "$(served_by agg1)" = 0 ] && all_up; }
now_ms() { date +%s%3N; }

start() {
  [ -x "$BIN/drover-master" ] || die "nothing is built at $BIN; run ./dev demo"
  if [ -d "$RUN" ]; then stop >/dev/null; fi
  mkdir -m 700 "$RUN"

  say "a master, two aggregators, a utility and eight computes, every link under mutual TLS"
  launch master master --name master --cluster demo --http-listen "127.0.0.1:$PORT,[::1]:$PORT" \
    --tree-listen "127.0.0.1:$TREE_PORT,[::1]:$TREE_PORT" --tree-hold "$HOLD"
  wait_for 10 "the master's start" "$BIN/drover" version
  join aggregator agg1 --listen "127.0.1.1:$NODE_PORT"
  join aggregator agg2 --listen "127.0.1.2:$NODE_PORT,[::1]:$NODE_PORT"
  wait_for 10 "both aggregators' links" aggregators_known
  join utility login1
  for i in 1 2 3 4 5 6 7 8; do join compute "n$i"; done
  wait_for 20 "eight nodes up" all_up
  wait_for 40 "an even split of the nodes" balanced

  say "the cluster"
  show node list
  echo
  show health
  say "one call, equal answers folded into one"
  show call ping '@compute'

  say "kill -9 of agg1, the primary of $("$BIN/drover" nodes expand '@compute@primary=agg1' |
    "$BIN/drover" nodes fold -)"
  read -r pid _ <"$RUN/agg1/started"
  before=$(now_ms)
  kill -9 "$pid"
  wait_for 20 "the failover" moved
  echo "every node is served again after $(($(now_ms) - before)) ms, measured from the command line"
  show call ping '@compute'
  show node list
  echo
  show health || true

  say "agg1 starts again; after a hold of $HOLD (60s unless set) its nodes come home"
  before=$(now_ms)
  launch aggregator agg1 --config "$RUN/agg1/aggregator.toml" --listen "127.0.1.1:$NODE_PORT"
  wait_for 60 "the return home" balanced
  echo "home again after $(($(now_ms) - before)) ms, the hold of $HOLD included"
  show node list

  say "the cluster stays up"
  cat <<END
API      https://127.0.0.1:$PORT (CA: $RUN/master/ca/ca.pem)
socket   $RUN/master.sock   (the same API as root of the cluster; every daemon has one)
logs     $RUN/*.log
try      export DROVER_SOCKET=$RUN/master.sock PATH=$BIN:\$PATH
         drover node show n1 --inventory; drover watch; drover call ping 'n[1-4]'
stop     ./dev demo stop
END
}

aggregators_known() {
  [ "$("$BIN/drover" health -o json | tr -d '\n ' | grep -o '"role":"aggregator","state":"up"' | wc -l)" = 2 ]
}

case ${1:-start} in
  start) start ;;
  stop) stop ;;
  *) die "start or stop, not '$1'" ;;
esac
