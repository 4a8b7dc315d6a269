# shellcheck shell=bash
# Sourced by gate.sh: puts the path of a program that may be trusted into $program.
#
# shellcheck disable=SC2154 # $here, $version, $binary_path, $download_url, $repository: gate.sh

canonical_repository=tenantgate/tenantgate
supported="Linux X64 and ARM64, macOS X64 and ARM64, Windows X64"
elsewhere="build it there (cargo build --release) and give the path as binary-path"

find_program() {
    if [[ -n $binary_path ]]; then
        use_what_is_there
    else
        choose_version
        choose_target
        choose_hasher
        use_cache_or_download
    fi
}

use_what_is_there() {
    program=$(absolute "$binary_path")
    [[ -e $program ]] || refuse 2 "no program" "binary-path is \"$binary_path\", and there is no such file in $PWD"
    [[ -f $program ]] || refuse 2 "no program" "binary-path is \"$binary_path\", which is not a file"
    [[ -x $program ]] || refuse 2 "no program" "binary-path is \"$binary_path\", which is not executable: chmod +x"
}

# --- which one ----------------------------------------------------------------------------------

choose_version() {
    local own
    own=$(sed -n 's/^version //p' "$here/checksums.txt" | tr -d '\r')
    version=${version#v}
    version=${version:-$own}
    [[ $version != unreleased ]] ||
        refuse 3 "nothing released" "this commit of the action has no released program yet; $elsewhere, or use a released version of the action"
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
        refuse 2 "wrong input" "version is \"$version\", which is not of the form 1.2.3"
}

choose_target() {
    local os=${RUNNER_OS:-} cpu=${RUNNER_ARCH:-}
    [[ -n $os ]] || os=$(uname -s)
    [[ -n $cpu ]] || cpu=$(uname -m)
    suffix=
    case $os:$cpu in
    Linux:X64 | Linux:x86_64) target=x86_64-unknown-linux-musl ;;
    Linux:ARM64 | Linux:aarch64) target=aarch64-unknown-linux-musl ;;
    macOS:X64 | Darwin:x86_64) target=x86_64-apple-darwin ;;
    macOS:ARM64 | Darwin:arm64) target=aarch64-apple-darwin ;;
    Windows:X64) target=x86_64-pc-windows-msvc suffix=.exe ;;
    *) refuse 3 "unsupported runner" "there is no program for $os on $cpu, only for $supported; for another, $elsewhere" ;;
    esac
    stem=tenantgate-$version-$target
    archive_sum=$(listed "$stem.tar.gz")
    program_sum=$(listed "$stem/tenantgate$suffix")
    [[ $archive_sum =~ ^[0-9a-f]{64}$ && $program_sum =~ ^[0-9a-f]{64}$ ]] ||
        refuse 2 "unknown version" "this commit of the action knows no checksum of tenantgate $version for $target, so it cannot trust it; use the version of the action that belongs to it"
}

# listed FILE: its checksum in the action's own tree.
listed() {
    tr -d '\r' <"$here/checksums.txt" | awk -v file="$1" '$2 == file { print $1; exit }'
}

# --- whether to trust it ------------------------------------------------------------------------

