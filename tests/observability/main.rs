//! What is counted, measured and traced: under which names, and that nothing of a
//! row is in it.

#[path = "../behaviour/databases.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod databases;
#[path = "../behaviour/memcached.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod memcached;
mod metrics;
#[path = "../behaviour/outbox_rows.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod outbox_rows;
#[path = "../behaviour/place.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod place;
#[path = "../behaviour/polling.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod polling;
#[path = "../behaviour/proxy.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod proxy;
mod rows;
mod spans;
#[path = "../behaviour/tables/mod.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod tables;
mod written;
