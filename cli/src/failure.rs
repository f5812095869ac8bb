//! How a command ends.

use cached_orm::Error;
use serde_json::json;
use std::process::ExitCode;

/// What a command has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    Found,
    /// It told what it could, but not all of what it asked has answered.
    Unreachable,
}

impl Outcome {
    pub(crate) fn found_if(found: bool) -> Self {
        if found { Self::Found } else { Self::Fine }
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Fine => 0,
            Self::Found => 1,
            Self::Unreachable => 3,
        })
    }
}

/// Why a command could tell nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    advice: String,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Usage,
    Unreachable,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), advice: advice.into() }
    }

    pub(crate) fn unreachable(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind: Kind::Unreachable, message: message.into(), advice: advice.into() }
    }

    pub(crate) fn into_message(self) -> String {
        self.message
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Usage => 2,
            Kind::Unreachable => 3,
        })
    }

    /// Prints it: an object where one is expected, or else lines for people.
    pub(crate) fn tell(&self, is_json: bool) {
        let Self { kind, message, advice } = self;
        if is_json {
            let kind = match kind {
                Kind::Usage => "usage",
                Kind::Unreachable => "unreachable",
            };
            println!(
                "{}",
                json!({ "error": { "kind": kind, "message": message, "advice": advice } })
            );
        } else {
            eprintln!("error: {message}\n  {advice}");
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match &error {
            Error::Configuration(_) => {
                Self::usage(message, "`cached-orm COMMAND --help` shows what can be written.")
            }
            _ if error.is_outage() => Self::unreachable(
                message,
                "The database went away, or was too busy to answer. Try again.",
            ),
            _ => Self::unreachable(
                message,
                "The database answers, but refuses. May this user read the table, and the table \
                 `cached_orm_outbox`?",
            ),
        }
    }
}