choose_hasher() {
    if have sha256sum; then
        hasher=(sha256sum)
    elif have shasum; then
        hasher=(shasum -a 256)
    elif have openssl; then
        hasher=(openssl dgst -sha256 -r)
    else
        refuse 3 "no sha256" "none of sha256sum, shasum and openssl is on this runner, so nothing downloaded could be verified; install one"
    fi
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# matches SUM FILE
matches() {
    local sum
    sum=$("${hasher[@]}" <"$2") && [[ ${sum%% *} == "$1" ]]
}

# --- where it is kept ---------------------------------------------------------------------------

# Others may write to a self-hosted runner's cache, so what lies there is verified before each use.
use_cache_or_download() {
    choose_cache
    program=$cache/tenantgate$suffix
    if [[ -f $program ]]; then
        if matches "$program_sum" "$program"; then
            printf 'tenantgate %s for %s, from %s\n' "$version" "$target" "$cache"
            return
        fi
        printf '::warning title=tenantgate: cache::%s\n' \
            "$(escape "$program is not what this version of the action expects; it is downloaded again")"
    fi
    download
}

choose_cache() {
    local base folder
    for base in "${RUNNER_TOOL_CACHE:-}" "${RUNNER_TEMP:-}" "${TMPDIR:-/tmp}"; do
        [[ -n $base ]] || continue
        folder=$(shell_path "$base")/tenantgate/$version/$target
        if mkdir -p "$folder" 2>/dev/null && [[ -w $folder ]]; then
            cache=$folder
            return
        fi
    done
    refuse 3 "no folder" "neither RUNNER_TOOL_CACHE nor RUNNER_TEMP can be written to"
}

# --- getting it ---------------------------------------------------------------------------------

# Into a folder of this process's own, and from there in one rename: another job on the same machine,
# or a later one after this was killed, sees a whole program or none.
download() {
    have curl || refuse 3 "no curl" "curl is needed to download tenantgate $version; install it, or $elsewhere"
    have tar || refuse 3 "no tar" "tar is needed to unpack tenantgate $version; install it, or $elsewhere"
    find "$cache" -maxdepth 1 -name 'staging.*' -mmin +60 -exec rm -rf {} + 2>/dev/null || true
    staging=$(mktemp -d "$cache/staging.XXXXXX") || refuse 3 "no folder" "$cache cannot be written to"
    fetch_archive
    # From standard input, because tar takes the colon of a Windows path for a host.
    tar -xzf - -C "$staging" "$stem/tenantgate$suffix" <"$staging/archive" ||
        refuse 3 "broken archive" "$stem.tar.gz has the right checksum, but could not be unpacked; is $staging full?"
    local unpacked=$staging/$stem/tenantgate$suffix
    matches "$program_sum" "$unpacked" ||
        refuse 3 "checksum mismatch" "the program in $stem.tar.gz is not the one in the list; please report this"
    chmod 755 "$unpacked"
    # Windows replaces no file that runs; then another job was faster.
    mv -f "$unpacked" "$program" 2>/dev/null || matches "$program_sum" "$program" ||
        refuse 3 "no folder" "$program cannot be written to"

    rm -rf "$staging"
    staging=
    printf 'tenantgate %s for %s: downloaded and verified\n' "$version" "$target"
}

# Wherever it comes from, it is the checksum that is trusted.
fetch_archive() {
    local url problem urls=() problems='' title='download failed'
    if [[ -n $download_url ]]; then
        urls=("${download_url%/}/$stem.tar.gz")
    else
        # A copy of the action on a GitHub Enterprise Server has its releases there; one that is taken
        # from github.com through it has not.
        [[ ! $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] ||
            urls+=("$(release_of "${GITHUB_SERVER_URL:-https://github.com}" "$repository")")
        url=$(release_of https://github.com "$canonical_repository")
        [[ ${urls[0]:-} == "$url" ]] || urls+=("$url")
    fi
    for url in "${urls[@]}"; do
        if ! problem=$(fetch "$url" 2>&1); then
            problems+=" $(shown "$url"): $problem."
        elif matches "$archive_sum" "$staging/archive"; then
            return
        else
            title="checksum mismatch"
            problems+=" $(shown "$url"): what it gave was not unpacked, because its sha256 is not $archive_sum, which this commit of the action lists."
        fi
    done
    refuse 3 "$title" "tenantgate $version could not be had.$problems Without the internet, give a mirror as download-url or a program as binary-path"
}

release_of() {
    printf '%s/%s/releases/download/v%s/%s.tar.gz\n' "${1%/}" "$2" "$version" "$stem"
}

# shown URL: without a password in it.
shown() {
    printf '%s\n' "$1" | sed 's#//[^/]*@#//#'
}

# curl heeds http_proxy, https_proxy and no_proxy by itself.
fetch() {
    curl --fail --silent --show-error --location --proto '=https,http,file' --proto-redir '=https,http' \
        --retry 3 --retry-delay 2 --retry-connrefused --connect-timeout 15 --max-time 300 \
        --speed-limit 1000 --speed-time 30 --output "$staging/archive" -- "$1"
}
