package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlSession makes sessions alike, whatever the server's settings are: nothing is cut or guessed (strict), names are quoted
// as in SQL, times are UTC. The part in the comment is for MariaDB, which can end a transaction whose client has gone silent.
const mysqlSession = `SET time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, unique_checks = 1,
	sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,NO_BACKSLASH_ESCAPES',
	innodb_lock_wait_timeout = 30, wait_timeout = 600 /*M!100303 , idle_write_transaction_timeout = 60, max_statement_time = 600 */`

const mysqlIsolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

// mysqlOptions are the options a URL may have; none of them lets the server read the client's files.
var mysqlOptions = map[string]bool{
	"socket": true, "connect_timeout": true, "ssl-mode": true, "ssl-ca": true, "ssl-cert": true, "ssl-key": true,
}

func (d *DB) openMySQL(c Config) error {
	config, err := mysqlConfig(c.URL)
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return errors.New("the url is not a valid mysql:// url")
	}
	d.pool(mysqlConnector{connector}, c)
	d.migrator = func() *sql.DB {
		own := config.Clone()
		if d.schema != "" {
			own.DBName = d.schema
		}
		// It was valid with another name.
		connector, _ := mysql.NewConnector(own)
		return sql.OpenDB(mysqlConnector{connector})
	}
	return nil
}

// mysqlConfig reads mysql://user:password@host:port/database?options. Errors hold nothing of it.
func mysqlConfig(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the url is not a valid mysql:// url")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the options of the url are malformed")
	}
	for name := range options {
		if !mysqlOptions[name] {
			return nil, fmt.Errorf("the url has the option %q, which is not allowed", name)
		}
	}
	config := mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	if config.DBName = strings.TrimPrefix(u.Path, "/"); config.DBName == "" {
		return nil, errors.New("the url names no database: mysql://user:password@host/database")
	}
	config.Net, config.Addr = "tcp", u.Host
	if u.Port() == "" {
		config.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	if socket := options.Get("socket"); socket != "" {
		config.Net, config.Addr = "unix", socket
	}
	config.Timeout = connectTimeout
	if text := options.Get("connect_timeout"); text != "" {
		if config.Timeout, err = time.ParseDuration(text + "s"); err != nil {
			return nil, errors.New("connect_timeout must be seconds")
		}
	}
	config.Collation = "utf8mb4_bin"
	config.ClientFoundRows = true
	config.InterpolateParams = true
	config.MaxAllowedPacket = 0 // what the server says
	config.Logger = silent{}
	return config, mysqlTLS(config, options, u.Hostname())
}

// mysqlTLS sets what ssl-mode asks for, with the words of MySQL's own clients: preferred, the default, takes what the server
// has and checks no certificate.
func mysqlTLS(config *mysql.Config, options url.Values, host string) error {
	mode := strings.ToLower(options.Get("ssl-mode"))
	files := options.Get("ssl-ca") + options.Get("ssl-cert") + options.Get("ssl-key")
	switch mode {
	case "", "preferred", "disabled":
		if files != "" {
			return errors.New("ssl-ca, ssl-cert and ssl-key need ssl-mode=verify_identity")
		}
		if config.TLSConfig = "preferred"; mode == "disabled" || config.Net == "unix" {
			config.TLSConfig = "false"
		}
		return nil
	case "verify_identity":
	default:
		return errors.New("ssl-mode must be disabled, preferred or verify_identity")
	}
	config.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if path := options.Get("ssl-ca"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return errors.New("the file of ssl-ca cannot be read")
		}
		config.TLS.RootCAs = x509.NewCertPool()
		if !config.TLS.RootCAs.AppendCertsFromPEM(text) {
			return errors.New("the file of ssl-ca holds no certificate")
		}
	}
	if options.Get("ssl-cert")+options.Get("ssl-key") != "" {
		pair, err := tls.LoadX509KeyPair(options.Get("ssl-cert"), options.Get("ssl-key"))
		if err != nil {
			return errors.New("the files of ssl-cert and ssl-key are no certificate with its key")
		}
		config.TLS.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// silent is the driver's logger: what it has to say is in its errors, too.
type silent struct{}

func (silent) Print(...any) {}

// mysqlConnector makes every new session as promised.
type mysqlConnector struct{ driver.Connector }

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{mysqlSession, mysqlIsolation} {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}
