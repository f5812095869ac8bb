use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use cached_orm::{Error, sqlx};
use serde::Serialize;
use tracing::{error, warn};

pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// What a client is told when a request fails: a status, a code for programs, and a
/// sentence for people. What the database or the cache said is logged and never sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// A value that cannot be, in this field.
    pub(crate) fn invalid(field: &str, must: &str) -> Self {
        let message = format!("`{field}` must {must}.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }

    pub(crate) fn changed_meanwhile() -> Self {
        let message = "Somebody has changed it since you read it. Read it again.";
        Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
    }

    fn unavailable(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    fn internal() -> Self {
        let message = "Something went wrong here. It has been logged.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Told,
        }
        #[derive(Serialize)]
        struct Told {
            code: &'static str,
            message: String,
        }
        let told = Told { code: self.code, message: self.message };
        let mut response = (self.status, Json(Body { error: told })).into_response();
        if self.code == "unavailable" {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match &error {
            Error::RowNotFound { .. } => return Self::not_found("row"),
            Error::Conflict { .. } => return Self::changed_meanwhile(),
            Error::Database { source, .. } if is_taken(source) => {
                let message = "Another one has this value already.";
                return Self::new(StatusCode::CONFLICT, "taken", message);
            }
            _ => {}
        }
        // Their text never holds data of rows, or URLs.
        match &error {
            Error::NotFenced { .. } => {
                warn!(%error, "a write was refused");
                Self::unavailable("The cache is away, so nothing was written. Try again.")
            }
            Error::RolledBack { .. } => {
                warn!(%error, "a write was rolled back");
                Self::unavailable("The database is busy, so nothing was written. Try again.")
            }
            Error::CommitUnknown { .. } | Error::ShuttingDown { .. } => {
                error!(%error, "the outcome of a write is unknown");
                let message = "It may have been written, or not. Read it again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", message)
            }
            _ if error.is_outage() => {
                warn!(%error, "the database is away");
                Self::unavailable("The database is away. Try again.")
            }
            _ => {
                error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

/// For statements of our own.
impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) {
            warn!("the database is away");
            return Self::unavailable("The database is away. Try again.");
        }
        // The database's own text may quote values.
        let code = error.as_database_error().and_then(|error| error.code());
        error!(code = code.as_deref(), "a statement failed");
        Self::internal()
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL: lost connections, too few resources, a server that stops or starts.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5 && ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

// axum's own rejections are plain text, and tell clients the names of Rust's types.

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::JsonDataError(error) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", reason(&error))
            }
            JsonRejection::JsonSyntaxError(_) => {
                Self::new(StatusCode::BAD_REQUEST, "not_json", "The body is not JSON.")
            }
            JsonRejection::MissingJsonContentType(_) => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "Send `Content-Type: application/json`.",
            ),
            other => Self::new(other.status(), "unreadable", "The body could not be read."),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", reason(&rejection))
    }
}

impl From<PathRejection> for ApiError {
    /// A path with what cannot be a key names nothing.
    fn from(_: PathRejection) -> Self {
        Self::not_found("page")
    }
}

/// serde's own words, which name the field: "unknown field `colour`, expected …".
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
