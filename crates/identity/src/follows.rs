//! May a configuration take over what another one linked? Not here: where the earlier one is noted.

use std::fmt::Write as _;

use crate::{Config, NamespaceRule};

/// What a configuration changes that past links were read with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangedNamespace {
    /// Its class, limit or window is another one.
    #[error("namespace {rank} is `{now}` and was `{was}`")]
    Other {
        /// Its place in the list, from 1.
        rank: usize,
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// It is not there any more.
    #[error("namespace {rank} was `{was}` and is not listed any more")]
    Gone {
        /// Its place in the list, from 1.
        rank: usize,
        /// What it was.
        was: String,
    },
}

impl Config {
    /// How links are read, a line for each namespace by its rank: name, class, limit and window in
    /// microseconds, `-` where there is none, and whose addresses are folded. What only says how events are read is not in it.
    #[must_use]
    pub fn written(&self) -> String {
        let mut text = String::new();
        for rule in self.namespaces() {
            text.push_str(&line(rule));
            text.push('\n');
        }
        text
    }

    /// Whether what was linked under a configuration, as [`Self::written`], means the same under this
    /// one: namespaces may have been added at the end, nothing else.
    ///
    /// # Errors
    ///
    /// The first namespace that is another one.
    pub fn follows(&self, written: &str) -> Result<(), ChangedNamespace> {
        let mut now = self.namespaces().iter().map(line);
        for (place, was) in written.lines().enumerate() {
            let (rank, was) = (place + 1, was.to_owned());
            match now.next() {
                Some(now) if now == was => {}
                Some(now) => return Err(ChangedNamespace::Other { rank, was, now }),
                None => return Err(ChangedNamespace::Gone { rank, was }),
            }
        }
        Ok(())
    }
}

fn line(rule: &NamespaceRule) -> String {
    let mut line = format!("{} {}", rule.name, rule.class.as_str());
    let mut part = |number: Option<i64>| match number {
        Some(number) => write!(line, " {number}"),
        None => write!(line, " -"),
    };
    let limit = rule.limit.and_then(|limit| i64::try_from(limit).ok());
    let _infallible = part(limit).and_then(|()| part(rule.window_us));
    if let Some(provider) = rule.provider_fold {
        line.push(' ');
        line.push_str(provider.as_str());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provider;

    #[test]
    fn namespaces_may_be_added_at_the_end_and_nothing_else_may_change() {
        let shipped = Config::default();
        let held = shipped.written();
        let check = |change: &dyn Fn(&mut Vec<NamespaceRule>), expected: Option<&str>| {
            let mut rules = shipped.namespaces().to_vec();
            change(&mut rules);
            let config = Config::new(rules, ["qa".to_owned()], None).unwrap();
            let refused = config.follows(&held).err().map(|it| it.to_string());
            assert_eq!(refused.as_deref(), expected);
        };
        check(&|_| {}, None);
        let added = |rules: &mut Vec<NamespaceRule>| {
            let crm = NamespaceRule {
                name: "crm".into(),
                ..rules[1].clone()
            };
            rules.push(crm);
        };
        check(&added, None);
        check(
            &|rules| rules[1].limit = Some(3),
            Some("namespace 2 is `email address 3 -` and was `email address 5 -`"),
        );
        check(
            &|rules| rules[1].provider_fold = Some(Provider::Gmail),
            Some("namespace 2 is `email address 5 - gmail` and was `email address 5 -`"),
        );
        check(
            &|rules| rules[4].window_us = None,
            Some(
                "namespace 5 is `anonymous_id session 20 -` and was \
                 `anonymous_id session 20 604800000000`",
            ),
        );
        check(
            &|rules| rules.swap(2, 3),
            Some("namespace 3 is `device_id device 5 -` and was `phone address 5 -`"),
        );
        check(
            &|rules| drop(rules.pop()),
            Some(
                "namespace 5 was `anonymous_id session 20 604800000000` and is not listed any more",
            ),
        );
    }
}
