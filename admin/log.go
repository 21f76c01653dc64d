package admin

import (
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"ingest/shared/config"
)

// newLog writes to w as the configuration says; nothing below least is written unless debug was asked for and least
// is no more than a warning.
func newLog(w io.Writer, c config.Config, least zapcore.Level) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.Log.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	if level > zapcore.DebugLevel || least > zapcore.WarnLevel {
		level = max(level, least)
	}
	settings := zap.NewProductionEncoderConfig()
	settings.EncodeTime = zapcore.ISO8601TimeEncoder
	encoder := zapcore.NewConsoleEncoder(settings)
	if c.Log.Format == "json" {
		encoder = zapcore.NewJSONEncoder(settings)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level)), nil
}
