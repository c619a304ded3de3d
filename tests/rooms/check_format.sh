#!/bin/sh
# Fails on C++ files that clang-format would change, and names them.
set -eu
cd "$(dirname "$0")/../.."
find src tests bench -name '*.cpp' -o -name '*.hpp' | sort | xargs -P 2 -n 40 clang-format-19 --dry-run -Werror 2>&1 |
  sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: error.*/\1/p' | sort -u >"${TMPDIR:-/tmp}/drover-format.$$"
wrong=$(cat "${TMPDIR:-/tmp}/drover-format.$$")
rm -f "${TMPDIR:-/tmp}/drover-format.$$"
[ -z "$wrong" ] && exit 0
echo "$wrong"
echo "not formatted: run ./dev format"
exit 1
