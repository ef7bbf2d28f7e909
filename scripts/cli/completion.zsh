#compdef kvcached-cli
# kvcached-cli in zsh: options, requests, and the namespaces of the server that is found
# without options. Made by scripts/cli/cli-doc.

_kvcached-cli() {
    local context state state_descr line
    local -A opt_args
    local -a requests namespaces
    _arguments -S \
        '-c[find the server in this configuration]:file:_files' \
        '--config[find the server in this configuration]:file:_files' \
        '-H[connect to this host]:host: ' \
        '--host[connect to this host]:host: ' \
        '-p[connect to this port; without it 7171]:port: ' \
        '--port[connect to this port; without it 7171]:port: ' \
        '-s[connect to this Unix socket]:path:_files' \
        '--socket[connect to this Unix socket]:path:_files' \
        '-u[authenticate as this user]:user: ' \
        '--user[authenticate as this user]:user: ' \
        '--secret-file[the secret is this file'\''s first line]:file:_files' \
        '--tls[speak TLS]' \
        '--ca[authorities of the server'\''s certificate, in PEM]:file:_files' \
        '--cert[the client'\''s own certificate, in PEM]:file:_files' \
        '--key[and its key]:file:_files' \
        '-t[give up when nothing comes for so long; without it 30s]:time: ' \
        '--timeout[give up when nothing comes for so long; without it 30s]:time: ' \
        '-x[the value is standard input]' \
        '--json[print replies as JSON]' \
        '--no-history[neither read nor write ~/.kvcached_history]' \
        '-h[show this help]' \
        '--help[show this help]' \
        '-V[show the version]' \
        '--version[show the version]' \
        '1:request:->request' \
        '*:word:->word'
    case $state in
    request)
        requests=(
            'help:what can be typed, or more about one of it'
            'top:figures of the server and of its namespaces, every second'
            'hot:the keys that are read most, within 5 seconds'
            'dump:write a namespace to standard output'
            'restore:store what dump has written'
            'copy:copy namespaces to another server'
            'import:store the records of memcached\://HOST\:PORT or redis\://HOST\:PORT/DATABASE'
            'hash-secret:ask for a secret and print its hash'
            'put:store the value that follows'
            'add:the same, only if there is no such record'
            'get:read values'
            'del:delete records'
            'ttl:the remaining time to live of a record'
            'touch:give a record a new time to live'
            'incr:add to a number'
            'decr:subtract from a number, down to 0'
            'list:the keys of a namespace'
            'all:the keys and values of a namespace'
            'survey:sizes and times to live in a namespace'
            'flush:delete all records of a namespace'
            'namespaces:the names of all namespaces'
            'stats:statistics of the daemon, or of a namespace'
            'settings:the options in force'
            'reload:read the configuration again'
            'slow:the requests that took long'
            'watch:events as they happen, until QUIT'
            'clients:the connections that are open'
            'kill:close a connection'
            'ping:the reply is PONG'
            'version:the version of kvcached'
            'quit:close the connection'
        )
        _describe request requests
        ;;
    word)
        case ${(L)line[1]} in
        hot | dump | put | add | get | del | ttl | touch | incr | decr | list | all | survey | flush | stats | watch)
            namespaces=(${(f)"$(kvcached-cli --timeout 1s namespaces 2>/dev/null </dev/null |
                cut -d ' ' -f 1)"})
            ((CURRENT > 2)) || compadd -a namespaces
            ;;
        esac
        ;;
    esac
}

_kvcached-cli "$@"
