//! What can be written on the command line.

use crate::time_span;
use cached_orm::{KeyKind, NamedTable};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::{path::PathBuf, time::Duration};

/// Looks at what cached-orm keeps in memcached and in the database: whether they agree,
/// how they are, and what is still to be told.
///
/// The cache's servers, the namespace and the tables must be written as the program
/// writes them: they decide on which server a key lies.
#[derive(Debug, Parser)]
#[command(
    name = "cached-orm",
    version,
    after_help = "\
Exit codes:
  0  fine
  1  something was found: a difference, rows in the outbox, a server that is not well
  2  the command line, a URL, a table or a key is not right
  3  the database or the cache does not answer, or refuses

Examples:
  export DATABASE_URL=postgres://shop@db.internal/shop
  export CACHE_URL='memcached://10.0.0.1:11211,10.0.0.2:11211?namespace=shop'
  cached-orm status
  cached-orm explain users 7
  cached-orm audit users --sample 5000 --json
  cached-orm outbox drain
  cached-orm migrate --print users --index email"
)]
pub(crate) struct Cli {
    /// The database: `postgres://`, `mysql://` (MariaDB too) or `sqlite:`. A password is
    /// better kept in the variable, since others see the arguments
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// The cache as the program names it, with the same servers, written alike:
    /// `memcached://host:port,host:port?namespace=shop`
    #[arg(long, global = true, env = "CACHE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) cache_url: Option<String>,

    /// The program's namespace, instead of that in the cache's URL
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,

    /// Servers on which the program's writers also fence, while the list of servers
    /// changes
    #[arg(long, global = true, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) also_fence: Vec<String>,

    /// The keys of the program's `sign_entries`, if it signs: 64 hexadecimal digits each.
    /// They are better kept in the variable, since others see the arguments
    #[arg(
        long,
        global = true,
        env = "CACHE_SIGNING_KEYS",
        hide_env_values = true,
        value_name = "KEY",
        value_delimiter = ','
    )]
    pub(crate) signing_keys: Vec<String>,

    /// Print one JSON object instead of text
    #[arg(long = "json", global = true)]
    pub(crate) is_json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell how database, cache servers and outbox are
    ///
    /// Exits with 1 if rows are in the outbox, with 3 if a server or the database does
    /// not answer.
    Status,
    /// Tell what lies in the cache for a row, and whether the database has the row
    Explain(Explain),
    /// Compare what the cache has for rows of a table with the database
    Audit(Audit),
    /// Look at the keys that the cache is still to be told of, or tell it
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Compare a table with what the program's struct says of it
    Verify(Verify),
    /// Print the SQL that creates the outbox, and the triggers of a table
    Migrate(Migrate),
    /// Print a script that completes this command in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Tell how many rows are in the outbox, and how old the oldest is
    ///
    /// Exits with 1 if there are rows, or no outbox.
    Status,
    /// Take the keys in the outbox out of the cache, until it is empty
    Drain(Drain),
}

/// A table as the program's struct describes it.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// The table, as in the struct's `table`: `users` or `shop.users`
    #[arg(value_name = "TABLE")]
    pub(crate) name: String,

    #[command(flatten)]
    shape: ShapeArguments,
}

/// What the struct says of its table besides the name.
#[derive(Debug, Args)]
pub(crate) struct ShapeArguments {
    /// The struct's `cache_name`, if it has one
    #[arg(long, value_name = "NAME")]
    cache_name: Option<String>,

    /// The columns of the struct's primary key in the order of its fields, if the catalog
    /// has others; with a kind, if the column's type leaves it open. Kinds: integer, bool,
    /// text, bytes, uuid, uuid-text (`Hyphenated`), date, time, datetime (without a zone), timestamp
    #[arg(long, value_name = "COLUMN[:KIND]", value_delimiter = ',', value_parser = column)]
    key: Vec<(String, Option<KeyKind>)>,
}

impl TableArguments {
    /// What the cache's keys begin with, after the namespace.
    pub(crate) fn cache_name(&self) -> &str {
        self.shape.cache_name.as_deref().unwrap_or(&self.name)
    }

    pub(crate) fn described(&self) -> NamedTable {
        self.shape.of(&self.name)
    }
}

