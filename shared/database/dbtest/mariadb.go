package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"os/user"
	"testing"
)

// mariadbScript starts a server in $1 and ends it, leaving nothing, when standard input closes. A server that starts removes
// what others have in the same tmpdir.
const mariadbScript = `dir=$1 server=$2 install=$3 user=$4
"$install" --no-defaults --user="$user" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >"$dir/log" 2>&1 || exit 1
"$server" --no-defaults --user="$user" --datadir="$dir/data" --socket="$dir/socket" --pid-file="$dir/pid" --tmpdir="$dir" --skip-networking \
	--innodb-flush-log-at-trx-commit=1 --sync-binlog=0 --innodb-flush-method=nosync --innodb-doublewrite=0 --innodb-buffer-pool-size=64M \
	--innodb-log-file-size=64M --sync-frm=0 --max-connections=300 --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci --max-allowed-packet=16M >>"$dir/log" 2>&1 &
pid=$!
read -r _
kill -KILL $pid
wait $pid
rm -rf "$dir"
`

// mariadb is the server of this process; it is written once, by the first test that asks.
var mariadb first

// MariaDB returns the URL of an empty database of the process's MariaDB server; it is dropped after the test.
func MariaDB(t testing.TB) string {
	t.Helper()
	return mariadb.database(t, startMariaDB)
}

// StartMariaDB returns a MariaDB server for this test alone, which may stop it.
func StartMariaDB(t testing.TB) *Server {
	t.Helper()
	return own(t, startMariaDB)
}

func startMariaDB(ctx context.Context) (*Server, error) {
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		server, err = exec.LookPath("/usr/sbin/mariadbd")
	}
	install, missing := exec.LookPath("mariadb-install-db")
	if errors.Join(err, missing) != nil {
		return nil, errors.New("these tests need a MariaDB server: apt-get install mariadb-server")
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	// Unlike PostgreSQL it runs as anybody, root if it is told so.
	s, err := launch("MariaDB", mariadbScript, false, server, install, me.Username)
	if err != nil {
		return nil, err
	}
	s.admin, s.home = "root", "mysql"
	s.url = func(role, name string) string {
		return "mysql://" + role + "@localhost/" + name + "?socket=" + s.dir + "/socket"
	}
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("start MariaDB: %w\n%s", err, s.log())
	}
	return s, s.run(ctx, "CREATE USER "+Locked+"@localhost IDENTIFIED BY 'right'")
}
