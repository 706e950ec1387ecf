#!/usr/bin/env bash
# Shows what g++ 12 does to temporaries around co_await, and that clang-19 does not: the reason for the rule "one co_await a
# statement, named arguments moved in". Fails when clang-19 destroys anything twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
bad=0
for compiler in clang++-19 g++; do
  "$compiler" -std=c++20 -O1 -w coroutine_probe.cpp -o "$out/probe" -lpthread
  for row in a b e f g h i j k l m; do
    line=$("$out/probe" "$row" || echo "$row crashed  <-- BAD")
    printf '%-11s %s\n' "$compiler" "$line"
    if [ "$compiler" = clang++-19 ] && [[ $line == *BAD* ]]; then bad=1; fi
  done
done
exit "$bad"
