//! The readers of what others wrote, one entry each: tests, fuzzers and benchmarks go through this list.

mod clouds;
mod texts;

use std::path::{Path, PathBuf};

use trustline::report::ansi::TextFormat;
use trustline::report::context::RenderContext;
use trustline::report::markdown;
use trustline::report::page::Page;

/// A reader, with what it is meant for. What it yields is what would reach a terminal.
pub struct Target {
    pub name: &'static str,
    /// Shapes that are near what it is meant for; real documents are in its corpus.
    pub seeds: &'static [&'static str],
    pub read: fn(&[u8]) -> String,
}

/// A page as text and as Markdown.
fn written(page: impl Fn(RenderContext) -> Page) -> String {
    let plain = TextFormat::PLAIN;
    plain.render(&page(plain.context())) + &markdown::render(&page(markdown::CONTEXT))
}

/// Every reader.
pub fn all() -> impl Iterator<Item = &'static Target> {
    clouds::TARGETS.iter().chain(texts::TARGETS)
}

impl Target {
    /// What a fuzzer begins with: the seeds, and the documents in the reader's corpus.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self.corpus()).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let seeds = self.seeds.iter().map(|seed| seed.as_bytes().to_vec());
        seeds.chain(files.iter().map(|file| std::fs::read(file).unwrap())).collect()
    }

    /// Where a fuzzer looks for its corpus.
    pub fn corpus(&self) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/hostile/__fuzz__");
        folder.join(self.name.replace(' ', "_")).join("corpus")
    }
}
