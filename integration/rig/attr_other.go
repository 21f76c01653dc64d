//go:build !linux

package rig

import "syscall"

// dieWithUs does nothing where the kernel offers no such signal: a killed test process leaves its children.
func dieWithUs(*syscall.SysProcAttr, syscall.Signal) {}
