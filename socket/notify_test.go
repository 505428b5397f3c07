package socket

import "testing"

func TestNotifyWithoutAManagerIsNoError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(Ready); err != nil {
		t.Errorf("Notify(Ready) without a manager = %v, want nil", err)
	}
}
