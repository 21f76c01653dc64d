#!/usr/bin/env bash
# Installs the programs that `make bench` measures the engine beside. What cannot be installed is named on the page.
set -euo pipefail

packages=()
for program in psql:postgresql-client pgloader:pgloader mariadb:mariadb-client sqlite3:sqlite3; do
	command -v "${program%%:*}" >/dev/null || packages+=("${program##*:}")
done
if [ ${#packages[@]} -eq 0 ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	exit 0
fi
echo "Installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "${packages[@]}" </dev/null || echo "The page will do without what is missing." >&2
