use super::{
    PRIMARY_KEY, duration, field,
    item::{Item, items, split, wrong_value},
    unknown,
};
use crate::{
    database::Database,
    errors::Errors,
    names::{self, Case},
};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use std::time::Duration;
use syn::{Attribute, Error, Lit, LitStr, Path, Result, parse::Parser as _};

pub(super) const OPTIONS: [&str; 16] = [
    "table",
    "database",
    "cache_name",
    "ttl",
    "ttl_jitter",
    "negative_ttl",
    "min_compress_len",
    "near_ttl",
    "early_refresh",
    "stale_if_error",
    "rename_all",
    "unique",
    "index",
    "also_fences",
    "accepts",
    "crate",
];

/// `#[orm(…)]` on the struct.
#[derive(Default)]
pub(crate) struct ContainerAttributes {
    pub(crate) table: Option<LitStr>,
    /// As they were written; `None` if the option was not.
    pub(crate) databases: Option<Vec<(Database, Ident)>>,
    pub(crate) cache_name: Option<LitStr>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) ttl_jitter: Option<f64>,
    pub(crate) negative_ttl: Option<NegativeTtl>,
    pub(crate) min_compress_len: Option<usize>,
    pub(crate) near_ttl: Option<Duration>,
    pub(crate) early_refresh: Option<(Duration, Span)>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) indexes: Vec<ListedIndex>,
    pub(crate) also_fences: Vec<Path>,
    /// Each with the place where it is written.
    pub(crate) accepts: Vec<(Accepted, Span)>,
    pub(crate) runtime: Option<Path>,
}

/// `unique(tenant, handle)` or `index(tenant, handle)`.
pub(crate) struct ListedIndex {
    pub(crate) name: Ident,
    pub(crate) fields: Vec<Ident>,
}

/// What a table may be like, although the cache is then not told of every change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accepted {
    Views,
    Partitions,
    RowSecurity,
    Rules,
    OtherRows,
}

impl Accepted {
    const ALL: [Self; 5] =
        [Self::Views, Self::Partitions, Self::RowSecurity, Self::Rules, Self::OtherRows];

    fn name(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Partitions => "partitions",
            Self::RowSecurity => "row_security",
            Self::Rules => "rules",
            Self::OtherRows => "other_rows",
        }
    }

    /// The runtime's variant.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Views => "Views",
            Self::Partitions => "Partitions",
            Self::RowSecurity => "RowSecurity",
            Self::Rules => "Rules",
            Self::OtherRows => "OtherRows",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum NegativeTtl {
    Off,
    For(Duration),
}

