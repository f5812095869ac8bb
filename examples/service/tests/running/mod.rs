//! The service as a process, and requests to it.

// Each of the test programs uses a part of it.
#![allow(dead_code)]

use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Loading the example's data takes its time in a debug build.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// A running service; ended with this value.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body; `null` if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Service {
    /// Starts one on a free port, and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        for variable in ["DATABASE_URL", "MEMCACHED_SERVERS", "CACHE_NAMESPACE", "RUST_LOG"] {
            command.env_remove(variable);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the service starts");
        let log = child.stderr.take().expect("it was asked for");
        let (tell, told) = mpsc::channel();
        // To its end, or the service would wait for somebody to read what it says.
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                eprintln!("service: {line}");
                if let Some((_, address)) = line.split_once("listening on http://") {
                    drop(tell.send(address.to_owned()));
                }
            }
        });
        let Ok(address) = told.recv_timeout(STARTS_WITHIN) else {
            drop((child.kill(), child.wait()));
            panic!("the service does not listen; its log is above");
        };
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { child, address, client }
    }

    /// Asks for something; a failure is that of the connection.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let mut request = axum::http::Request::builder().method(method);
        request = request.uri(format!("http://{}{path}", self.address));
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answered = async {
            let response = self.client.request(request.body(Full::from(body))?).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            let text = String::from_utf8(body.to_vec())?;
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
        };
        tokio::time::timeout(Duration::from_secs(30), answered).await?
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// By SIGTERM, as a supervisor would; `None` if it does not end.
    pub(crate) fn end(mut self, within: Duration) -> Option<ExitStatus> {
        signal("-TERM", self.process());
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Service {
    /// As kindly as it may be: a memcached of its own is to end with it.
    fn drop(&mut self) {
        signal("-TERM", self.child.id());
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        drop((self.child.kill(), self.child.wait()));
    }
}

pub(crate) fn signal(signal: &str, process: u32) {
    let sent =
        Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status();
    sent.expect("there is a `kill`");
}
