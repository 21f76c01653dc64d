#!/bin/sh
# Entry point of ingest-postgres:local: makes the cluster and the database on the first start, as POSTGRES_USER,
# POSTGRES_PASSWORD, POSTGRES_DB and POSTGRES_HOST_AUTH_METHOD say, and runs the command as the server's user. The public
# image does the same.
set -eu
case ${1-} in
-*) set -- postgres "$@" ;;
esac
if [ "$1" != postgres ]; then
	exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown -R postgres:postgres "$PGDATA" /run/postgresql
	chmod 700 "$PGDATA"
	exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
	[ "$method" = trust ] || : "${POSTGRES_PASSWORD:?is needed to make the database}"
	user=${POSTGRES_USER:-postgres}
	password=/tmp/password
	umask 077
	printf '%s\n' "${POSTGRES_PASSWORD:-unused}" >"$password"
	initdb --username="$user" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256 \
		--encoding=UTF8 --locale=C.UTF-8 >/dev/null
	: >"$password"
	printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
	printf "\nlisten_addresses = '*'\n" >>"$PGDATA/postgresql.conf"
	if [ "${POSTGRES_DB:-$user}" != postgres ]; then
		printf 'CREATE DATABASE "%s"\n' "${POSTGRES_DB:-$user}" | postgres --single -j -D "$PGDATA" postgres >/dev/null
	fi
fi
exec "$@"
