//! One process, and the signals it is sent.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Starts a program that dies with the harness.
pub(super) fn start(program: &Path, arguments: &[String], user: User, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log can be written");
    let mut command = match user.setpriv() {
        Some(mut setpriv) => {
            setpriv.arg(program);
            setpriv
        }
        None => Command::new(program),
    };
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    command.stdout(log.try_clone().expect("the log can be shared")).stderr(log);
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// Who a server runs as: none of them runs as root.
#[derive(Debug, Clone, Copy)]
pub(super) struct User(pub(super) &'static str);

impl User {
    /// The name, or `nobody` where there is no such user; `None` if we are not
    /// root, and so cannot be anybody else.
    pub(super) fn name(self) -> Option<&'static str> {
        let own = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let is_root = own.lines().any(|line| line.starts_with("Uid:\t0\t"));
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let exists = users.lines().any(|line| line.split(':').next() == Some(self.0));
        is_root.then_some(if exists { self.0 } else { "nobody" })
    }

    /// `setpriv` up to the program it starts: as this user, and ended with us.
    pub(super) fn setpriv(self) -> Option<Command> {
        let mut command = Command::new("setpriv");
        match self.name() {
            Some(name) => {
                let (user, group) = ids(name)?;
                command.args([format!("--reuid={user}"), format!("--regid={group}")]);
                command.arg("--init-groups");
            }
            None => {
                let found = Command::new("setpriv").arg("--version").output();
                found.ok().filter(|output| output.status.success())?;
            }
        }
        command.args(["--pdeathsig", "KILL", "--"]);
        Some(command)
    }
}

fn ids(name: &str) -> Option<(String, String)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2).map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

/// Sends a signal to processes; those that have ended are passed over.
pub(super) fn signal(signal: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    let sent = Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status();
    sent.expect("there is a `kill`");
}

/// The processes that this one has started and that still run.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `pid (name) state parent …`, where the name may hold anything.
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if after_name.split(' ').nth(1) == Some(parent.to_string().as_str()) {
            children.push(process);
        }
    }
    children
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    // Below those that the system takes for outgoing connections, one of which
    // could have it when a server is to start on it again.
    loop {
        let port = rand::random_range(20_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
