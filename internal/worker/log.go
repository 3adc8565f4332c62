package worker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
)

// log writes one line for each attempt.
func (w *Worker) log(ctx context.Context, s settlement, r journal.Record) {
	attributes := []any{
		"request_id", s.task.Request, "asset_id", s.task.Asset, "product_id", s.task.Product,
		"type", s.task.Type, "attempt", s.known.Attempts + 1, "outcome", s.result.Outcome, "seconds", s.took.Seconds(),
	}
	if s.result.Note != "" {
		attributes = append(attributes, "note", s.result.Note)
	}
	if s.result.Err != nil {
		attributes = append(attributes, "error_class", s.result.Class, "error", s.result.Err)
	}
	level := slog.LevelInfo
	switch {
	case r.State == journal.Parked:
		level = slog.LevelError
	case s.result.Outcome == fulfillment.Retry:
		level = slog.LevelWarn
	case s.result.Outcome == fulfillment.NothingToDo:
		level = slog.LevelDebug
	}
	attributes = append(attributes, "parked", r.State == journal.Parked)
	w.cfg.Log.Log(ctx, level, "attempt ended", attributes...)
}

// asynqLog hands asynq's own messages on.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Info("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }

// Fatal is part of asynq's interface; asynq itself never calls it.
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }
