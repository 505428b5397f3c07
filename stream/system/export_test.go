package system

// ClockBy and OpenRotatingBy have another clock than the system's.
var (
	ClockBy        = clock
	OpenRotatingBy = openRotating
	IsRotated      = isRotated
)
