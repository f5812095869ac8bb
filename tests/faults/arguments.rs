//! What the command line asks for.

use std::fmt;

pub(crate) const HELP: &str = "\
Runs readers and writers beside faults, and checks every read against the history.

    cargo test --test faults                       the short run: every database, about a minute each
    cargo test --release --test faults -- OPTION…  one run, as the options say

    --faults N           how many faults (default 60)
    --database NAME      postgres, mariadb or sqlite (default: postgres)
    --policy NAME        what a writer does that cannot reach the cache: abort, outbox or
                         always (default: abort)
    --seed N             the schedule of an earlier run
    --rate N             reads a second; writers add about a tenth (default 1500)
    --naive              the protocol that everybody writes first, and writers who know of no
                         indexes: must be caught
    --no-faults          readers beside writers, as fast as it goes
    --reads N            how many reads without faults (default 10000000)
    --kill-cache         memcached dies under load: no read fails, the database is not flooded
    --aborts N           child processes that abort at each step of a write, N at each
";

/// One database, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Postgres,
    MariaDb,
    Sqlite,
}

/// What a writer does that cannot reach the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Abort,
    Outbox,
    Always,
}

impl Policy {
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "abort" => Ok(Self::Abort),
            "outbox" => Ok(Self::Outbox),
            "always" => Ok(Self::Always),
            _ => Err(format!("there is no policy {name:?}: abort, outbox or always")),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abort => "abort",
            Self::Outbox => "outbox",
            Self::Always => "always",
        })
    }
}

/// What is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Everything, briefly, on all databases.
    Short,
    Faults(usize),
    Naive,
    NoFaults(u64),
    KillCache,
    Aborts(usize),
    Child,
    Help,
    /// What `cargo test -- --list` wants to know.
    List,
    /// The filters name other tests.
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) run: Run,
    pub(crate) database: Database,
    pub(crate) policy: Policy,
    pub(crate) seed: u64,
    pub(crate) rate: u32,
    /// What a child is told, word by word.
    pub(crate) child: Vec<String>,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut words = words.flat_map(split_at_equals);
        let mut parsed = Self {
            run: Run::Short,
            database: Database::Postgres,
            policy: Policy::Abort,
            seed: rand::random::<u32>().into(),
            rate: 1500,
            child: Vec::new(),
        };
        let mut reads = None;
        let mut filters = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => parsed.run = Run::Help,
                "--list" => parsed.run = Run::List,
                "--ignored" => parsed.run = Run::Nothing,
                "--faults" => parsed.run = Run::Faults(number(&value()?)?),
                "--naive" => parsed.run = Run::Naive,
                "--no-faults" => parsed.run = Run::NoFaults(10_000_000),
                "--kill-cache" => parsed.run = Run::KillCache,
                "--aborts" => parsed.run = Run::Aborts(number(&value()?)?),
                "--child" => {
                    return Ok(Self { run: Run::Child, child: words.collect(), ..parsed });
                }
                "--reads" => reads = Some(number(&value()?)?),
                "--seed" => parsed.seed = number(&value()?)?,
                "--rate" => parsed.rate = number(&value()?)?,
                "--database" => parsed.database = database(&value()?)?,
                "--policy" => parsed.policy = Policy::parse(&value()?)?,
                // Those of every other test program.
                "--test-threads" | "--skip" | "--format" | "--color" | "--logfile" | "-Z" => {
                    value()?;
                }
                "--nocapture" | "--no-capture" | "--exact" | "--include-ignored"
                | "--show-output" | "--quiet" | "-q" | "--test" => {}
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}; see --help"));
                }
                filter => filters.push(filter.to_owned()),
            }
        }
        if let (Run::NoFaults(wanted), Some(reads)) = (&mut parsed.run, reads) {
            *wanted = reads;
        }
        if !filters.is_empty() && !filters.iter().any(|filter| "faults".contains(filter.as_str())) {
            parsed.run = Run::Nothing;
        }
        Ok(parsed)
    }
}

/// `--seed=7` as two words.
fn split_at_equals(word: String) -> Vec<String> {
    match word.split_once('=') {
        Some((name, value)) if name.starts_with("--") => vec![name.to_owned(), value.to_owned()],
        _ => vec![word],
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.replace('_', "").parse().map_err(|_| format!("{text:?} is not such a number"))
}

pub(crate) fn database(name: &str) -> Result<Database, String> {
    match name {
        "postgres" | "Postgres" => Ok(Database::Postgres),
        "mariadb" | "MariaDb" => Ok(Database::MariaDb),
        "sqlite" | "Sqlite" => Ok(Database::Sqlite),
        _ => Err(format!("there is no database {name:?}: postgres, mariadb or sqlite")),
    }
}
