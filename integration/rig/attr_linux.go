package rig

import "syscall"

// dieWithUs has the kernel send a child this signal when the test process dies, however that happens.
func dieWithUs(attr *syscall.SysProcAttr, signal syscall.Signal) { attr.Pdeathsig = signal }
