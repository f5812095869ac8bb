use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A memcached of the test's own; killed when dropped.
pub(in crate::cache) struct Memcached {
    child: Child,
    port: u16,
    options: Vec<&'static str>,
}

impl Memcached {
    /// Starts one and waits until it listens.
    pub(in crate::cache) fn start(options: &[&'static str]) -> Self {
        let port = free_port();
        let options = options.to_vec();
        Self { child: spawn(port, &options), port, options }
    }

    pub(in crate::cache) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until its incarnation is one that all connections share.
    pub(in crate::cache) fn settle(self) -> Self {
        sleep(Duration::from_millis(1300));
        self
    }

    pub(super) fn kill(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts a new one at the same address.
    pub(super) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.options);
    }

    pub(super) fn stop(&self) {
        self.signal("-STOP");
    }

    pub(super) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(port: u16, options: &[&str]) -> Child {
    let binary = std::env::var("MEMCACHED_BINARY").unwrap_or_else(|_| "memcached".to_owned());
    // `-u` counts for root only, whom memcached does not run as unasked.
    let child = Command::new(&binary)
        .args(["-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-t", "1"])
        .args(["-p", &port.to_string()])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.unwrap_or_else(|error| {
        panic!("can't start `{binary}`: {error}; install memcached 1.6 or set MEMCACHED_BINARY")
    });
    let deadline = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "memcached does not listen");
        sleep(Duration::from_millis(5));
    }
    child
}
