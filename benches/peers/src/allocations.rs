//! How many blocks of the heap a workload takes, how many bytes they are, and how many of them it has at once.

use std::path::Path;

use crate::Outcome;
use crate::workload::Workload;

#[cfg(feature = "allocations")]
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Prints the figures of one round, after one that warms up. What SQLite and other C code allocate is not among them.
#[cfg(feature = "allocations")]
pub(crate) fn count(path: &Path, peer: &str, workload: Workload) -> Outcome<()> {
    let inputs = crate::sqlite::inputs_of(workload);
    let mut peer = crate::sqlite::open_alone(path, peer)?;
    peer.run(workload, &inputs, false)?;
    // Blocks from before are not counted, not when they are freed either.
    let profiler = dhat::Profiler::builder().testing().build();
    peer.run(workload, &inputs, false)?;
    let found = dhat::HeapStats::get();
    drop(profiler);
    println!(
        "{workload:?}\t{}\tblocks={}\tbytes={}\tpeak={}",
        peer.name(),
        found.total_blocks,
        found.total_bytes,
        found.max_bytes
    );
    Ok(())
}

#[cfg(not(feature = "allocations"))]
pub(crate) fn count(_: &Path, _: &str, _: Workload) -> Outcome<()> {
    Err("the peers were built without `--features allocations`".into())
}
