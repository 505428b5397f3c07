package socket

import "log/slog"

// String is the process in a line: the number of its connection, its name and peer, and
// whether that is open or closed.
func (p *Process) String() string {
	if p == nil {
		return "no process"
	}
	p.mu.Lock()
	over := p.closing || p.err != nil
	p.mu.Unlock()
	state := "open"
	if over {
		state = "closed"
	}
	return endLine(p.id, p.name.text, p.peer, state)
}

// GoString is String.
func (p *Process) GoString() string { return p.String() }

// LogValue is the process as attributes of a log line, as a [Connection] has them.
func (p *Process) LogValue() slog.Value {
	return lineValue(p.name.String(), p.id, p.peer)
}

// Log returns [Config.Log] with the attributes of the process, as [Connection.Log] does.
func (p *Process) Log() *slog.Logger { return p.config.Log.With(slog.Any("", p)) }

// log writes a line about the process.
func (p *Process) log(level slog.Level, message string, attrs ...slog.Attr) {
	writeLine(p.config.Log, level, message, p, attrs)
}