impl ContainerAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self::default();
        for item in items(attributes, errors) {
            match item.name.to_string().as_str() {
                "table" => this.table = errors.take(item.string(r#"table = "users""#)),
                "database" => this.databases = Some(databases(&item, errors)),
                "cache_name" => {
                    this.cache_name = errors.take(item.string(r#"cache_name = "users""#))
                }
                "ttl" => this.ttl = errors.take(duration(&item, r#"ttl = "10m""#)),
                "ttl_jitter" => this.ttl_jitter = errors.take(ttl_jitter(&item)),
                "negative_ttl" => this.negative_ttl = errors.take(negative_ttl(&item)),
                "min_compress_len" => this.min_compress_len = errors.take(min_compress_len(&item)),
                "near_ttl" => this.near_ttl = errors.take(duration(&item, r#"near_ttl = "1s""#)),
                "early_refresh" => {
                    let time = errors.take(duration(&item, r#"early_refresh = "30s""#));
                    this.early_refresh = time.map(|time| (time, item.name.span()));
                }
                "stale_if_error" => {
                    this.stale_if_error = errors.take(duration(&item, r#"stale_if_error = "1h""#));
                }
                "also_fences" => this.also_fences = also_fences(&item, errors),
                "accepts" => this.accepts.extend(accepts(&item, errors)),
                "rename_all" => this.rename_all = errors.take(rename_all(&item)),
                "unique" | "index" => this.indexes.push(listed_index(&item, errors)),
                "crate" => this.runtime = errors.take(runtime(&item)),
                _ => errors.push(unknown(&item, &OPTIONS, &field::OPTIONS, "a field")),
            }
        }
        for attribute in
            attributes.iter().filter(|attribute| attribute.path().is_ident(PRIMARY_KEY))
        {
            errors.at(&attribute.meta, "`#[primary_key]` belongs on a field");
        }
        this
    }
}

fn databases(item: &Item, errors: &mut Errors) -> Vec<(Database, Ident)> {
    const EXAMPLE: &str = "database = Postgres` or `database = (Postgres, Sqlite)";
    let Some(value) = errors.take(item.assigned(EXAMPLE)) else { return Vec::new() };
    let mut tokens = value.clone().into_iter();
    let list = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Parenthesis => {
            if group.stream().is_empty() {
                errors.at(&group, "name at least one database");
            }
            group.stream()
        }
        _ => value.clone(),
    };
    let mut databases: Vec<(Database, Ident)> = Vec::new();
    for tokens in split(list) {
        let names = Database::ALL.map(Database::name);
        let Ok(ident) = syn::parse2::<Ident>(tokens.clone()) else {
            let message = match database_in(&tokens) {
                Some(meant) => format!("write its name alone: `{}`", meant.name()),
                None => {
                    let names = names::alternatives(&names);
                    format!("expected {names}, or several as in `(Postgres, Sqlite)`")
                }
            };
            errors.at(tokens, message);
            continue;
        };
        match Database::ALL.into_iter().find(|database| ident == database.name()) {
            Some(database) if databases.iter().any(|(earlier, _)| *earlier == database) => {
                errors.at(&ident, format_args!("`{ident}` is listed twice"));
            }
            Some(database) => databases.push((database, ident)),
            None => {
                let suggestion = match Database::meant_by(&ident.to_string()) {
                    Some(meant) => format!("did you mean `{}`?", meant.name()),
                    None => format!("expected {}", names::alternatives(&names)),
                };
                errors.at(&ident, format_args!("unknown database `{ident}`; {suggestion}"));
            }
        }
    }
    databases
}

/// The database that a string or a path names.
fn database_in(tokens: &TokenStream) -> Option<Database> {
    if let Ok(text) = syn::parse2::<LitStr>(tokens.clone()) {
        return Database::meant_by(&text.value());
    }
    let path = Path::parse_mod_style.parse2(tokens.clone()).ok()?;
    Database::meant_by(&path.segments.last()?.ident.to_string())
}

fn duration(item: &Item, example: &str) -> Result<Duration> {
    let text = item.string(example)?;
    duration::parse(&text.value()).map_err(|message| Error::new(text.span(), message))
}

fn negative_ttl(item: &Item) -> Result<NegativeTtl> {
    let text = item.string(r#"negative_ttl = "5s"` or `negative_ttl = "off""#)?;
    if text.value() == "off" {
        return Ok(NegativeTtl::Off);
    }
    let duration = duration::parse(&text.value())
        .map_err(|message| Error::new(text.span(), format_args!("{message}, or `off`")))?;
    Ok(NegativeTtl::For(duration))
}

fn ttl_jitter(item: &Item) -> Result<f64> {
    const KIND: &str = "a number from 0 to 1";
    const EXAMPLE: &str = "ttl_jitter = 0.1";
    let part = match item.literal(KIND, EXAMPLE)? {
        Lit::Float(part) => part.base10_parse().ok(),
        Lit::Int(part) => part.base10_parse().ok(),
        _ => None,
    };
    part.filter(|part| (0.0..=1.0).contains(part))
        .map_or_else(|| Err(wrong_value(item.assigned(EXAMPLE)?, KIND, EXAMPLE)), Ok)
}

fn min_compress_len(item: &Item) -> Result<usize> {
    const KIND: &str = "a number of bytes";
    const EXAMPLE: &str = "min_compress_len = 1024";
    let bytes = match item.literal(KIND, EXAMPLE)? {
        Lit::Int(bytes) => bytes.base10_parse().ok(),
        _ => None,
    };
    bytes.map_or_else(|| Err(wrong_value(item.assigned(EXAMPLE)?, KIND, EXAMPLE)), Ok)
}

fn rename_all(item: &Item) -> Result<Case> {
    let text = item.string(r#"rename_all = "camelCase""#)?;
    Case::named(&text.value()).ok_or_else(|| {
        let suggestion = names::suggestion(&text.value(), &Case::NAMES);
        Error::new(text.span(), format_args!("unknown case `{}`; {suggestion}", text.value()))
    })
}

fn listed_index(item: &Item, errors: &mut Errors) -> ListedIndex {
    let name = item.name.clone();
    let fields = item.names(&format!("{name}(tenant, handle)"), errors);
    ListedIndex { name, fields }
}

fn also_fences(item: &Item, errors: &mut Errors) -> Vec<Path> {
    const EXAMPLE: &str = "also_fences(UserSummary)";
    let Some(listed) = errors.take(item.listed(EXAMPLE)) else { return Vec::new() };
    let structs = listed.into_iter().map(|tokens| {
        let wrong = Error::new_spanned(
            &tokens,
            format_args!("expected the name of a struct, as in `{EXAMPLE}`"),
        );
        Path::parse_mod_style.parse2(tokens).map_err(|_| wrong)
    });
    structs.filter_map(|found| errors.take(found)).collect()
}

fn accepts(item: &Item, errors: &mut Errors) -> Vec<(Accepted, Span)> {
    const EXAMPLE: &str = "accepts(partitions)";
    let Some(listed) = errors.take(item.listed(EXAMPLE)) else { return Vec::new() };
    let names = Accepted::ALL.map(Accepted::name);
    let accepted = listed.into_iter().map(|tokens| {
        let Ok(ident) = syn::parse2::<Ident>(tokens.clone()) else {
            let names = names::alternatives(&names);
            return Err(Error::new_spanned(tokens, format_args!("expected {names}")));
        };
        let found = Accepted::ALL.into_iter().find(|accepted| ident == accepted.name());
        let unknown = || {
            let suggestion = names::suggestion(&ident.to_string(), &names);
            Error::new(ident.span(), format_args!("`{ident}` cannot be accepted; {suggestion}"))
        };
        found.map(|accepted| (accepted, ident.span())).ok_or_else(unknown)
    });
    accepted.filter_map(|accepted| errors.take(accepted)).collect()
}

fn runtime(item: &Item) -> Result<Path> {
    let text = item.string(r#"crate = "my::cached_orm""#)?;
    text.parse_with(Path::parse_mod_style).map_err(|_| {
        Error::new(text.span(), "expected the path of the crate, such as `my::cached_orm`")
    })
}
