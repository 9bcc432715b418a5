//! AWS partitions and regions.
