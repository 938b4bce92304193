#!/usr/bin/env bash
# Stands in for the console script: the code that was checked out, compiled once for all runs of it, on
# the interpreter of the tests. Two verbs are the test's: `agent` hands over a given proposal where there
# is one, since the built-in agent only holds; every verb's job summary is kept.
set -euo pipefail
code="$STANDIN_CODE/$(git rev-parse HEAD:executor HEAD:schemas | git hash-object --stdin)"
if [ ! -d "$code" ]; then
  mkdir -p "$STANDIN_CODE" && making="$(mktemp -d "$STANDIN_CODE/making.XXXX")"
  git archive HEAD executor schemas | tar -x -C "$making"
  if [ -d "$code" ]; then rm -r "$making"; else mv "$making" "$code"; fi # another job may be faster
fi
echo "$1" >> "$STANDIN_CALLS"
if [ "$1" = agent ] && [ -e "${STANDIN_PROPOSAL:-}" ]; then
  ls "$3" | sort | tr '\n' ' ' >> "$STANDIN_CALLS.agent" && env | sort > "$STANDIN_CALLS.environment"
  mkdir -p "$5" && cp "$STANDIN_PROPOSAL" "$5/proposal.json"
  exit
fi
code_of=0
PYTHONPATH="$code:$STANDIN_ELSEWHERE" "$STANDIN_PYTHON" -P -m executor "$@" || code_of=$?
if [ -s "${GITHUB_STEP_SUMMARY:-}" ]; then cp "$GITHUB_STEP_SUMMARY" "$STANDIN_SUMMARIES/$GITHUB_RUN_ID-$1.md"; fi
exit "$code_of"
