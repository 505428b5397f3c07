// Package nats connects processes on different machines through NATS.
package nats
