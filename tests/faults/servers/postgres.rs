use super::{
    database::{DatabaseServer, folder_for, run},
    process::{User, free_port},
    programs,
};
use std::sync::Mutex;

const POSTGRES: User = User("postgres");

impl DatabaseServer {
    /// PostgreSQL that loses nothing when it is killed. It need not survive a
    /// power cut, hence no fsync.
    pub(crate) fn postgres() -> Result<Self, String> {
        let programs = programs::postgres()?;
        let folder = folder_for(POSTGRES);
        let path = folder.path().display().to_string();
        let data = format!("{path}/data");
        let words =
            ["-D", &data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"];
        run(&programs.join("initdb"), &words.map(str::to_owned), POSTGRES, &folder)?;
        let port = free_port();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={path}"),
            "max_connections=200".to_owned(),
            "shared_buffers=16MB".to_owned(),
            "max_wal_size=256MB".to_owned(),
            "fsync=off".to_owned(),
            // On, as everywhere: off would lose acknowledged commits.
            "synchronous_commit=on".to_owned(),
            "deadlock_timeout=50ms".to_owned(),
        ];
        let mut arguments = vec!["-D".to_owned(), data, "-p".to_owned(), port.to_string()];
        arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        Ok(Self {
            program: programs.join("postgres"),
            arguments,
            user: POSTGRES,
            port,
            good_end: "-INT",
            child: Mutex::default(),
            folder,
        })
    }
}
