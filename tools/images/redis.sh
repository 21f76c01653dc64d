#!/bin/sh
# Entry point of ingest-redis:local: gives the data to the server's user, becomes that user, and runs the command. It
# takes what the public image takes: a whole command, or options of redis-server.
set -eu
case ${1-} in
-*) set -- redis-server "$@" ;;
esac
if [ "$(id -u)" = 0 ] && [ "$1" = redis-server ]; then
	chown -R redis:redis /data
	exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi
# Containers reach it over their network; whoever publishes its port sets a password.
if [ "$1" = redis-server ]; then
	set -- "$@" --protected-mode no
fi
exec "$@"
