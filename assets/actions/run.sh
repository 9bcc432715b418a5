#!/usr/bin/env bash
# A step of a job that runs one trustline command: `run.sh check` or `run.sh audit`. What the step was given comes in
# variables, so that nothing of it is read as shell.
set -euo pipefail

# Words that an input holds, one a line.
words() {
  local word
  while IFS= read -r word; do
    if [ -n "$word" ]; then arguments+=("$1" "$word"); fi
  done <<<"${2:-}"
}

command=$1
arguments=()
case $command in
check)
  words --profile-file "${TRUSTLINE_PROFILE_FILE:-}"
  words --set "${TRUSTLINE_SET:-}"
  words --ca-file "${TRUSTLINE_CA_FILE:-}"
  words --client "${TRUSTLINE_CLIENT:-}"
  if [ "${TRUSTLINE_STRICT:-}" = true ]; then arguments+=(--strict); fi
  ;;
audit)
  words --fail-on "${TRUSTLINE_FAIL_ON:-}"
  words --suppress "${TRUSTLINE_SUPPRESS:-}"
  words --baseline "${TRUSTLINE_BASELINE:-}"
  words --shard "${TRUSTLINE_SHARD_OF:-}"
  arguments+=(--)
  while IFS= read -r path; do
    if [ -n "$path" ]; then arguments+=("$path"); fi
  done <<<"${TRUSTLINE_PATHS:-.}"
  ;;
*)
  printf 'run.sh: check or audit, not %s\n' "$command" >&2
  exit 2
  ;;
esac

status=0
"${TRUSTLINE:-trustline}" "$command" --output github "${arguments[@]}" || status=$?
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'status=%s\n' "$status" >>"$GITHUB_OUTPUT"
fi
# Code scanning wants a file of its own; the second run reads what the first one read.
if [ "$command" = audit ] && [ -n "${TRUSTLINE_SARIF:-}" ]; then
  "${TRUSTLINE:-trustline}" audit --output sarif "${arguments[@]}" >"$TRUSTLINE_SARIF" || true
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'sarif=%s\n' "$TRUSTLINE_SARIF" >>"$GITHUB_OUTPUT"
  fi
fi
exit "$status"
