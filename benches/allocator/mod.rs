//! Work that allocates much, for the two allocators that are compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::Value;
use trustline::cause::explain::{ExplainContext, explain};
use trustline::run::record::{self, Recorded};
use trustline::run::report::Report;

const ROUNDS: usize = 20;

const RECORDING: &[u8] = include_bytes!("../../tests/suite/hostile/__fuzz__/recording/corpus/lab.ndjson");
const ERROR: &str = include_str!("../../tests/suite/hostile/__fuzz__/error_text/corpus/botocore.txt");

/// What is timed, with what it stands for.
const WORK: [(&str, fn()); 5] = [
    ("100000 boxes of 64 bytes", || {
        let boxes: Vec<Box<[u8; 64]>> = (0..100_000).map(|n: u32| Box::new([n.to_le_bytes()[0]; 64])).collect();
        black_box(boxes);
    }),
    ("a text that grows to 8 MiB", || {
        let mut text = String::new();
        while text.len() < 8 << 20 {
            text.push_str(black_box("sixteen letters "));
        }
        black_box(text);
    }),
    ("1 MiB of JSON read and written", || {
        let text = format!("[{}0]", "{\"name\":\"value\",\"list\":[1,2,3]},".repeat((1 << 20) / 33));
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        black_box(value.to_string());
    }),
    ("a recording replayed 20 times", || {
        for _ in 0..20 {
            if let Ok(Recorded::Run(recording)) = record::read(RECORDING) {
                black_box(trustline::report::json::report(&Report::of(&recording.events)));
            }
        }
    }),
    ("an error text explained 100 times", || {
        for _ in 0..100 {
            black_box(explain(ERROR, &ExplainContext::default()));
        }
    }),
];

/// Prints the shortest time of each.
pub fn print(allocator: &str) {
    println!("| {allocator} | Time |\n|---|---|");
    for (what, work) in WORK {
        let mut shortest = Duration::MAX;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            work();
            shortest = shortest.min(began.elapsed());
        }
        println!("| {what} | {:.2} ms |", shortest.as_secs_f64() * 1000.0);
    }
}
