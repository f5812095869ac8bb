//! A proxy between the library and a memcached, which is slow or breaks connections.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// Listens on a port of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct CacheProxy {
    address: String,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    server: String,
    /// How late what the server says is, in milliseconds.
    delay: AtomicU64,
    /// One message in so many is the last of its connection; 0 for none.
    cuts_one_in: AtomicU32,
    messages: AtomicU32,
    cuts: AtomicU32,
}

impl CacheProxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared {
            server,
            delay: AtomicU64::new(0),
            cuts_one_in: AtomicU32::new(0),
            messages: AtomicU32::new(0),
            cuts: AtomicU32::new(0),
        });
        let accepting = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&accepting);
                tokio::spawn(async move {
                    // A client or server that goes away ends it.
                    let _ = shared.serve(client).await;
                });
            }
        });
        Self { address, shared, listening }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Lets every answer be late.
    pub(crate) fn delay(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a short time");
        self.shared.delay.store(millis, Ordering::Relaxed);
    }

    /// Lets one message in so many be lost, question or answer, with its connection.
    pub(crate) fn cut_one_in(&self, messages: u32) {
        self.shared.cuts_one_in.store(messages, Ordering::Relaxed);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for CacheProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(&self.server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let questions = async {
            let mut buffer = vec![0; 16 << 10];
            loop {
                let length = self.message(from_client.read(&mut buffer).await?)?;
                to_server.write_all(&buffer[..length]).await?;
            }
        };
        let answers = async {
            let mut buffer = vec![0; 16 << 10];
            loop {
                let length = self.message(from_server.read(&mut buffer).await?)?;
                sleep(Duration::from_millis(self.delay.load(Ordering::Relaxed))).await;
                to_client.write_all(&buffer[..length]).await?;
            }
        };
        // Whichever ends takes the other with it.
        tokio::select! {
            ended = questions => ended,
            ended = answers => ended,
        }
    }

    /// Lets a message pass, unless it is lost.
    fn message(&self, length: usize) -> io::Result<usize> {
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let one_in = self.cuts_one_in.load(Ordering::Relaxed);
        let number = self.messages.fetch_add(1, Ordering::Relaxed);
        if one_in > 0 && number.is_multiple_of(one_in) {
            self.cuts.fetch_add(1, Ordering::Relaxed);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(length)
    }
}
