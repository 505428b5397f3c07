package inspect

import "time"

// A snapshot has at most so many stages and connections; a Query asks for others.
const (
	stagesPage      = 100
	connectionsPage = 50
)

// Query says what a viewer wants to see.
type Query struct {
	Every       float64 `json:"every"`       // seconds between two snapshots; the default is 0.25, the least 0.1
	Stages      int     `json:"stages"`      // how many stages to skip
	Connections int     `json:"connections"` // how many connections to skip
	Find        string  `json:"find"`        // only stages and connections with this in their names, or peers
	Values      int     `json:"values"`      // the ID of a stage whose values are to be sampled; 0 for none
	Contents    bool    `json:"contents"`    // with their contents, if the program allows it
}

// every returns the time between two snapshots.
func (q Query) every() time.Duration {
	if !(q.Every > 0) { // not even NaN is
		q.Every = 0.25
	}
	return time.Duration(max(0.1, min(q.Every, 60)) * float64(time.Second))
}

// Snapshot is what there is to see at one moment, as JSON.
type Snapshot struct {
	Time       time.Time `json:"time"`
	Program    string    `json:"program"` // its name
	PID        int       `json:"pid"`
	Goroutines int       `json:"goroutines"`
	Heap       uint64    `json:"heap"` // bytes

	Verdicts    []Verdict `json:"verdicts"`    // on each pipeline that runs, the stuck ones first
	Stages      []Stage   `json:"stages"`      // a page of them, in the direction of the values
	StagesFrom  int       `json:"stagesFrom"`  // how many were skipped
	StagesFound int       `json:"stagesFound"` // how many the query finds
	StagesTotal int       `json:"stagesTotal"` // how many there are

	Connections      []Connection `json:"connections"` // a page of them, those with most work first
	ConnectionsFrom  int          `json:"connectionsFrom"`
	ConnectionsFound int          `json:"connectionsFound"`
	Totals           Totals       `json:"totals"` // of all connections

	Members      []Member `json:"members"`
	MembersTotal int      `json:"membersTotal"`

	Values   []Value `json:"values"`   // fresh samples of the stage that the query asks for
	Contents bool    `json:"contents"` // the program lets a viewer see contents
}

// Value is a value that a stage emitted.
type Value struct {
	Number uint64    `json:"number"` // counts the samples of the stage
	At     time.Time `json:"at"`
	Text   string    `json:"text,omitempty"` // empty unless contents are asked for and allowed
}

// State says what a stage does.
type State string

// The states of stages.
const (
	Flows   State = "flows"       // neither of the following
	Waits   State = "waits"       // for its source, nearly all the time
	HeldUp  State = "held up"     // by what follows, nearly all the time
	Stuck   State = "stuck"       // what follows has been at work on one value for half a second or more
	Silent  State = "silent"      // its source has emitted nothing for a second or more
	Full    State = "full"        // a buffer in which a producer waits for room
	Filling State = "partly full" // a buffer in which values wait
	Empty   State = "empty"       // a buffer in which no value waits
	Ended   State = "ended"       // no run of it has not ended
)

// Stage is a named stage, or a buffer, with all its runs.
type Stage struct {
	ID      int     `json:"id"`
	Parent  int     `json:"parent"` // the stage that its values go to; 0 for the consumer
	Kind    string  `json:"kind"`   // stage or buffer
	Name    string  `json:"name"`
	Rail    Rail    `json:"rail"` // how it is joined to the others
	State   State   `json:"state"`
	Seconds float64 `json:"seconds"` // in a state that is Stuck or Silent

	Running   int    `json:"running"` // runs that have not ended
	Runs      uint64 `json:"runs"`
	Completed uint64 `json:"completed"`
	Failed    uint64 `json:"failed"`
	Stopped   uint64 `json:"stopped"`

	Values  uint64    `json:"values"`
	Rate    float64   `json:"rate"`    // values a second, over the last two seconds
	Spark   []float32 `json:"spark"`   // the rate in each of the last seconds, the latest last
	Dropped int       `json:"dropped"` // values that were lost between the stages above and this one, for want of room
	Skipped int       `json:"skipped"` // values that were bad or late

	P50  float64 `json:"p50"`  // median of the seconds that what follows needs for a value
	P99  float64 `json:"p99"`  // 99th percentile of that
	Busy float64 `json:"busy"` // share of the time in which what follows is at work, 0 to 1

	Waiting  int `json:"waiting"`  // values in a buffer
	Capacity int `json:"capacity"` // of the buffer
	Blocked  int `json:"blocked"`  // producers that wait for room

	Holds bool `json:"holds"` // a Verdict is about this stage
}

// Rail is the line beside a stage that draws the list of stages as a graph. Each stage is below its
// sources.
type Rail struct {
	Lane    int   `json:"lane"`    // of this stage
	Through []int `json:"through"` // lanes of others that pass by
	Joins   []int `json:"joins"`   // lanes that end here, besides its own
	Top     bool  `json:"top"`     // values come to it in its own lane
	Bottom  bool  `json:"bottom"`  // its values go to a stage further below
}

// Verdict says which part holds up a pipeline.
type Verdict struct {
	Stage    int      `json:"stage"` // the ID of the marked stage
	Severity Severity `json:"severity"`
	Why      string   `json:"why"` // a sentence or two
}

// Severity says how bad a Verdict is.
type Severity string

// The severities.
const (
	Calm Severity = "calm"  // the pipeline waits for its source, which may have nothing to do
	Slow Severity = "slow"  // a part is at work nearly all the time
	Dead Severity = "stuck" // a part has not finished a value for half a second or more
)
