//! What it costs that freed memory is wiped: `cargo bench --bench wiped --bench unwiped` prints the same work with the
//! program's allocator and with the system's alone.

mod allocator;

#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() {
    allocator::print("Freed memory is wiped");
}
