//! Arguments in, exit status out; everything else is in the library.

/// Freed memory is wiped: copies of secrets that others made on their way do not stay.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    trustline::cli::main()
}
