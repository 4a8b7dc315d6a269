#!/usr/bin/env bash
# secrets.sh FILE: writes those of the secrets in $ALL (JSON) that $NAMES lists, one per line, into an
# env file that only this user can read. What is listed and absent is left for the gate to miss.
set -euo pipefail
umask 077

command -v jq >/dev/null || {
    printf '::error title=tenantgate: no jq::jq is needed to pick the secrets; install it on this runner\n'
    exit 3
}
# Between double quotes an env file knows \\ \" \$ and \n.
printf '%s' "$ALL" | jq -r --arg names "$NAMES" '
    ($names | split("\n") | map(gsub("^\\s+|\\s+$"; ""))) as $wanted
    | to_entries[]
    | select(.key as $key | $wanted | index($key))
    | .key + "=\"" + (.value
        | gsub("\\\\"; "\\\\") | gsub("\""; "\\\"") | gsub("\\$"; "\\$") | gsub("\n"; "\\n")) + "\""
' >"$1"
