use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Stdio,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
    time::{Instant, sleep},
};

/// A memcached on one port that can be killed and started again.
#[derive(Debug)]
pub(crate) struct Cache {
    program: String,
    address: SocketAddr,
    child: Mutex<Option<Child>>,
}

impl Cache {
    /// Starts one on a free port. It ends with this value.
    pub(crate) async fn launch(program: String) -> io::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let cache = Self { program, address, child: Mutex::default() };
        cache.start().await?;
        Ok(cache)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does nothing if it runs.
    pub(crate) async fn start(&self) -> io::Result<()> {
        let mut running = self.child.lock().await;
        if has_child(&mut running) {
            return Ok(());
        }
        let port = self.address.port().to_string();
        let child = Command::new(&self.program)
            // memcached refuses to be root, and heeds `-u` only if it is.
            .args(["-l", "127.0.0.1", "-p", &port, "-U", "0", "-m", "64", "-u", "nobody"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let child = running.insert(child);
        let deadline = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("memcached ended: {status}")));
            }
            if Instant::now() > deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// By SIGKILL: it has no time to say goodbye. Does nothing if it does not run.
    pub(crate) async fn kill(&self) -> io::Result<()> {
        match self.child.lock().await.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    pub(crate) async fn is_running(&self) -> bool {
        has_child(&mut *self.child.lock().await)
    }
}

fn has_child(child: &mut Option<Child>) -> bool {
    child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
}
