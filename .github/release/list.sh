#!/usr/bin/env bash
# Prints the list of checksums that makes VERSION, built from COMMIT, the action's own.
#
#   list.sh VERSION COMMIT <LINES     the lines that pack.sh printed, of all targets
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
version=$1 commit=$2

# The comment at the top says what the file is, up to the first line without one; its last paragraph
# is about there being no release.
sed -n "/^[^#]/q; /^# Nothing is released/q; p" "$root/.github/action/checksums.txt"
printf 'version %s\n' "$version"
printf 'commit %s\n' "$commit"
LC_ALL=C sort -k 2
