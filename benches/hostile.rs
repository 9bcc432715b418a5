//! How long the readers of what others wrote take for inputs of 1 MiB that are deep, long, many of one kind, or made to be
//! slow, and how much memory at most. `cargo bench --bench hostile` prints the worst of each reader, or every input of the
//! readers named behind `--`, and fails above the limits.

// Inputs are made as tests make them, where a mistake may end the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/suite/hostile/enormous.rs"]
mod enormous;
#[path = "../tests/suite/hostile/targets/mod.rs"]
mod targets;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIZE: usize = 1 << 20;
/// The most that an input may take.
const LONGEST: Duration = Duration::from_millis(100);
/// The most memory that may be held at once, in MiB, beside the input.
const MOST: f32 = 128.0;
/// How often an input is read; the shortest time counts.
const ROUNDS: usize = 3;

/// What an input cost.
#[derive(Clone, Copy)]
struct Cost {
    what: &'static str,
    time: Duration,
    mebibytes: f32,
}

fn cost(read: fn(&[u8]) -> String, what: &'static str, input: &[u8]) -> Cost {
    let mut cost = Cost { what, time: Duration::MAX, mebibytes: 0.0 };
    for _ in 0..ROUNDS {
        MEMORY.reset_peak_usage();
        let held = MEMORY.current_usage_as_mb();
        let began = Instant::now();
        black_box(read(black_box(input)));
        cost.time = cost.time.min(began.elapsed());
        cost.mebibytes = MEMORY.peak_usage_as_mb() - held;
    }
    cost
}

fn line(name: &str, cost: Cost) {
    let milliseconds = cost.time.as_secs_f64() * 1000.0;
    println!("| {name} | {} | {milliseconds:.1} ms | {:.1} MiB |", cost.what, cost.mebibytes);
}

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut kept = true;
    println!("| Reader | Slowest input of 1 MiB | Time | Memory at most |\n|---|---|---|---|");
    for target in targets::all().filter(|target| named.is_empty() || named.iter().any(|name| name == target.name)) {
        let inputs = enormous::enormous(target, SIZE);
        let costs: Vec<Cost> = inputs.iter().map(|(what, input)| cost(target.read, what, input)).collect();
        if !named.is_empty() {
            costs.iter().for_each(|cost| line(target.name, *cost));
        }
        let slowest = costs.iter().max_by_key(|cost| cost.time).copied();
        let mebibytes = costs.iter().map(|cost| cost.mebibytes).fold(0.0, f32::max);
        if let Some(slowest) = slowest {
            kept &= slowest.time <= LONGEST && mebibytes <= MOST;
            line(target.name, Cost { mebibytes, ..slowest });
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
