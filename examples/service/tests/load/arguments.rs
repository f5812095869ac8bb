use std::time::Duration;

pub(crate) const HELP: &str = "\
Clients read and change cities through the service (PostgreSQL, memcached), while memcached
is killed, hung and restarted and the database restarted. Every answer is checked.

    cargo test -p service --test load                       the short run: under a minute
    examples/service/load [MINUTES]                         the long one, in a release build

    --minutes N              how long (default: one round of faults, shortened)
    --clients N              how many ask at once (default 16)
    --max-database-loads N   the service's option (default 16)
    --hold-off SECONDS       the service's option (default 15; 6 in the short run)
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    Load,
    Help,
    /// What `cargo test -- --list` wants to know.
    List,
    /// The filters name other tests.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) run: Run,
    /// `None`: one short round.
    pub(crate) long: Option<Duration>,
    pub(crate) clients: usize,
    pub(crate) max_database_loads: u32,
    pub(crate) hold_off: Duration,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            run: Run::Load,
            long: None,
            clients: 16,
            max_database_loads: 16,
            hold_off: Duration::ZERO,
        };
        let mut filters = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => parsed.run = Run::Help,
                "--list" => parsed.run = Run::List,
                "--ignored" => parsed.run = Run::Nothing,
                "--minutes" => parsed.long = Some(minutes(&value()?)?),
                "--clients" => parsed.clients = number(&value()?)?,
                "--max-database-loads" => parsed.max_database_loads = number(&value()?)?,
                "--hold-off" => parsed.hold_off = Duration::from_secs(number(&value()?)?),
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
        if parsed.hold_off.is_zero() {
            parsed.hold_off = Duration::from_secs(if parsed.long.is_some() { 15 } else { 6 });
        }
        if !filters.is_empty() && !filters.iter().any(|filter| "load".contains(filter.as_str())) {
            parsed.run = Run::Nothing;
        }
        Ok(parsed)
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

fn minutes(text: &str) -> Result<Duration, String> {
    number(text).map(|minutes: u64| Duration::from_secs(minutes.saturating_mul(60)))
}
