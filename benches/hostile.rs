//! How long the readers of what others wrote take for inputs of 1 MiB that are deep, long, many of one kind, or nothing that
//! fits. `cargo bench --bench hostile` prints the slowest of each reader, and fails above 100 ms.

#[path = "../tests/suite/hostile/targets.rs"]
mod targets;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The most that an input of 1 MiB may take.
const LIMIT: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let mut slow = false;
    for target in targets::TARGETS {
        let times = targets::enormous(target, 1 << 20).into_iter().map(|(what, input)| {
            let began = Instant::now();
            black_box((target.read)(black_box(&input)));
            (began.elapsed(), what)
        });
        let (worst, what) = times.max().unwrap_or_default();
        slow |= worst > LIMIT;
        println!("{:<22} {:>9.2} ms  {what}", target.name, worst.as_secs_f64() * 1000.0);
    }
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
