// Package inspect is a live picture of a program: its pipelines stage by stage, with the stage that
// holds up the others, its connections, subjects, hubs and pools.
//
//	live := inspect.New()
//	ctx = live.Follow(ctx)        // named stages (operators.Named) and buffers of runs with ctx
//	live.Connections(&config)     // the connections of socket.New(config)
//	live.Pool("workers", pool)
//
// This collects, and shows nothing yet. There are three ways to look at it:
//
//   - [Inspector.Serve] serves a page on a loopback address, for those who have its token.
//   - [Inspector.Handler] is an http.Handler for a server of your own.
//   - [Inspector.Methods] are typed requests for the program's own unix socket: "rxipc inspect NAME"
//     shows them as the page, and "rxipc top NAME" in the terminal.
//
// # Costs
//
// With nobody watching, a value of a named stage costs about 10 ns, a value of a stage without a
// name nothing, and a message of a server that Connections follows about 100 ns. While somebody
// watches, the latencies of some of the values are measured.
//
// # Safety
//
// The page can close connections, so whoever opens it can do harm. Serve listens on loopback only
// and demands a token. A Handler demands one if [Options].Token is set; without one, the server
// around it must authenticate. The users that a unix socket admits may use the methods. Contents of
// values are shown only if [Options].Contents allows it. Names and contents are shown as text, never
// as HTML. The page is embedded, and asks nothing of other servers.
package inspect