impl ShapeArguments {
    /// The table of this name.
    pub(crate) fn of(&self, name: &str) -> NamedTable {
        let mut table = NamedTable::new(name);
        if let Some(name) = &self.cache_name {
            table = table.cache_name(name);
        }
        self.key.iter().fold(table, |table, (column, kind)| table.key(column, *kind))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
The struct is not known here, so nothing is said of the row's values: `audit` compares
some, and `orm.explain::<T>(key)` in the program all.

Exits with 1 if one has the row and the other does not, if what lies there cannot be used,
or if the outbox names the key.

Examples:
  cached-orm explain users 7
  cached-orm explain regions AD 06
  cached-orm explain regions '(AD)(06)'        # as it stands in cache keys
  cached-orm explain tokens --key id:uuid 67e55044-10b1-426f-9247-bb680e5fe0c8")]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// The primary key's parts as they are in cache keys: digits, 1 or 0, text, lower-case
    /// hexadecimal digits of bytes, 2026-01-31T23-59-59.000000Z
    #[arg(required = true, allow_negative_numbers = true, value_name = "KEY")]
    pub(crate) parts: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is compared, since the struct is not known here:
- whether the cache and the database have a row: for certain.
- values of columns of integers, texts, booleans, bytes and UUIDs, if the entry has a field
  of the column's name. An entry has no names, but a checksum of them: so they are known if
  the struct's fields are the table's columns in their order, or else by --fields. A column
  counts once a value was the same in both, since a field may have a form of its own, as
  enums have. Name those that have one for some values only in --except.
- NULL in the cache is not compared: columns that are not cached look like it.
`orm.audit::<T>` in the program compares all.

Each difference has a verdict: overtaken (a write came between), pending (the outbox has the
key) or unexplained (SQL past the library without triggers, a restored database).

Exits with 1 if an entry is pending or unexplained, with 3 if a server did not answer.

Examples:
  cached-orm audit users                      # 1,000 rows, taken by chance
  cached-orm audit users --sample 100000 --except state
  cached-orm audit regions --keys keys.txt    # one key a line, such as (AD)(06)
  seq 1 100 | cached-orm audit users --keys - --json")]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// How many rows of the database, taken by chance. The whole table's keys are read
    #[arg(long, value_name = "ROWS", default_value_t = 1000, conflicts_with = "keys")]
    pub(crate) sample: u32,

    /// A file with a primary key on each line, or `-` for the standard input; there may be
    /// keys of rows that are gone
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,

    /// The struct's fields as serde names them, in their order; default: the table's columns
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// Columns that are not compared
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) except: Vec<String>,

    /// The struct's `stale_if_error`: rows whose time is over are not compared
    #[arg(long, value_name = "TIME", value_parser = time_span::parse)]
    pub(crate) stale_if_error: Option<Duration>,

    /// How long after the cache the database is asked, and how long a difference must last
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time_span::parse)]
    pub(crate) settle: Duration,

    /// Of how many differences the key is told
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) most_told: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A row of the outbox is removed once the cache has dropped its key. With other servers than
the program's, with another spelling of their addresses or without its --also-fence, keys
would be taken out of the wrong place, and old rows stay: give all as the program does.

Exits with 1 if rows remain or there is no outbox, with 3 if they remain since a server does
not answer.")]
pub(crate) struct Drain {
    /// How long to try
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = time_span::parse)]
    pub(crate) within: Duration,

    /// The program's `fence_ttl`
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time_span::parse)]
    pub(crate) fence_ttl: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed: the statements are for a migration. Those of triggers depend on the
table as it is now, so the database is asked. They note the primary keys of rows that other
programs change, and the values of the struct's indexes: without its `--index` the cache goes
on saying that no row has a value, or that a list has no more rows.

Examples:
  cached-orm migrate --print                              # the outbox alone
  cached-orm migrate --print users --index email --index tenant,handle
  cached-orm migrate --print regions --no-index")]
pub(crate) struct Migrate {
    /// Print the statements; there is no other mode
    #[arg(long, required = true)]
    print: bool,

    /// The table, as in the struct's `table`, of which to print the triggers too
    pub(crate) table: Option<String>,

    #[command(flatten)]
    pub(crate) shape: ShapeArguments,

    /// The columns of one of the struct's indexes (`unique`, `index`), in order; for each
    /// index once
    #[arg(long, value_name = "COLUMN[:KIND],…", requires = "table")]
    pub(crate) index: Vec<String>,

    /// The struct has no index
    #[arg(long, requires = "table", conflicts_with = "index")]
    pub(crate) no_index: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Primary key, unique indexes, triggers, rules, foreign keys, row-level security, partitions:
what makes the promise false is an error, what only costs is a warning, and below each stands
what to do. Nothing is changed. `orm.verify::<T>()` in the program also compares the columns'
types with the fields', and knows the program's other structs.

Exits with 1 if there is an error.

Examples:
  cached-orm verify users --unique email --index tenant,city
  cached-orm verify regions --key country,code --json")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// The columns of one of the struct's `unique` indexes; for each once
    #[arg(long, value_name = "COLUMN,…")]
    pub(crate) unique: Vec<String>,

    /// The columns of one of the struct's other indexes (`index`); for each once
    #[arg(long, value_name = "COLUMN,…")]
    pub(crate) index: Vec<String>,
}

/// `id` or `id:uuid`.
pub(crate) fn column(text: &str) -> Result<(String, Option<KeyKind>), String> {
    let Some((column, kind)) = text.rsplit_once(':') else {
        return Ok((text.to_owned(), None));
    };
    let kind = match kind {
        "integer" => KeyKind::Integer,
        "bool" => KeyKind::Bool,
        "text" => KeyKind::Text,
        "bytes" => KeyKind::Bytes,
        "uuid" => KeyKind::Uuid,
        "uuid-text" => KeyKind::UuidText,
        "date" => KeyKind::Date,
        "time" => KeyKind::Time,
        "datetime" => KeyKind::DateTime,
        "timestamp" => KeyKind::Timestamp,
        _ => {
            return Err(format!(
                "`{kind}` is no kind; there are integer, bool, text, bytes, uuid, uuid-text, date, time, \
                 datetime and timestamp"
            ));
        }
    };
    Ok((column.to_owned(), Some(kind)))
}
