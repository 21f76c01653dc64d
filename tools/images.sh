#!/usr/bin/env bash
# Builds ingest:local, ingest-redis:local and ingest-postgres:local without a registry: the binary is compiled here, the
# servers are those of this machine's packages, copied with the libraries they need. Names on the command line choose
# some of ingest, redis, postgres; INGEST_IMAGE_TAG is another tag than local.
set -euo pipefail
cd "$(dirname "$0")/.."

tag=${INGEST_IMAGE_TAG:-local}
limit=42000000 # bytes: what an image of one static binary may have
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "$*" >&2
	exit 1
}

docker info >/dev/null 2>&1 || die 'The Docker engine does not answer: start it, or let this user reach it.'
tools/setup.sh

# copy puts files into a root file system under the paths they have here, links resolved.
copy() {
	local root=$1 path
	shift
	for path in "$@"; do
		mkdir -p "$root$(dirname "$path")"
		cp -aL "$path" "$root$path"
	done
}

# program copies executables and every library they need, the loader among them.
program() {
	local root=$1 path library
	shift
	for path in "$@"; do
		copy "$root" "$path"
		for library in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
			[ -e "$root$library" ] || copy "$root" "$library"
		done
	done
}

# base is what both servers need: a shell and the few commands of the entry points, a user, names and a locale.
base() {
	local root=$1 user=$2 uid=$3 gid=$4 home=$5 command
	mkdir -p "$root"/{bin,etc,tmp,run,proc,sys,dev} "$root$home"
	chmod 1777 "$root/tmp"
	program "$root" /bin/dash
	ln -s dash "$root/bin/sh"
	for command in cat chmod chown id mkdir setpriv; do
		program "$root" "$(command -v "$command")"
	done
	printf 'root:x:0:0:root:/:/bin/sh\n%s:x:%s:%s::%s:/bin/sh\n' "$user" "$uid" "$gid" "$home" >"$root/etc/passwd"
	printf 'root:x:0:\n%s:x:%s:\n' "$user" "$gid" >"$root/etc/group"
	printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
	copy "$root" /usr/lib/locale/C.utf8
}

# import makes an image of a root file system; its files belong to root, whoever builds it.
import() {
	local root=$1 name=$2
	shift 2
	tar --numeric-owner --owner=0 --group=0 -C "$root" -c . | docker import "$@" - "$name" >/dev/null
}

ingest() {
	mkdir -p "$work/ingest/data"
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/ingest/ingest" ./admin/ingest
	# The stage that compiles needs an image of somebody else; the other one finds here what that would have made. The old
	# builder is everywhere, the new one is a plug-in.
	sed -n '/^FROM scratch/,$p' Dockerfile | sed 's/ --from=build//' >"$work/ingest/Dockerfile"
	DOCKER_BUILDKIT=0 docker build --quiet -t "ingest:$tag" "$work/ingest" >/dev/null 2>"$work/log" ||
		die "docker build: $(cat "$work/log")"
	local size
	size=$(docker image inspect --format '{{.Size}}' "ingest:$tag")
	[ "$size" -le "$limit" ] || die "ingest:$tag has $size bytes, at most $limit are allowed."
}

redis() {
	local root=$work/redis
	base "$root" redis 999 1000 /data
	program "$root" "$(command -v redis-server)" "$(command -v redis-cli)"
	install -m 755 tools/images/redis.sh "$root/entrypoint"
	import "$root" "ingest-redis:$tag" \
		--change 'ENTRYPOINT ["/entrypoint"]' --change 'CMD ["redis-server"]' --change 'WORKDIR /data' --change 'EXPOSE 6379' \
		--change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' --change 'VOLUME /data'
}

postgres() {
	local root=$work/postgres bin
	bin=$(dirname "$(readlink -f "$(type -P postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -1)")")
	local home version
	home=$(dirname "$bin")
	version=$(basename "$home")
	base "$root" postgres 70 70 /var/lib/postgresql
	mkdir -p "$root/run/postgresql" "$root/var"
	ln -s /run "$root/var/run"
	program "$root" "$bin"/{postgres,initdb,pg_ctl,pg_isready,psql} "$(type -P locale)"
	local library
	for library in "$home"/lib/*.so; do
		# Compiling queries needs a compiler of 100 MB.
		[ "$(basename "$library")" = llvmjit.so ] || program "$root" "$library"
	done
	copy "$root" "/usr/share/postgresql/$version" /usr/share/zoneinfo
	install -m 755 tools/images/postgres.sh "$root/entrypoint"
	import "$root" "ingest-postgres:$tag" \
		--change 'ENTRYPOINT ["/entrypoint"]' --change 'CMD ["postgres"]' --change 'EXPOSE 5432' \
		--change "ENV PATH=$bin:/usr/bin:/bin" --change 'ENV LC_ALL=C.UTF-8' \
		--change 'ENV PGDATA=/var/lib/postgresql/data' --change 'VOLUME /var/lib/postgresql/data'
}

[ $# -gt 0 ] || set -- ingest redis postgres
for image in "$@"; do
	case $image in
	ingest) name=ingest ;;
	redis | postgres) name=ingest-$image ;;
	*) die "There is no image $image: ingest, redis, postgres." ;;
	esac
	before=$(docker image inspect --format '{{.Id}}' "$name:$tag" 2>/dev/null || true)
	"$image"
	# What was replaced would lie around without a name; a container that still runs keeps it.
	if [ -n "$before" ] && [ "$before" != "$(docker image inspect --format '{{.Id}}' "$name:$tag")" ]; then
		docker image rm "$before" >/dev/null 2>&1 || true
	fi
done
docker image ls --format '{{.Repository}}:{{.Tag}}\t{{.Size}}' | grep -E "^ingest(-redis|-postgres)?:$tag\b" | sort
