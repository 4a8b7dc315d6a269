#!/usr/bin/env bash
# Prints `version=` of the list in this tree, after verifying that the tree may be tagged with it: since
# the commit that the programs were built from, nothing but the list has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^version //p' .github/action/checksums.txt)
if [[ $version != unreleased ]]; then
    commit=$(sed -n 's/^commit //p' .github/action/checksums.txt)
    if ! git diff --quiet "$commit" HEAD -- . ':(exclude).github/action/checksums.txt'; then
        printf '::error title=release::since %s, which v%s was built from, more than the list of checksums has changed: build again\n' \
            "$commit" "$version"
        git diff --stat "$commit" HEAD >&2
        exit 1
    fi
fi
printf 'version=%s\n' "$version"
