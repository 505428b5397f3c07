// Package stages follows running pipelines: which stages run, how many values they have emitted,
// how full the buffers between goroutines are, and what each stage waits for.
//
//	registry := new(stages.Registry)
//	err := pipeline.Run(registry.Follow(ctx))    // a program does this once, with the context of all its runs
//	…
//	for _, s := range registry.Snapshot() {      // at any time, on any goroutine
//		fmt.Println(s)
//	}
//
// A stage is followed if it has a name (operators.Named) and the context of its run comes from
// [Registry.Follow]. Buffers of such a run are followed, too: those of stream.Gather and
// stream.Buffered, of the operators made of them, and of the observers of a subject. A value of a
// followed stage costs about 10 ns. Stages without a name and buffers cost nothing.
//
// A pipeline is run from its end, so the stages form a tree whose root is the consumer. The parent
// of a stage is the next named stage, or buffer, in the direction of the values. All runs of a
// stage at one place of that tree are one [Stage].
//
// Module inspect draws the tree, and says which stage holds up the others.
package stages
