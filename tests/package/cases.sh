# cases.sh - sourced by the tests beside it: cases that are counted, and a client without any
# program but bash.
# shellcheck shell=bash

passed=0
failed=0

# check WORDS COMMAND...: a case. What COMMAND says is shown when it fails.
check() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok      $words"
    else
        failed=$((failed + 1))
        echo "FAILED  $words: $*"
        sed 's/^/        /' <<<"$said" | tail -n 40
    fi
}

sum_up() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}

# same EXPECTED FOUND
same() {
    [ "$1" = "$2" ] || {
        printf 'expected %s\nfound    %s\n' "$1" "$2"
        false
    }
}

# until_true COMMAND...: for a minute at most.
until_true() {
    local tries=600
    until "$@"; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.1
    done
}

# ask PORT LINE...: the replies to these lines.
ask() {
    local port=$1 server
    shift
    exec {server}<>"/dev/tcp/127.0.0.1/$port" || return
    printf '%s\n' "$@" QUIT >&"$server"
    timeout 60 tr -d '\r' <&"$server"
    exec {server}>&-
}

# True when a kvcached answers at PORT.
answers() {
    ask "$1" "GET none none" >/dev/null 2>&1
}

# stores_and_has PORT KEY
stores_and_has() {
    same STORED "$(ask "$1" "PUT tried $2 never" "value of $2" | head -n 1)" &&
        has "$1" "$2"
}

has() {
    same "value of $2" "$(ask "$1" "GET tried $2" | sed -n 2p)"
}
