package stream_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

// printed is a subject with one observer that prints what it gets, and what waits
// for its end.
func printed() (*stream.Subject[string], *stream.Subscription) {
	subject := new(stream.Subject[string])
	subscription := subject.Observe(16, stream.Block).Subscribe(context.Background(), stream.Observer[string]{
		Next:     func(s string) { fmt.Println(s) },
		Error:    func(err error) { fmt.Println("failed:", err) },
		Complete: func() { fmt.Println("done") },
	})
	observed(subject) // it begins on its own goroutine
	return subject, subscription
}

// observed waits until somebody observes the subject.
func observed[T any](subject *stream.Subject[T]) {
	_ = subject.Audience()(context.Background(), func(n int) bool { return n == 0 })
}

func ExampleSubject() {
	subject, subscription := printed()
	subject.Next("hello")
	subject.Next("again")
	subject.Complete()
	_ = subscription.Wait()
	// Output:
	// hello
	// again
	// done
}

func ExampleSubject_Next() {
	subject, subscription := printed()
	subject.Next("hello")
	subject.Complete()
	subject.Next("too late")
	_ = subscription.Wait()
	// Output:
	// hello
	// done
}

// One observer may lose values, and loses them alone.
func ExampleSubject_Observe() {
	var subject stream.Subject[int]
	begun, given := make(chan bool), make(chan bool)
	latest := subject.Observe(1, stream.DropOldest).Subscribe(context.Background(), stream.Observer[int]{
		Next: func(n int) {
			fmt.Println(n)
			if n == 0 {
				begun <- true
				<-given // slow
			}
		},
	})
	observed(&subject)
	subject.Next(0)
	<-begun
	for n := range 100 {
		subject.Next(n)
	}
	subject.Complete()
	given <- true
	_ = latest.Wait()
	// Output:
	// 0
	// 99
}

func ExampleSubject_Complete() {
	var subject stream.Subject[int]
	subject.Complete()
	fmt.Println(subject.Observe(1, stream.Block).Run(context.Background()))
	// Output: <nil>
}

func ExampleSubject_Error() {
	subject, subscription := printed()
	subject.Next("hello")
	subject.Error(errors.New("line cut"))
	_ = subscription.Wait()
	// Output:
	// hello
	// failed: line cut
}

func ExampleSubject_Observers() {
	subject, subscription := printed()
	fmt.Println(subject.Observers())
	subscription.Unsubscribe()
	_ = subscription.Wait()
	fmt.Println(subject.Observers())
	// Output:
	// 1
	// 0
}
