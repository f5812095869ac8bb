use super::{
    database::{DatabaseServer, folder_for, run},
    process::{User, free_port},
    programs,
};
use std::{path::Path, process::Command, sync::Mutex};

const MYSQL: User = User("mysql");

impl DatabaseServer {
    /// MariaDB, or MySQL if that is the program, that loses nothing when it is
    /// killed: every commit is written at once, though not flushed to the disk.
    pub(crate) fn mariadb() -> Result<Self, String> {
        let program = programs::find("MARIADBD_BINARY", &["mariadbd", "mysqld"])?;
        let folder = folder_for(MYSQL);
        let path = folder.path().display().to_string();
        let port = free_port();
        let mut settings = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={path}/data"),
            format!("--tmpdir={path}"),
        ];
        let mut installing = Vec::new();
        let mut running = vec![
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--socket={path}/socket"),
            format!("--pid-file={path}/pid"),
            "--max-connections=200".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-buffer-pool-size=32M".to_owned(),
            "--innodb-lock-wait-timeout=5".to_owned(),
        ];
        // Newer ones make a certificate, and the proxies read what passes.
        let install = if is_mysql(&program)? {
            settings.extend(
                ["--skip-log-bin", "--secure-file-priv=NULL", "--innodb-flush-method=nosync"]
                    .map(str::to_owned),
            );
            let database = folder.path().join("database.sql");
            std::fs::write(&database, "CREATE DATABASE test").map_err(|error| error.to_string())?;
            installing.push("--initialize-insecure".to_owned());
            installing.push(format!("--init-file={}", database.display()));
            running.extend(
                ["--tls-version=", "--mysqlx=OFF", "--innodb-redo-log-capacity=64M"]
                    .map(str::to_owned),
            );
            program.clone()
        } else {
            settings.push("--innodb-log-file-size=32M".to_owned());
            installing.push("--auth-root-authentication-method=normal".to_owned());
            running.extend(["--skip-name-resolve", "--skip-ssl"].map(str::to_owned));
            programs::find("MARIADB_INSTALL_BINARY", &["mariadb-install-db", "mysql_install_db"])?
        };
        run(&install, &[settings.clone(), installing].concat(), MYSQL, &folder)?;
        Ok(Self {
            program,
            arguments: [settings, running].concat(),
            user: MYSQL,
            port,
            good_end: "-TERM",
            child: Mutex::default(),
            folder,
        })
    }
}

/// Whether it is MySQL's own server, which needs no other program to make its data.
fn is_mysql(program: &Path) -> Result<bool, String> {
    let output = Command::new(program).args(["--no-defaults", "--version"]).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(!String::from_utf8_lossy(&output.stdout).contains("MariaDB"))
}
