//! The runner, its events, recording and replay.
