//! `wayfare schema`: what may stand in a file, for editors?

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_journey::schema;
use wayfare_runtime::config;

use super::print;

/// The arguments of `wayfare schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The kind of file.
    #[arg(long, value_enum, default_value_t = Of::Journey)]
    of: Of,
}

/// A kind of file that an author writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// A journey.
    Journey,
    /// The tests of a journey, `<id>.test.yaml`.
    Test,
    /// `wayfare.yaml`.
    Config,
}

impl Of {
    /// The schema as text.
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Journey => schema::JOURNEY,
            Self::Test => schema::TEST,
            Self::Config => config::SCHEMA,
        }
    }
}

/// Prints the schema.
pub(crate) fn schema(schema: &Schema) -> anyhow::Result<ExitCode> {
    print(schema.of.schema().trim_end())?;
    Ok(ExitCode::SUCCESS)
}
