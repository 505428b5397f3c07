package tcp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/socket"
)

// Directory has the addresses of names. Several goroutines may call its methods at the same time.
type Directory interface {
	// Addresses returns the addresses of the server with the name, in the form host:port, the
	// preferred one first. It returns none, and no error, for an unknown name.
	Addresses(ctx context.Context, name socket.Name) ([]string, error)

	// Names returns all names, in order, or errors.ErrUnsupported if they are not known.
	Names(ctx context.Context) ([]socket.Name, error)
}

// Func is a Directory made of a function. It has no list of names.
type Func func(ctx context.Context, name socket.Name) ([]string, error)

// Addresses calls the function.
func (f Func) Addresses(ctx context.Context, name socket.Name) ([]string, error) { return f(ctx, name) }

// Names fails with errors.ErrUnsupported.
func (f Func) Names(context.Context) ([]socket.Name, error) { return nil, errUnlisted }

var errUnlisted = fmt.Errorf("this directory has no list of names: %w", errors.ErrUnsupported)

// Table is a Directory in the program: addresses by name. The map must not change while it is
// used.
type Table map[string][]string

// Addresses returns the addresses of the name in the table.
func (t Table) Addresses(_ context.Context, name socket.Name) ([]string, error) {
	return t[name.String()], nil
}

// Names returns the names in the table. It fails with [socket.ErrInvalid] if one is no name.
func (t Table) Names(context.Context) ([]socket.Name, error) {
	var names []socket.Name
	for _, text := range slices.Sorted(maps.Keys(t)) {
		name, err := socket.ParseName(text)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// File is a Directory in a file with this path. A line has a name and its addresses, separated by
// spaces. Empty lines, and what follows a #, are ignored:
//
//	# name     addresses
//	counter    10.0.0.7:4711
//	journal    a.example.org:4712 b.example.org:4712
//
// The file is read at each use, so a change holds at once. Replace the file by a rename, so that
// nobody reads half of it. A missing file, or a line that is wrong, is an error of the use, which
// names the line.
type File string

// Addresses returns the addresses of the name in the file.
func (f File) Addresses(ctx context.Context, name socket.Name) ([]string, error) {
	table, err := f.read()
	if err != nil {
		return nil, err
	}
	return table.Addresses(ctx, name)
}

// Names returns the names in the file.
func (f File) Names(ctx context.Context) ([]socket.Name, error) {
	table, err := f.read()
	if err != nil {
		return nil, err
	}
	return table.Names(ctx)
}

func (f File) read() (Table, error) {
	content, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	table, line, err := parseTable(string(content))
	if err != nil {
		return nil, fmt.Errorf("%w: %s:%d: %w", socket.ErrInvalid, f, line, err)
	}
	return table, nil
}

// parseTable parses the content of a File. It returns the number of the line that is wrong.
func parseTable(content string) (table Table, number int, err error) {
	table = make(Table)
	for line := range strings.Lines(content) {
		number++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name, addresses := fields[0], fields[1:]
		if _, err := socket.ParseName(name); err != nil {
			return nil, number, err
		}
		if table[name] != nil {
			return nil, number, fmt.Errorf("%s has a line already", name)
		}
		if len(addresses) == 0 {
			return nil, number, fmt.Errorf("%s has no address", name)
		}
		for _, address := range addresses {
			if _, _, err := net.SplitHostPort(address); err != nil {
				return nil, number, err
			}
		}
		table[name] = addresses
	}
	return table, 0, nil
}

// SRV is a Directory in the domain name system. The addresses of a name are those of the SRV
// records of _NAME._tcp.DOMAIN, in the order of RFC 2782. It has no list of names.
type SRV struct {
	// Domain has the records, such as example.org.
	Domain string

	// Resolver asks for the records; nil means net.DefaultResolver.
	Resolver *net.Resolver
}

// Addresses looks the records up. It returns none if the name has no records.
func (s SRV) Addresses(ctx context.Context, name socket.Name) ([]string, error) {
	resolver := s.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	_, records, err := resolver.LookupSRV(ctx, name.String(), "tcp", s.Domain)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return nil, nil
	}
	var addresses []string
	for _, r := range records {
		host := strings.TrimSuffix(r.Target, ".")
		addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
	}
	if len(addresses) > 0 {
		return addresses, nil // records with a wrong name are left out, and the others are valid
	}
	return nil, err
}

// Names fails with errors.ErrUnsupported.
func (s SRV) Names(context.Context) ([]socket.Name, error) { return nil, errUnlisted }
