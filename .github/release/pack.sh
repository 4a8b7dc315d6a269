#!/usr/bin/env bash
# Packs one program for a release and prints its lines of the checksum list.
#
#   pack.sh VERSION TARGET PROGRAM FOLDER     writes FOLDER/tenantgate-VERSION-TARGET.tar.gz
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
version=$1 target=$2 program=$3 folder=$4
stem=tenantgate-$version-$target
name=tenantgate
case $target in
*-windows-*) name=tenantgate.exe ;;
esac

hash_of() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi <"$1" | cut -d ' ' -f 1
}

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
mkdir -p "$staging/$stem" "$folder"
cp "$program" "$staging/$stem/$name"
chmod 755 "$staging/$stem/$name"
cp "$root/README.md" "$root/LICENSE" "$root/CHANGELOG.md" "$staging/$stem"
tar -cf - -C "$staging" "$stem" | gzip -n -9 >"$folder/$stem.tar.gz"

printf '%s  %s\n' "$(hash_of "$folder/$stem.tar.gz")" "$stem.tar.gz"
printf '%s  %s\n' "$(hash_of "$staging/$stem/$name")" "$stem/$name"
