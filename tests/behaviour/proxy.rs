//! A proxy between a pool and its database, which sees COMMIT and decides what
//! becomes of it. It can also let answers take their time, and come in pieces.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::sleep,
};

/// How a database's client speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Postgres,
    MySql,
}

/// What becomes of a COMMIT.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Fate {
    #[default]
    Forward,
    /// The connection is cut on both sides; the server never hears of it.
    CutBefore,
    /// The server has answered it; the client is cut without the answer.
    CutAfter,
    /// The client is cut; the server's side stays open until the test decides.
    CutAndHold,
    /// Client and server both wait until the test decides.
    Hold,
}

#[derive(Debug, Clone, Copy)]
enum Decision {
    LetGo,
    Drop,
}

#[derive(Debug, Default)]
struct Shared {
    /// Of the next COMMIT; those after it are forwarded.
    fate: Mutex<Fate>,
    decision: Mutex<Option<oneshot::Sender<Decision>>>,
    held: Notify,
    /// What clients have sent, one for each answer they wait for.
    sent: Mutex<Vec<String>>,
    /// How long each piece of an answer is on its way.
    delay: Mutex<Duration>,
}

/// Listens on a port of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr, protocol: Protocol) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&accepting);
                tokio::spawn(async move {
                    // A client or server that goes away ends it.
                    let _ = Link::serve(shared, protocol, client, server).await;
                });
            }
        });
        Self { port, shared, listening }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on answers come in two pieces, each after this time.
    #[allow(dead_code, reason = "only tests/cancellation needs slow answers")]
    pub(crate) fn slow_down(&self, delay: Duration) {
        *locked(&self.shared.delay) = delay;
    }

    /// Decides about the next COMMIT, whoever sends it.
    pub(crate) fn next_commit(&self, fate: Fate) {
        *locked(&self.shared.fate) = fate;
    }

    /// Waits until a COMMIT is held.
    pub(crate) async fn held(&self) {
        self.shared.held.notified().await;
    }

    /// Forwards the COMMIT that is held.
    pub(crate) fn let_go(&self) {
        self.decide(Decision::LetGo);
    }

    /// Cuts the connection to the server whose COMMIT is held.
    pub(crate) fn drop_held(&self) {
        self.decide(Decision::Drop);
    }

    fn decide(&self, decision: Decision) {
        let held = locked(&self.shared.decision).take().expect("a COMMIT is held");
        held.send(decision).expect("its connection waits for it");
    }

    /// What was sent since the last call.
    pub(crate) fn take_sent(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.shared.sent))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection of a client, and the one to the server that belongs to it.
struct Link {
    protocol: Protocol,
    /// PostgreSQL's first messages have no type.
    has_begun: bool,
    from_client: OwnedReadHalf,
    to_server: OwnedWriteHalf,
}

impl Link {
    async fn serve(
        shared: Arc<Shared>,
        protocol: Protocol,
        client: TcpStream,
        server: SocketAddr,
    ) -> io::Result<()> {
        let server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut relay = Some(Relay::start(Arc::clone(&shared), from_server, to_client));
        let mut link = Self { protocol, has_begun: false, from_client, to_server };
        let mut pending = String::new();
        loop {
            let message = link.read_message().await?;
            if let Some(sent) = describe(protocol, link.has_begun, &message, &mut pending) {
                locked(&shared.sent).push(sent);
            }
            link.has_begun |= !is_ssl_request(&message);
            let fate = if is_commit(protocol, &message) {
                std::mem::take(&mut *locked(&shared.fate))
            } else {
                Fate::Forward
            };
            match fate {
                Fate::Forward => link.to_server.write_all(&message).await?,
                Fate::Hold => match Self::decision(&shared).await {
                    Decision::LetGo => link.to_server.write_all(&message).await?,
                    Decision::Drop => return Ok(()),
                },
                Fate::CutBefore => return Ok(()),
                Fate::CutAfter | Fate::CutAndHold => {
                    let Some(relay) = relay.take() else { return Ok(()) };
                    let (mut from_server, to_client) = relay.stop().await?;
                    let Self { from_client, mut to_server, .. } = link;
                    let client = (from_client, to_client);
                    if matches!(fate, Fate::CutAndHold) {
                        drop(client);
                        if let Decision::Drop = Self::decision(&shared).await {
                            return Ok(());
                        }
                    }
                    to_server.write_all(&message).await?;
                    from_server.read_u8().await?;
                    return Ok(());
                }
            }
        }
    }

