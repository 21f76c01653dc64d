package token

import (
	"io/fs"
	"syscall"
)

// inode tells a file from the one that replaced it under its name within the clock's resolution.
func inode(info fs.FileInfo) any {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return nil
}
