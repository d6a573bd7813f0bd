#!/bin/sh
# Runs a command under honcho, which ends all processes as soon as one of them ends, even one that
# has done its work (release) or is one of several (web, worker).
#
# What was killed is started again; what is done stays, idle; what failed ends, and all with it.
# Who ends this script ends the command, and gets its status once it has ended.
# Instances are named as honcho names them (web.1: web1), for the load balancer.
: "${CHATSERVER_INSTANCE_NAME:=$(echo "$HONCHO_PROCESS_NAME" | tr -d .)}"
export CHATSERVER_INSTANCE_NAME

child=
told=
trap 'told=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT

run() {
    "$@" &
    child=$!
    [ -z "$told" ] || kill -TERM "$child" 2>/dev/null
    status=
    while :; do
        wait "$child"
        waited=$?
        # 127: the command has ended, and its status was had the time before.
        [ "$waited" -eq 127 ] && [ -n "$status" ] && break
        status=$waited
        # A signal to us ends the waiting, but not yet the command.
        [ -n "$told" ] && [ "$status" -gt 128 ] || break
    done
    child=
    [ -z "$told" ] || exit "$status"
}

run "$@"
while [ "$status" -gt 128 ]; do
    echo "killed by signal $((status - 128)); starting again"
    sleep 1
    [ -z "$told" ] || exit "$status"
    run "$@"
done
[ "$status" -eq 0 ] && exec tail -f /dev/null
exit "$status"
