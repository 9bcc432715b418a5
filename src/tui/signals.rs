//! Signals that a console must obey, as one stream.

use std::io;

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The process is told to end, by this number.
    End(i32),
    /// The process is told to pause.
    Pause,
    /// The process goes on after a pause that it did not ask for.
    GoOn,
}

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::Signal;

    pub struct Signals {
        interrupt: Stream,
        terminate: Stream,
        hangup: Stream,
        quit: Stream,
        pause: Stream,
        go_on: Stream,
    }

    impl Signals {
        pub fn listen() -> std::io::Result<Self> {
            // Signals that have no name of their own in the runtime's list.
            let of = |number: rustix::process::Signal| signal(SignalKind::from_raw(number.as_raw()));
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                quit: signal(SignalKind::quit())?,
                pause: of(rustix::process::Signal::TSTP)?,
                go_on: of(rustix::process::Signal::CONT)?,
            })
        }

        pub async fn next(&mut self) -> Signal {
            let end = |kind: SignalKind| Signal::End(kind.as_raw_value());
            tokio::select! {
                _ = self.interrupt.recv() => end(SignalKind::interrupt()),
                _ = self.terminate.recv() => end(SignalKind::terminate()),
                _ = self.hangup.recv() => end(SignalKind::hangup()),
                _ = self.quit.recv() => end(SignalKind::quit()),
                _ = self.pause.recv() => Signal::Pause,
                _ = self.go_on.recv() => Signal::GoOn,
            }
        }
    }

    /// Stops the whole group of processes, as the terminal's own key would: a parent that waits for us stops too.
    pub fn stop() -> std::io::Result<()> {
        Ok(rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?)
    }
}

#[cfg(not(unix))]
mod other {
    use super::Signal;

    pub struct Signals(());

    impl Signals {
        pub fn listen() -> std::io::Result<Self> {
            Ok(Signals(()))
        }

        pub async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::End(2),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// There is nothing to stop to.
    pub fn stop() -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

pub(super) use system::Signals;

/// Pauses the process until it is told to go on.
pub(super) fn pause() -> io::Result<()> {
    system::stop()
}
