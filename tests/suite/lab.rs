//! The lab's clouds, tried by any client.