    async fn decision(shared: &Shared) -> Decision {
        let (sender, receiver) = oneshot::channel();
        *locked(&shared.decision) = Some(sender);
        shared.held.notify_one();
        // The test has ended.
        receiver.await.unwrap_or(Decision::Drop)
    }

    async fn read_message(&mut self) -> io::Result<Vec<u8>> {
        let typed = self.has_begun;
        let mut message =
            vec![0; if matches!(self.protocol, Protocol::Postgres) && typed { 5 } else { 4 }];
        self.from_client.read_exact(&mut message).await?;
        let rest = match (self.protocol, message.as_slice()) {
            (Protocol::Postgres, [.., a, b, c, d]) => {
                u32::from_be_bytes([*a, *b, *c, *d]).saturating_sub(4)
            }
            (Protocol::MySql, [a, b, c, ..]) => u32::from_le_bytes([*a, *b, *c, 0]),
            _ => 0,
        };
        let begin = message.len();
        message.resize(begin + rest as usize, 0);
        self.from_client.read_exact(&mut message[begin..]).await?;
        Ok(message)
    }
}

/// Copies what the server answers.
struct Relay {
    stop: oneshot::Sender<()>,
    copying: JoinHandle<io::Result<(OwnedReadHalf, OwnedWriteHalf)>>,
}

impl Relay {
    fn start(
        shared: Arc<Shared>,
        mut from_server: OwnedReadHalf,
        mut to_client: OwnedWriteHalf,
    ) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let copying = tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            loop {
                let length = tokio::select! {
                    biased;
                    told = &mut stopped => match told {
                        Ok(()) => return Ok((from_server, to_client)),
                        // The link was cut.
                        Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
                    },
                    length = from_server.read(&mut buffer) => length?,
                };
                if length == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let mut answer = &buffer[..length];
                let delay = *locked(&shared.delay);
                if !delay.is_zero() {
                    let (piece, rest) = answer.split_at(length / 2);
                    sleep(delay).await;
                    to_client.write_all(piece).await?;
                    sleep(delay).await;
                    answer = rest;
                }
                to_client.write_all(answer).await?;
            }
        });
        Self { stop, copying }
    }

    async fn stop(self) -> io::Result<(OwnedReadHalf, OwnedWriteHalf)> {
        let _ = self.stop.send(());
        self.copying.await.map_err(io::Error::other)?
    }
}

/// `SSLRequest`, after which the client begins anew.
fn is_ssl_request(message: &[u8]) -> bool {
    message == [0, 0, 0, 8, 4, 210, 22, 47]
}

fn is_commit(protocol: Protocol, message: &[u8]) -> bool {
    match protocol {
        Protocol::Postgres => {
            message.first() == Some(&b'Q') && message.get(5..) == Some(b"COMMIT\0")
        }
        Protocol::MySql => message.get(3) == Some(&0) && message.get(4..) == Some(b"\x03COMMIT"),
    }
}

/// What a client sent, if it now waits for an answer.
fn describe(
    protocol: Protocol,
    has_begun: bool,
    message: &[u8],
    pending: &mut String,
) -> Option<String> {
    let text = |bytes: Option<&[u8]>| {
        String::from_utf8_lossy(bytes.unwrap_or_default()).trim_matches('\0').replace('\0', " ")
    };
    match (protocol, message.first(), message.get(3), message.get(4)) {
        (Protocol::Postgres, Some(b'Q'), ..) if has_begun => Some(text(message.get(5..))),
        (Protocol::Postgres, Some(b'P'), ..) if has_begun => {
            *pending = format!("prepare {}", text(message.get(5..)));
            None
        }
        (Protocol::Postgres, Some(b'E'), ..) if has_begun => {
            "execute".clone_into(pending);
            None
        }
        (Protocol::Postgres, Some(b'S'), ..) if has_begun && pending.is_empty() => {
            Some("ping".to_owned())
        }
        (Protocol::Postgres, Some(b'S'), ..) if has_begun => Some(std::mem::take(pending)),
        (Protocol::MySql, _, Some(0), Some(3)) => Some(text(message.get(5..))),
        (Protocol::MySql, _, Some(0), Some(0x16)) => {
            Some(format!("prepare {}", text(message.get(5..))))
        }
        (Protocol::MySql, _, Some(0), Some(0x17)) => Some("execute".to_owned()),
        (Protocol::MySql, _, Some(0), Some(0x0E)) => Some("ping".to_owned()),
        // `COM_STMT_CLOSE` has no answer.
        (Protocol::MySql, _, Some(0), Some(command)) if *command != 0x19 => {
            Some(format!("command {command}"))
        }
        _ => None,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
