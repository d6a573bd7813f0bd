#!/bin/sh
# Runs a command under honcho, which ends all processes as soon as one of them ends, even one that
# has done its work (release) or is one of several (web, worker).
#
# What was killed is started again; what is done stays, idle; what failed ends, and all with it.
# Instances are named as honcho names them (web.1: web1), for the load balancer.
: "${CHATSERVER_INSTANCE_NAME:=$(echo "$HONCHO_PROCESS_NAME" | tr -d .)}"
export CHATSERVER_INSTANCE_NAME

"$@"
status=$?
while [ "$status" -gt 128 ]; do
    echo "killed by signal $((status - 128)); starting again"
    sleep 1
    "$@"
    status=$?
done
[ "$status" -eq 0 ] && exec tail -f /dev/null
exit "$status"
