package stream

// Pipe1 to Pipe9 compose operators left to right: values enter at source, pass
// each operator in turn, and come out of the observable that is returned. Go has
// no variadic type parameters, so there is one function an arity; for more than
// nine stages pipe a pipe.
//
// They compose and nothing else: written where the pipeline runs, the compiler
// flattens it into one loop. It stops where an operator occurs again, since it inlines
// nothing into itself: a value costs a call for each operator before that.
func Pipe1[A, B any](source Observable[A], op1 Operator[A, B]) Observable[B] {
	mustHave("Pipe1", "operator", op1 != nil)
	return op1(source)
}

// Pipe2 composes two operators; see [Pipe1].
func Pipe2[A, B, C any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C]) Observable[C] {
	mustHave("Pipe2", "operator", op1 != nil && op2 != nil)
	return op2(op1(source))
}

// Pipe3 composes three operators; see [Pipe1].
func Pipe3[A, B, C, D any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D]) Observable[D] {
	return made(func() Observable[D] {
		mustHave("Pipe3", "operator", op1 != nil && op2 != nil && op3 != nil)
		return op3(op2(op1(source)))
	})
}

// Pipe4 composes four operators; see [Pipe1].
func Pipe4[A, B, C, D, E any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E]) Observable[E] {
	return made(func() Observable[E] {
		mustHave("Pipe4", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil)
		return op4(op3(op2(op1(source))))
	})
}

// Pipe5 composes five operators; see [Pipe1].
func Pipe5[A, B, C, D, E, F any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E], op5 Operator[E, F]) Observable[F] {
	return made(func() Observable[F] {
		mustHave("Pipe5", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil && op5 != nil)
		return op5(op4(op3(op2(op1(source)))))
	})
}

// Pipe6 composes six operators; see [Pipe1].
func Pipe6[A, B, C, D, E, F, G any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E], op5 Operator[E, F], op6 Operator[F, G]) Observable[G] {
	return made(func() Observable[G] {
		mustHave("Pipe6", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil && op5 != nil && op6 != nil)
		return op6(op5(op4(op3(op2(op1(source))))))
	})
}

// Pipe7 composes seven operators; see [Pipe1].
func Pipe7[A, B, C, D, E, F, G, H any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E], op5 Operator[E, F], op6 Operator[F, G], op7 Operator[G, H]) Observable[H] {
	return made(func() Observable[H] {
		mustHave("Pipe7", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil && op5 != nil && op6 != nil && op7 != nil)
		return op7(op6(op5(op4(op3(op2(op1(source)))))))
	})
}

// Pipe8 composes eight operators; see [Pipe1].
func Pipe8[A, B, C, D, E, F, G, H, I any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E], op5 Operator[E, F], op6 Operator[F, G], op7 Operator[G, H], op8 Operator[H, I]) Observable[I] {
	return made(func() Observable[I] {
		mustHave("Pipe8", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil && op5 != nil && op6 != nil && op7 != nil && op8 != nil)
		return op8(op7(op6(op5(op4(op3(op2(op1(source))))))))
	})
}

// Pipe9 composes nine operators; see [Pipe1].
func Pipe9[A, B, C, D, E, F, G, H, I, J any](source Observable[A], op1 Operator[A, B], op2 Operator[B, C], op3 Operator[C, D], op4 Operator[D, E], op5 Operator[E, F], op6 Operator[F, G], op7 Operator[G, H], op8 Operator[H, I], op9 Operator[I, J]) Observable[J] {
	return made(func() Observable[J] {
		mustHave("Pipe9", "operator", op1 != nil && op2 != nil && op3 != nil && op4 != nil && op5 != nil && op6 != nil && op7 != nil && op8 != nil && op9 != nil)
		return op9(op8(op7(op6(op5(op4(op3(op2(op1(source)))))))))
	})
}

// made calls make. The compiler does not inline a function of more than four calls; those
// of a literal that it hands on do not count.
func made[T any](make func() Observable[T]) Observable[T] { return make() }
