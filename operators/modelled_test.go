package operators_test

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// modelledBy says which test compares an operator with a model in brute force, on random
// scripts in virtual time or on random values.
var modelledBy = map[string][]string{
	"TestThinningOperatorsAgainstModels":       {"Debounce", "ThrottleFirst", "ThrottleLast", "Audit", "Sample"},
	"TestThrottleLatestAgainstAModel":          {"ThrottleLatest"},
	"TestShiftingOperatorsAgainstModels":       {"Delay", "RateLimit", "FoldSlidingTime", "TimeInterval", "Timestamp"},
	"TestEndingOperatorsAgainstModels":         {"TakeUntil", "TakeUntilDone", "SkipUntil", "Timeout", "TimeoutFirst"},
	"TestCuttingOperatorsAgainstModels":        {"BufferTime", "FoldTumblingTime", "BufferBoundary", "Window"},
	"TestBufferTimeOrCountAgainstAModel":       {"BufferTimeOrCount"},
	"TestWindowTimeOrCountAgainstAModel":       {"WindowTimeOrCount"},
	"TestBufferTimeEveryAgainstAModel":         {"BufferTimeEvery"},
	"TestFoldHoppingTimeAgainstAModel":         {"FoldHoppingTime"},
	"TestWindowTimeEveryAgainstAModel":         {"WindowTime", "WindowTimeEvery"},
	"TestEventTimeWindowsAgainstAModel":        {"BufferEventTime", "FoldEventTime", "FoldEventTimeByKey"},
	"TestFoldSessionsAgainstAModel":            {"FoldSessions"},
	"TestGroupIdleAgainstAModel":               {"GroupIdle"},
	"TestGroupByAgainstModel":                  {"GroupBy"},
	"TestGroupByWhoseReadersLeaveAgainstModel": {"GroupReopens"},
	"TestBufferUntilChangedAgainstAModel":      {"BufferUntilChanged"},
	"TestWindowsByCountAgainstSlices":          {"WindowCount", "WindowCountEvery"},
	"TestFilteringAgainstSlices":               {"Distinct", "DistinctBy", "DistinctUntilChanged", "ElementAt", "Skip", "SkipLast", "SkipWhile", "TakeLast"},
	"TestFoldingAgainstSlices":                 {"BufferCount", "BufferCountEvery", "FoldTumbling", "FoldSliding", "Pairwise"},
	"TestOperatorsAgainstSlices":               {"Take", "TakeWhile", "Scan", "ScanFrom", "Reduce", "First", "Last"},
	"TestCombineLatestAgainstAModel":           {"CombineLatest"},
	"TestZipAgainstAModel":                     {"Zip"},
	"TestZipLongestAgainstAModel":              {"ZipLongest"},
	"TestZipLatestAgainstAModel":               {"ZipLatest"},
	"TestWithLatestFromAgainstAModel":          {"WithLatestFrom"},
	"TestMergeAgainstAModel":                   {"Merge"},
	"TestMergeDelayErrorAgainstAModel":         {"MergeDelayError"},
	"TestMergeSortedAgainstAModel":             {"MergeSorted"},
	"TestRaceAgainstAModel":                    {"Race"},
	"TestForkJoinAgainstAModel":                {"ForkJoin"},
	"TestConcatMapAgainstAModel":               {"ConcatMap"},
	"TestConcatMapEagerAgainstAModel":          {"ConcatMapEager"},
	"TestSwitchMapAgainstAModel":               {"SwitchMap"},
	"TestExhaustMapAgainstAModel":              {"ExhaustMap"},
	"TestMergeMapAgainstAModel":                {"MergeMap"},
	"TestShareReplayAgainstAModel":             {"ShareReplay"},
	"TestMergeMapWithALimitAgainstAModel":      {"Limit"},
	"TestMergeOfNAgainstAModel":                {"Merge"},
	"TestCombineLatestOfNAgainstAModel":        {"CombineLatestAll", "CombineLatest3"},
	"TestZipOfNAgainstAModel":                  {"ZipAll", "Zip3"},
	"TestConcatOfNAgainstAModel":               {"Concat"},
	"TestExpandAgainstAModel":                  {"Expand"},
	"TestMapParallelByKeyAgainstASchedule":     {"MapParallelByKey"},
}

// takesTime reports whether a function has a parameter of time, or of event time.
func takesTime(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		kind := types.ExprString(p.Type)
		return kind == "time.Duration" || strings.HasPrefix(kind, "EventTime")
	})
}

func TestEveryOperatorThatLooksAtTimeHasAModel(t *testing.T) {
	tests, all := make(map[string]bool), make(map[string]bool)
	eachFile(t, func(string) bool { return true }, func(f *ast.FuncDecl) { tests[f.Name.Name] = true })
	for test, names := range modelledBy {
		if !tests[test] {
			t.Errorf("modelledBy names %s, which does not exist", test)
		}
		for _, name := range names {
			all[name] = true
			if !tests[name] {
				t.Errorf("modelledBy has a model of %s, which does not exist", name)
			}
		}
	}
	eachFile(t, func(path string) bool { return !strings.HasSuffix(path, "_test.go") }, func(f *ast.FuncDecl) {
		if f.Recv == nil && f.Name.IsExported() && takesTime(f) && !all[f.Name.Name] {
			t.Errorf("%s looks at time and has no model: write one and name it in modelledBy", f.Name.Name)
		}
	})
}
