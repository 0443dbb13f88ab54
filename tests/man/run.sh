#!/usr/bin/env bash
# Renders every man page of a folder; a warning of groff about any of them is a failure.
# Usage: run.sh FOLDER
set -uo pipefail

cd "$1" || exit 1
shopt -s nullglob
pages=(*.[157])
failed=0
for page in "${pages[@]}"; do
  # A second name of another page, written as man wants it: `.so man1/persist.1`.
  if read -r request target <"$page" && [ "$request" = .so ] && [ -f "${target#man?/}" ]; then continue; fi
  if ! warnings=$(groff -man -t -Kutf8 -Tutf8 -ww -z "$page" 2>&1) || [ -n "$warnings" ]; then
    printf '%s:\n%s\n' "$page" "$warnings"
    failed=$((failed + 1))
  fi
done
printf '%d man pages, %d with warnings\n' "${#pages[@]}" "$failed"
[ "${#pages[@]}" -gt 0 ] && [ "$failed" -eq 0 ]
