#!/usr/bin/env bash
# The action's one step: gets the program, then becomes it. Inputs are TENANTGATE_INPUT_* variables.
#
# It must run on macOS (bash 3.2) and in Git's bash on Windows: no associative array, no mapfile, and
# an empty array is expanded only as ${array[@]+"${array[@]}"}.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=.github/action/install.sh
source "$here/install.sh"

# --- saying no ----------------------------------------------------------------------------------

staging=
settled=

# What an annotation may not contain, as the runner wants it written. bash 3.2 keeps quotes that stand
# in a replacement, so there are none.
escape() {
    local text=$1 percent='%'
    text=${text//"$percent"/${percent}25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '%s\n' "$text"
}

# refuse CODE TITLE MESSAGE: the codes are the program's own, 2 for wrong usage, 3 for what could not be
# found out.
refuse() {
    printf '::error title=tenantgate: %s::%s\n' "$2" "$(escape "$3")"
    if [[ -n ${GITHUB_OUTPUT:-} ]]; then
        printf 'verdict=blocked\nexit-code=%s\n' "$1" >>"$GITHUB_OUTPUT"
    fi
    settled=yes
    exit "$1"
}

# However it ends before it became the program. A failure that nobody foresaw must not look like a
# gate that is blocked, which is 1.
clean_up() {
    local status=$?
    trap - EXIT
    [[ -z $staging ]] || rm -rf "$staging"
    if [[ -z $settled ]]; then
        printf '::error title=tenantgate: bug in the action::a command failed with status %s; please report this log\n' "$status"
        exit 70
    fi
    exit "$status"
}

trap clean_up EXIT
trap 'settled=yes; exit 129' HUP
trap 'settled=yes; exit 130' INT
trap 'settled=yes; exit 143' TERM

# --- inputs -------------------------------------------------------------------------------------

# on_windows: Git's bash, where paths have two spellings.
on_windows() {
    [[ ${RUNNER_OS:-} == Windows ]]
}

# shell_path PATH, native_path PATH: as this shell, and as the program spells it.
shell_path() {
    if on_windows; then cygpath -u "$1"; else printf '%s\n' "$1"; fi
}

native_path() {
    if on_windows; then cygpath -m "$1"; else printf '%s\n' "$1"; fi
}

# absolute PATH: relative ones begin in the current folder.
absolute() {
    case $(shell_path "$1") in
    /*) shell_path "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
    esac
}

# one_of INPUT VALUE ALLOWED…
one_of() {
    local input=$1 value=$2 allowed
    shift 2
    for allowed in "$@"; do
        [[ $value != "$allowed" ]] || return 0
    done
    refuse 2 "wrong input" "$input is \"$value\"; it must be one of: $*"
}

# one_line INPUT VALUE
one_line() {
    [[ $2 != *[$'\n\r']* ]] || refuse 2 "wrong input" "$1 has more than one line: \"$2\""
}

read_inputs() {
    command=${TENANTGATE_INPUT_COMMAND:-run}
    environment=${TENANTGATE_INPUT_ENVIRONMENT:-}
    config=${TENANTGATE_INPUT_CONFIG:-tenantgate.toml}
    working_directory=${TENANTGATE_INPUT_WORKING_DIRECTORY:-.}
    comment=${TENANTGATE_INPUT_COMMENT:-auto}
    status=${TENANTGATE_INPUT_STATUS:-auto}
    check_run=${TENANTGATE_INPUT_CHECK_RUN:-auto}
    evidence=${TENANTGATE_INPUT_EVIDENCE:-}
    dry_run=${TENANTGATE_INPUT_DRY_RUN:-false}
    override=${TENANTGATE_INPUT_OVERRIDE:-}
    extra=${TENANTGATE_INPUT_ARGS:-}
    report=${TENANTGATE_INPUT_REPORT:-}
    sarif=${TENANTGATE_INPUT_SARIF:-}
    format=${TENANTGATE_INPUT_FORMAT:-github}
    version=${TENANTGATE_INPUT_VERSION:-}
    binary_path=${TENANTGATE_INPUT_BINARY_PATH:-}
    download_url=${TENANTGATE_INPUT_DOWNLOAD_URL:-}
    repository=${TENANTGATE_INPUT_REPOSITORY:-}
    # The program need not know how it was called.
    local variable
    for variable in ${!TENANTGATE_INPUT_@}; do
        unset "$variable"
    done
    # No token is something else than an empty one.
    [[ -n ${TENANTGATE_GITHUB_TOKEN:-} ]] || unset TENANTGATE_GITHUB_TOKEN
}

check_inputs() {
    [[ $command =~ ^[a-z][a-z-]*$ ]] ||
        refuse 2 "wrong input" "command is \"$command\"; it is one word, such as run; what follows it goes into args"
    one_of comment "$comment" auto never
    one_of status "$status" auto never
    one_of check-run "$check_run" auto always never
    one_of dry-run "$dry_run" true false
    one_of format "$format" github text json markdown
    one_line environment "$environment"
    one_line config "$config"
    one_line working-directory "$working_directory"
    one_line evidence "$evidence"
    one_line report "$report"
    one_line sarif "$sarif"
    one_line version "$version"
    one_line binary-path "$binary_path"
    one_line download-url "$download_url"
    [[ -z $override || $command == run || $command == migrate ]] ||
        refuse 2 "wrong input" "override is for run and migrate, which let a change in; $command only asks"
    [[ -z $binary_path || -z $version ]] ||
        refuse 2 "wrong input" "version and binary-path exclude one another: a program that is there has its version"
}

# --- the command line ---------------------------------------------------------------------------

# Flags have their values behind "=", so that a value that begins with a dash stays one.
arrange_arguments() {
    arguments=("$command" "--config=$config" "--format=$format" "--report=$(native_path "$report")")
    [[ -z $environment ]] || arguments+=("--environment=$environment")
    [[ -z $evidence ]] || arguments+=("--evidence=$evidence")
    [[ -z $sarif ]] || arguments+=("--sarif=$sarif")
    # What the program does anyway is not said.
    [[ $comment == auto ]] || arguments+=("--comment=$comment")
    [[ $status == auto ]] || arguments+=("--status=$status")
    [[ $check_run == auto ]] || arguments+=("--check-run=$check_run")
    [[ -z $override ]] || arguments+=("--override=$override")
    # The other commands write nothing, and have no such flag.
    case $dry_run:$command in
    true:run | true:migrate | true:relabel) arguments+=(--dry-run) ;;
    esac
    add_extra_arguments
}

add_extra_arguments() {
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ -n $line ]] || continue
        if [[ $line =~ ^(-[A-Za-z]|--[a-z-]+)[[:blank:]] ]]; then
            refuse 2 "wrong input" "args has one argument per line, and a line is never split; write \"--flag=value\" instead of \"--flag value\", or two lines: \"$line\""
        fi
        arguments+=("$line")
    done <<<"$extra"
}

# Every step of a job gets a report of its own, unless told where.
choose_report() {
    if [[ -z $report ]]; then
        local temporary
        temporary=$(shell_path "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")
        report=$(mktemp -d "$temporary/tenantgate.XXXXXX")/report.json ||
            refuse 3 "no folder" "RUNNER_TEMP, $temporary, cannot be written to"
    else
        report=$(absolute "$report")
    fi
}

enter_working_directory() {
    local folder
    folder=$(shell_path "$working_directory")
    [[ -d $folder ]] ||
        refuse 2 "no such folder" "working-directory is \"$working_directory\", which is no folder in $PWD; is actions/checkout missing before this step?"
    cd -- "$folder"
}

# Git's bash would rewrite what looks to it like a path in arguments and variables: a password, a reason.
leave_values_alone() {
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='*'
}

read_inputs
check_inputs
find_program
enter_working_directory
choose_report
arrange_arguments
if on_windows; then
    leave_values_alone
fi
exec "$program" "${arguments[@]}"
