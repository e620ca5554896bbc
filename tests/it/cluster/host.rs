//! The parts of the cluster, to be put to the test one by one, and its program.
#![expect(dead_code, unused_imports, reason = "its roles are run as programs")]

#[path = "../../../examples/cluster/database/mod.rs"]
pub(super) mod database;
#[path = "../../../examples/cluster/partition.rs"]
pub(super) mod partition;
#[path = "../../../examples/cluster/servers.rs"]
pub(super) mod servers;
#[path = "../../../examples/cluster/stream.rs"]
pub(super) mod stream;
