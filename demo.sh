#!/bin/sh
# The main job, end to end: build the starter library and an expert on it, ask it, walk an answer back, examine it; then
# open it to a browser, until Ctrl-C. GNOMON_DEMO_SERVE=0 ends before that, GNOMON_DEMO_PORT takes another port.
set -eu
gnomon() { printf '\n$ gnomon%s\n' "$(quoted "$@")"; "$BIN/gnomon" "$@"; }
quoted() { for word in "$@"; do case $word in *[!A-Za-z0-9._/:=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done; }
export GNOMON_WORKSPACE="${WORKSPACE:-.gnomon}"

gnomon run quickstart
gnomon search 'rotation of spiral galaxies' --k 3
gnomon ask 'What did Hubble find about the velocities of nebulae in 1929?'
gnomon ask '太陽黒点に磁場があることはどのように分かったか'
gnomon ask 'Who won the 1998 World Cup?'
gnomon trace 'My draft says: only four were approaching the Sun; the other 21 were receding. I did not copy this part.'
answer=$("$BIN/gnomon" ask 'How was the first planet around a Sun-like star found?' --json | "$BIN/python" -c 'import json,sys; print(json.load(sys.stdin)["id"])')
gnomon lineage "$answer"
gnomon lineage final
gnomon complete 'The radial velocities of the spiral nebulae' --max-tokens 40 --model base --model specialised
gnomon eval base final --items src/gnomon_recipes/starter/questions_co.jsonl --mode option --book closed
gnomon verify
printf '\nYour own papers: %s/gnomon build FOLDER --workspace %s\n' "$BIN" "$GNOMON_WORKSPACE"
if [ "${GNOMON_DEMO_SERVE:-1}" = 0 ]; then
  printf 'Open it in a browser: %s/gnomon serve --open --workspace %s\n' "$BIN" "$GNOMON_WORKSPACE"
  exit 0
fi
# With job control the server alone has the terminal: Ctrl-C reaches it and not make, which would call that a failure.
if [ -t 0 ]; then set -m; fi
open() { printf '\n$ gnomon serve --open --port %s\n' "$1"; "$BIN/gnomon" serve --open --port "$1"; }
open "${GNOMON_DEMO_PORT:-8000}" || { [ $? = 2 ] && open 0; }
