//go:build !unix

package main

import "io/fs"

// sameGroup does nothing: files have no group here.
func sameGroup(string, fs.FileInfo) error { return nil }
