//! The other half of the benchmark `wiped`: the system's allocator as it is.

mod allocator;

fn main() {
    allocator::print("Freed memory stays as it was");
}
