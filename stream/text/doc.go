// Package text reads streams from readers and writes them to writers: lines, CSV and JSON, of
// any size, an item at a time.
//
//	orders := text.ReadFile("orders.jsonl", text.JSONLines[Order], text.Skip(report))
//	err := stream.Pipe2(orders, operators.Filter(open), text.WriteJSON[Order](os.Stdout)).Run(ctx)
//
// An item that cannot be read fails the run with an [*Error], which has the item's number and
// offset. [Skip] leaves bad items out instead. [Limit] bounds the size of an item, and so the
// memory of a run.
//
// # Readers
//
// An observable of a reader is hot: its runs share the reader. A run reads
// ahead, and the next run does not get the bytes that this one has read and not emitted: run it
// once. The run does not close the reader. [ReadFile] opens a file for each run, [stream.Using]
// anything else.
//
// # The end of the context
//
// The end of the context interrupts a Read that blocks:
//
//   - By a deadline, if the reader has SetReadDeadline and takes one: connections, and pipes
//     made by package os. The run removes a deadline of the user's.
//   - By poll(2), if the reader is another [os.File] and the system is a Unix: terminals, and
//     pipes that the program inherited, such as [os.Stdin]. A Read that another program's
//     reading of the same terminal or pipe has left without input is not interrupted.
//   - Readers in memory and files on disk do not block.
//   - Any other Read, of an [io.Pipe] or of a terminal on Windows for instance, is called on a
//     goroutine of its own, and the run does not wait for it. That goroutine then remains until
//     Read returns, with the reader and 32 KiB, and what it reads is lost. This is the one thing
//     that a run leaves behind; a reader that is closed when the context ends leaves nothing.
//
// [bufio.Reader], gzip and other readers on top of another hide what is below them, and
// count among the last kind.
package text
