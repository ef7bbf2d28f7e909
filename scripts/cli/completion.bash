# kvcached-cli in bash: options, requests, and the namespaces of the server that the
# options name. Made by scripts/cli/cli-doc.

_kvcached_cli_namespaces() {
    local word
    for word in "$@"; do
        # A secret would be asked for.
        case $word in -u | --user) [ -n "${KVCACHED_SECRET_FILE-}" ] || return ;; esac
    done
    kvcached-cli "$@" --timeout 1s namespaces 2>/dev/null </dev/null | cut -d ' ' -f 1
}

_kvcached_cli() {
    local current=${COMP_WORDS[COMP_CWORD]} options=() word= at words
    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -c | --config | -s | --socket | --secret-file | --ca | --cert | --key)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    esac
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
        -c | --config | -H | --host | -p | --port | -s | --socket | -u | --user | --secret-file | --ca | --cert | --key | -t | --timeout)
            options+=("${COMP_WORDS[at]}" "${COMP_WORDS[at + 1]-}")
            ((at++))
            ;;
        -*) options+=("${COMP_WORDS[at]}") ;;
        *)
            word=${COMP_WORDS[at],,}
            break
            ;;
        esac
    done
    words=
    if [ -z "$word" ] && [[ $current == -* ]]; then
        words='-c --config -H --host -p --port -s --socket -u --user --secret-file --tls --ca --cert --key -t --timeout -x --json --no-history -h --help -V --version'
    elif [ -z "$word" ]; then
        words='help top hot dump restore copy import hash-secret put add get del ttl touch incr decr list all survey flush namespaces stats settings reload slow watch clients kill ping version quit'
        [[ $current != [A-Z]* ]] || words=${words^^}
    elif ((COMP_CWORD == at + 1)); then
        case $word in
        hot | dump | put | add | get | del | ttl | touch | incr | decr | list | all | survey | flush | stats | watch)
            words=$(_kvcached_cli_namespaces "${options[@]}")
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _kvcached_cli kvcached-cli
