use super::{
    database::{DatabaseServer, folder_for, run},
    process::{User, free_port},
    programs,
};
use std::sync::Mutex;

const MYSQL: User = User("mysql");

impl DatabaseServer {
    /// MariaDB that loses nothing when it is killed: every commit is written at
    /// once, though not flushed to the disk.
    pub(crate) fn mariadb() -> Result<Self, String> {
        let program = programs::find("MARIADBD_BINARY", &["mariadbd", "mysqld"])?;
        let install =
            programs::find("MARIADB_INSTALL_BINARY", &["mariadb-install-db", "mysql_install_db"])?;
        let folder = folder_for(MYSQL);
        let path = folder.path().display().to_string();
        let settings = [
            "--no-defaults".to_owned(),
            format!("--datadir={path}/data"),
            format!("--tmpdir={path}"),
            "--innodb-log-file-size=32M".to_owned(),
        ];
        let mut installing = settings.to_vec();
        installing.push("--auth-root-authentication-method=normal".to_owned());
        run(&install, &installing, MYSQL, &folder)?;
        let port = free_port();
        let mut arguments = settings.to_vec();
        arguments.extend([
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--socket={path}/socket"),
            format!("--pid-file={path}/pid"),
            "--max-connections=200".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-buffer-pool-size=32M".to_owned(),
            "--innodb-lock-wait-timeout=5".to_owned(),
            "--skip-name-resolve".to_owned(),
            // Newer ones make a certificate, and the proxies read what passes.
            "--skip-ssl".to_owned(),
        ]);
        Ok(Self {
            program,
            arguments,
            user: MYSQL,
            port,
            good_end: "-TERM",
            child: Mutex::default(),
            folder,
        })
    }
}
