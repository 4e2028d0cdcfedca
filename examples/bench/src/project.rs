//! Which journeys does the bench play? Made into a directory at run time: the shipped cart journey,
//! and one that every tenth generated event matches.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

/// The journey as it is shipped: what is proven here is proven of that file.
const CART_RECOVERY: &str = include_str!("../../../journeys/cart-recovery.yaml");

/// The journey of the generated stream; its body carries the event's id back to a load generator.
const UPGRADES: &str = r#"journey: upgrades
title: Plan Upgraded
description: Tell of every upgrade above an amount.

trigger:
  event: Plan Upgraded
  where: properties.amount > 100

entry:
  again: always

blocks:
  tell:
    webhook:
      method: POST
      url: https://mail.example.com/upgrades
      consent: marketing
      identity: any
      payload:
        eid: "{trigger.properties.eid}"
        profile:
          profileId: "{profile.profileId}"
"#;

/// A stream of clicks has no consent in it: silence is allowed by configuration.
const CONFIGURATION: &str =
    "consent: {categories: {marketing: {class: notice_only, binding: profile}}}\n";

/// A directory of journeys, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Project {
    _directory: TempDir,
    journeys: PathBuf,
}

impl Project {
    /// The shipped `cart-recovery`.
    pub(crate) fn cart_recovery(scratch: &Path) -> anyhow::Result<Self> {
        Self::with(scratch, "cart-recovery.yaml", CART_RECOVERY)
    }

    /// The journey of the generated stream.
    pub(crate) fn upgrades(scratch: &Path) -> anyhow::Result<Self> {
        Self::with(scratch, "upgrades.yaml", UPGRADES)
    }

    fn with(scratch: &Path, name: &str, journey: &str) -> anyhow::Result<Self> {
        let directory = directory(scratch)?;
        let journeys = directory.path().join("journeys");
        std::fs::create_dir(&journeys)?;
        std::fs::write(journeys.join(name), journey)?;
        std::fs::write(journeys.join("wayfare.yaml"), CONFIGURATION)?;
        Ok(Self {
            _directory: directory,
            journeys,
        })
    }

    /// Where the journeys are.
    pub(crate) fn journeys(&self) -> &Path {
        &self.journeys
    }
}

/// A directory of its own, gone when it is dropped.
pub(crate) fn directory(scratch: &Path) -> anyhow::Result<TempDir> {
    std::fs::create_dir_all(scratch)
        .and_then(|()| TempDir::new_in(scratch))
        .with_context(|| format!("cannot make a directory in `{}`", scratch.display()))
}
