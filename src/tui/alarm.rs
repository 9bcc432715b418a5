//! The console's one timer: it wakes the process once for each moment, and never otherwise.
//!
//! The runtime's own timers wake a sleeper twice, first where their wheel turns and then when the time has come. Where
//! the system has timers as files, one of these is used; it also follows the wall clock when that is set.

use std::io;

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    use rustix::fd::AsFd as _;
    use rustix::io::Errno;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::net::unix::pipe::Receiver;

    #[derive(Debug)]
    pub struct Timer {
        /// The timer's file. It reads like a pipe: a number once it has rung, and nothing before.
        file: Receiver,
        set_to_ms: Option<i64>,
    }

    impl Timer {
        pub fn new() -> io::Result<Self> {
            let file = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Timer { file: Receiver::from_owned_fd_unchecked(file)?, set_to_ms: None })
        }

        pub async fn at(&mut self, moment_ms: i64) -> io::Result<()> {
            if self.set_to_ms != Some(moment_ms) {
                self.set(moment_ms)?;
            }
            loop {
                self.file.readable().await?;
                match self.file.try_read(&mut [0; 8]) {
                    // It was set anew since it rang.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // The wall clock was set: whoever waits looks at the time again.
                    Err(error) if error.raw_os_error() == Some(Errno::CANCELED.raw_os_error()) => break,
                    read => {
                        read?;
                        break;
                    }
                }
            }
            self.set_to_ms = None;
            Ok(())
        }

        fn set(&mut self, moment_ms: i64) -> io::Result<()> {
            // Zero would mean never.
            let at_ms = moment_ms.max(1);
            let it_value = Timespec { tv_sec: at_ms.div_euclid(1000), tv_nsec: at_ms.rem_euclid(1000) * 1_000_000 };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
            let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
            timerfd_settime(self.file.as_fd(), flags, &once)?;
            self.set_to_ms = Some(moment_ms);
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::time::Duration;

    #[derive(Debug)]
    pub struct Timer(());

    impl Timer {
        pub fn new() -> io::Result<Self> {
            Ok(Timer(()))
        }

        pub async fn at(&mut self, moment_ms: i64) -> io::Result<()> {
            let left = u64::try_from(moment_ms - crate::run::now_ms()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left)).await;
            Ok(())
        }
    }
}

/// The console's one timer. Needs a runtime with input and output.
#[derive(Debug)]
pub(super) struct Alarm(system::Timer);

impl Alarm {
    pub fn new() -> io::Result<Self> {
        system::Timer::new().map(Alarm)
    }

    /// Waits until a moment in milliseconds since 1970, or for ever where there is none. May be dropped and asked again.
    pub async fn at(&mut self, moment_ms: Option<i64>) -> io::Result<()> {
        match moment_ms {
            Some(moment_ms) => self.0.at(moment_ms).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::now_ms;

    #[tokio::test]
    async fn it_rings_at_each_moment_and_can_be_asked_again() {
        let mut alarm = Alarm::new().unwrap();
        for after in [0, 30, -5_000] {
            let moment = now_ms() + after;
            alarm.at(Some(moment)).await.unwrap();
            assert!(now_ms() >= moment);
        }
        // One that is far away gives way to a nearer one.
        let far = now_ms() + 3_600_000;
        tokio::select! {
            biased;
            _ = alarm.at(Some(far)) => panic!("too early"),
            () = std::future::ready(()) => {}
        }
        alarm.at(Some(now_ms() + 10)).await.unwrap();
    }
}
