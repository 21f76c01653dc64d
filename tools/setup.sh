#!/usr/bin/env bash
# Installs the servers and shells that tests start, or says what to install. Does nothing when all is there.
set -euo pipefail

packages=()
command -v redis-server >/dev/null || packages+=(redis-server)
command -v redis-cli >/dev/null || packages+=(redis-tools)
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || packages+=(postgresql)
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || packages+=(mariadb-server)
command -v curl >/dev/null || packages+=(curl)
# Completion scripts are tested by the shells they are for.
command -v zsh >/dev/null || packages+=(zsh)
command -v fish >/dev/null || packages+=(fish)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || packages+=(chromium)
# The race detector is the one thing that needs cgo.
command -v "${CC:-gcc}" >/dev/null || packages+=(gcc libc6-dev)

if [ ${#packages[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "The tests need: ${packages[*]}" >&2
	echo "On Debian and Ubuntu: sudo apt-get install ${packages[*]}" >&2
	exit 1
fi
echo "Installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "${packages[@]}" </dev/null
